import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { decodeLatin1, encodeLatin1 } from "../../src/base/mod.ts";
import {
  decodeCharset,
  decodeParts,
  decodeTransfer,
  decodeWords,
  encodeParts,
  MessageParser,
  parseAddresses,
  parseMessage,
  resolveSection,
} from "../../src/message/mod.ts";
import { readBody, readEnvelope } from "../message/wire_grammar.ts";
import { NESTED, simpleMessage } from "../support/messages.ts";
import { tokensOf } from "./mutate.ts";
import type { Target } from "./target.ts";

const message: Target = {
  name: "message",
  corpus: [
    NESTED,
    simpleMessage(),
    'Content-Type: multipart/mixed; boundary="a"\n\n--a\nContent-Type: text/html; charset=utf-8\n' +
    "Content-Transfer-Encoding: quoted-printable\n\n<p>=C3=A9</p>\n--a\n\n--a--\nepilogue",
    "Subject: =?utf-8?q?=C3=A9?= =?iso-8859-1?b?6Q==?=\r\nFrom: a <a@b>, g: c@d, e@f;\r\n" +
    "Content-Disposition: attachment; filename*0*=utf-8''%e2; filename*1*=%82%ac\r\n\r\n",
    "Content-Type: message/rfc822\r\n\r\n".repeat(40),
    "Content-Type: multipart/digest; boundary=a\r\n\r\n--a\r\n\r\nSubject: x\r\n\r\ny\r\n--a--",
  ].map(encodeLatin1),
  tokens: tokensOf(
    ...'\r\n|\n|\r|\0|--a|--a--|--b|--|;|=|"|(|)|<|>|,|:|\\|\xff|\xc3\xa9|=?utf-8?q?|?=|=?x?b?'
      .split("|"),
    "\r\n\r\n",
    "Content-Type: multipart/mixed; boundary=a\r\n",
    "Content-Type: message/rfc822\r\n",
    "Content-Type: text/html; charset=utf-16\r\n",
    "Content-Transfer-Encoding: base64\r\n",
    "Content-Transfer-Encoding: x\r\n",
    "Date: 1 Jan 2024 10:00:00 +0000\r\n",
    "From: ",
    "References: <a@b> ",
    "Subject: Re: [x] Fwd: ",
    " name*0*=utf-8''%",
    "&amp;<p><script>",
    "--a\r\n".repeat(200),
    "(".repeat(200),
  ),
  maxMs: 1000,
  run(input, random) {
    const parsed = parseMessage(input);
    assert.equal(parsed.size, input.length);
    readEnvelope(parsed.envelope);
    readBody(parsed.body, false);
    readBody(parsed.bodyStructure, true);
    const pieces = new MessageParser();
    const most = 1 + random.below(random.pick([2, 50, 5000]));
    for (let at = 0; at < input.length;) {
      const end = at + 1 + random.below(most);
      pieces.write(input.subarray(at, end));
      at = end;
    }
    const again = pieces.end();
    assert.ok(Buffer.from(again.bodyStructure).equals(Buffer.from(parsed.bodyStructure)));
    assert.ok(Buffer.from(again.envelope).equals(Buffer.from(parsed.envelope)));
    assert.equal(again.bodyText, parsed.bodyText);
    assert.equal(again.preview, parsed.preview);
    const tree = decodeParts(encodeParts(parsed.root));
    const path = Array.from({ length: random.below(4) }, () => 1 + random.below(3));
    for (const text of [undefined, "HEADER", "TEXT", "MIME"] as const) {
      const section = text === undefined ? { part: path } : { part: path, text };
      const range = resolveSection(tree, section);
      assert.deepEqual(range, resolveSection(parsed.root, section));
      if (range) assert.ok(0 <= range.start && range.start <= range.end);
      if (range) assert.ok(range.end <= input.length);
    }
  },
};

const words: Target = {
  name: "encoded-words",
  corpus: tokensOf("=?utf-8?q?=C3=A9?= =?iso-8859-1?b?6Q==?= a", "=?gb2312?b?xOO6ww==?=", "a_b"),
  tokens: tokensOf(
    ..."=?|?=|?q?|?b?|?Q?|_|=|==|=C3|\xc3\xa9|utf-8|utf-16|utf-7|iso-2022-jp|x-none|*en|\x1b$B| "
      .split(
        "|",
      ),
  ),
  maxMs: 500,
  run(input, random) {
    const raw = decodeLatin1(input);
    assert.ok(decodeWords(raw).isWellFormed());
    parseAddresses(raw, 1 + random.below(20));
    const charset = random.pick(["utf-8", "utf-16", "utf-7", "iso-2022-jp", "gb18030", raw]);
    decodeCharset(input, charset);
    decodeTransfer(input, random.pick(["base64", "quoted-printable", "7bit"]));
  },
};

export const messageTargets: readonly Target[] = [message, words];
