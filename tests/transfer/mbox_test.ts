import assert from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, concatBytes, decodeLatin1, encodeLatin1 } from "../../src/base/mod.ts";
import { SystemFlag, type ZonedTime } from "../../src/store/mod.ts";
import { parseFromLine, writeFromLine } from "../../src/transfer/mbox_date.ts";
import { MboxReader } from "../../src/transfer/mbox_reader.ts";
import { MboxQuoter, writeMboxHead } from "../../src/transfer/mbox_writer.ts";

interface Found {
  readonly text: string;
  readonly seconds: number | undefined;
  readonly status: string;
}

/** Reads an mbox cut into pieces of `step` octets. Line ends of what is found are CRLF. */
async function read(bytes: Bytes, step = 1 << 20): Promise<Found[]> {
  const found: Found[] = [];
  let date: ZonedTime | undefined;
  let parts: Bytes[] = [];
  const reader = new MboxReader({
    begin: async (given) => void (date = given),
    write: async (piece) => void parts.push(piece.slice()),
    end: async (status, isFolderData) => {
      const text = decodeLatin1(concatBytes(parts)).replace(/\r?\n/g, "\r\n");
      parts = [];
      if (isFolderData) return;
      const values = [...status].map(([name, value]) => `${name}=${value}`).join(" ");
      found.push({ text, seconds: date?.seconds, status: values });
    },
  });
  for (let at = 0; at < bytes.length; at += step) await reader.write(bytes.slice(at, at + step));
  await reader.end();
  return found;
}

const readText = (text: string, step?: number) => read(encodeLatin1(text), step);

function write(messages: readonly string[], step: number): Bytes {
  return concatBytes(messages.flatMap((message, i) => {
    const bytes = encodeLatin1(message);
    const quoter = new MboxQuoter();
    const internalDate = { seconds: i * 86_399, zoneMinutes: 0 };
    const parts = [writeMboxHead({ flags: i % 32, keywords: i % 2 ? "$x y" : "", internalDate })];
    for (let at = 0; at < bytes.length; at += step) {
      parts.push(quoter.write(bytes.slice(at, at + step)));
    }
    return [...parts, quoter.end()];
  }));
}

Deno.test("what is written as mbox is read back exactly, wherever it is cut", async () => {
  const piece = fc.constantFrom(
    ...["\r\n", "\r\n", "From ", "From x Thu Jan  1 00:00:00 1970\r\n", ">", "F", "Fro", ">From "],
    ...["Status: R\r\n", "X-Status: F\r\n", "X-Keywords: a\r\n", "\r\n\r\n", " folded\r\n", "é\0"],
  );
  const message = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
  await fc.assert(
    fc.asyncProperty(
      fc.array(message, { maxLength: 5 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      async (messages, writeStep, readStep) => {
        const found = await read(write(messages, writeStep), readStep);
        assert.deepEqual(found.map(({ text }) => text), messages);
        assert.deepEqual(found.map(({ seconds }) => seconds), messages.map((_, i) => i * 86_399));
      },
    ),
    { numRuns: 400 },
  );
});

Deno.test("every line of an export that looks like a separator is quoted", () => {
  const text = decodeLatin1(write(["A: b\r\n\r\nFrom me\r\n>From you\r\nx From y\r\n"], 3));
  assert.match(text, /\n\n>From me\n>>From you\nx From y\n\n$/);
});

Deno.test("flags stand where Dovecot, mutt and Pine look for them", () => {
  const { seen, flagged, answered, draft, deleted } = SystemFlag;
  const head = (flags: number, keywords = "") =>
    decodeLatin1(writeMboxHead({
      ...{ flags, keywords, internalDate: { seconds: 784_111_777, zoneMinutes: 60 } },
    }));
  assert.equal(
    head(seen | flagged | answered | draft | deleted, "$Forwarded blue"),
    "From MAILER-DAEMON Sun Nov  6 08:49:37 1994\nStatus: RO\nX-Status: AFTD\n" +
      "X-Keywords: $Forwarded blue\n",
  );
  assert.equal(
    head(0),
    "From MAILER-DAEMON Sun Nov  6 08:49:37 1994\nStatus: O\nX-Status:\nX-Keywords:\n",
  );
});

Deno.test("dates of separators are read in the forms that programs write", () => {
  const forms: [string, number | undefined, number?][] = [
    ["From a@b.c Sun Nov  6 08:49:37 1994", 784_111_777],
    ["From a@b.c  Sun Nov 6 08:49:37 1994 +0100\r\n", 784_108_177, 60],
    ["From - Sun Nov 06 08:49:37 -0230 1994", 784_120_777, -150],
    ["From a@b.c Sun Nov  6 08:49 GMT 1994", 784_111_740],
    ['From "a b"@c Sun Nov  6 08:49:37 CET 1994', 784_111_777],
    ["From me to you, with love", undefined],
    ["From a@b.c Sun Nov  6 08:49:37", undefined],
    [">From a@b.c Sun Nov  6 08:49:37 1994", undefined],
  ];
  for (const [line, seconds, zoneMinutes = 0] of forms) {
    const expected = seconds === undefined ? undefined : { seconds, zoneMinutes };
    assert.deepEqual(parseFromLine(line), expected, line);
  }
  const written = writeFromLine({ seconds: -1, zoneMinutes: 0 });
  assert.deepEqual(parseFromLine(written), { seconds: -1, zoneMinutes: 0 });
});

Deno.test("files of other programs: CRLF, fields anywhere, no empty line, folder data", async () => {
  const separator = "From a@b.c Sun Nov  6 08:49:37 1994";
  assert.deepEqual(
    (await readText(
      `${separator}\nX-IMAP: 1 2\nSubject: DON'T DELETE THIS MESSAGE\n\ndata\n\n` +
        `${separator}\nSubject: a\nStatus: RO\nX-Keywords: one\n two\nX-Status: AF\n\nFrom here\n\n` +
        `${separator}\nSubject: b\n\nno empty line behind\n${separator}\nSubject: c\n\nlast\n`,
    )).map(({ text, status }) => [text, status]),
    [
      ["Subject: a\r\n\r\nFrom here\r\n", "status=RO x-keywords=one two x-status=AF"],
      ["Subject: b\r\n\r\nno empty line behind\r\n", ""],
      ["Subject: c\r\n\r\nlast\r\n", ""],
    ],
  );
  const crlf = `${separator}\r\nA: b\r\nStatus: R\r\n\r\nx\r\n>From y\r\n\r\n`.repeat(2);
  for (const step of [1, 2, 7, 1000]) {
    assert.deepEqual(
      (await readText(crlf, step)).map(({ text, status }) => [text, status]),
      Array(2).fill(["A: b\r\n\r\nx\r\nFrom y\r\n", "status=R"]),
    );
  }
  await assert.rejects(readText("Subject: no mbox\n\n"), TypeError);
  assert.deepEqual(await readText(""), []);
});

Deno.test("a line of 10 MB costs no more than the pieces it comes in", async () => {
  const line = "x".repeat(10_000_000);
  const [found] = await readText(
    `From a@b.c Sun Nov  6 08:49:37 1994\n${line}\n\n${line}\nend\n\n`,
    100_000,
  );
  assert.equal(found?.text.length, 2 * line.length + "\r\n\r\n\r\nend\r\n".length);
});
