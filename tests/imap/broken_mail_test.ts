import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { literal } from "../support/client.ts";
import { lines } from "../support/messages.ts";
import { withServer } from "../support/server.ts";

/** A message inside a message, `depth` times. */
function nested(depth: number): string {
  let message = lines("Subject: innermost", "", "here");
  for (let i = 0; i < depth; i++) {
    message = lines(`Subject: level ${i}`, "Content-Type: message/rfc822", "") + message;
  }
  return message;
}

/** Mail that no RFC allows, or hardly, with a word that a search of its text should find. */
const BROKEN: Readonly<Record<string, { mail: string | Uint8Array; word?: string }>> = {
  "one octet": { mail: "x" },
  "only line ends": { mail: "\r\n\r\n\r\n" },
  "no header at all": { mail: "just some words\r\nand more of them\r\n", word: "more of them" },
  "a header without an end": { mail: "Subject: endless" },
  "8-bit octets in the header": {
    mail: Buffer.from("Subject: gr\xfc\xdfe\r\nFrom: J\xf6rg <j@x>\r\n\r\nhallo\r\n", "latin1"),
    word: "hallo",
  },
  "UTF-8 in the header": { mail: "Subject: grüße 你好\r\nFrom: Jörg <j@x>\r\n\r\nx", word: "你好" },
  "NUL octets": { mail: "Subject: n\0ul\r\n\r\na\0b" },
  "no final boundary": {
    mail: lines('Content-Type: multipart/mixed; boundary="b"', "", "--b", "", "unfinished part"),
    word: "unfinished part",
  },
  "a multipart without boundary": {
    mail: lines("Content-Type: multipart/mixed", "", "--what", "", "nothing"),
  },
  "a multipart without parts": {
    mail: lines('Content-Type: multipart/alternative; boundary="b"', "", "--b--"),
  },
  "a boundary that the parts never use": {
    mail: lines('Content-Type: multipart/mixed; boundary="b"', "", "--c", "", "text", "--c--"),
  },
  "parameters that are garbage": {
    mail: lines('Content-Type: text/plain; charset="; =; name=', "", "text"),
    word: "text",
  },
  "base64 that is none": {
    mail: lines("Content-Transfer-Encoding: base64", "", "!!!not base64!!!"),
  },
  "an unknown charset": {
    mail: lines("Content-Type: text/plain; charset=x-martian", "", "readable all the same"),
    word: "readable all the same",
  },
  "addresses that are none": { mail: lines("From: <<>>,;:@@", "To: a b c", "Cc: (((", "", "x") },
  "a date that is none": { mail: lines("Date: the day before yesterday", "", "x") },
  "a line of 100,000 octets": { mail: `Subject: ${"long ".repeat(20_000)}\r\n\r\nx` },
  "a thousand recipients": {
    mail: lines(`To: ${Array.from({ length: 1000 }, (_, i) => `u${i}@x`).join(", ")}`, "", "x"),
  },
  "a hundred levels of messages": { mail: nested(100) },
  "two hundred levels of messages": { mail: nested(200) },
};

Deno.test("broken mail is taken as it is, answered sensibly in every form, and never changed", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    const watcher = await server.login("INBOX");
    for (const [what, { mail, word }] of Object.entries(BROKEN)) {
      const octets = Buffer.from(mail as string);
      const appended = await c.ok(["APPEND INBOX ", literal(octets, { binary: true })]);
      const uid = Number(/\d+$/.exec(appended.code!)![0]);
      const { untagged } = await c.ok(`UID FETCH ${uid} BODY.PEEK[]`);
      // What no literal may hold goes as 0x80: fetch_test.ts has more of that.
      const stored = octets.toString("latin1").replaceAll("\0", "\x80");
      assert.equal(
        untagged.at(-1),
        `${uid} FETCH (UID ${uid} BODY[] {${stored.length}}\r\n${stored})`,
        what,
      );
      // The client of the test reads whole responses only, so each must be well-formed.
      await watcher.ok("NOOP");
      for (
        const items of [
          "(ENVELOPE)",
          "(BODY)",
          "(BODYSTRUCTURE)",
          "(FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE PREVIEW)",
          "(BODY.PEEK[HEADER] BODY.PEEK[TEXT] BODY.PEEK[1] BODY.PEEK[1.MIME] BODY.PEEK[9.9.9])",
          "(BODY.PEEK[HEADER.FIELDS (SUBJECT FROM)] BODY.PEEK[TEXT]<0.10>)",
        ]
      ) {
        const answer = await watcher.ok(`UID FETCH ${uid} ${items}`);
        assert.equal(answer.untagged.length, 1, `${what}: ${items}`);
        assert.equal(depthAtEnd(answer.untagged[0]!), 0, `${what}: ${items}`);
      }
      if (word !== undefined) {
        const found = await c.ok(["UID SEARCH TEXT ", literal(word)]);
        assert.ok(found.untagged[0]!.split(" ").includes(`${uid}`), `${what}: ${word}`);
      }
    }
  });
});

/** Depth of parentheses at the end of a response, those in strings and literals left out. */
function depthAtEnd(response: string): number {
  let depth = 0;
  for (let i = 0; i < response.length; i++) {
    const char = response[i];
    if (char === "(") depth++;
    else if (char === ")") depth--;
    else if (char === '"') {
      for (i++; response[i] !== '"'; i++) if (response[i] === "\\") i++;
    } else if (char === "{") {
      const header = /^\{(\d+)\}\r\n/.exec(response.slice(i, i + 20));
      if (header) i += header[0].length + Number(header[1]) - 1;
    }
  }
  return depth;
}
