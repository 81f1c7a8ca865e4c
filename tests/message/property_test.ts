import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeLatin1, encodeLatin1 } from "../../src/base/mod.ts";
import {
  createTransferDecoder,
  decodeParts,
  decodeWords,
  encodeParts,
  MessageParser,
  type MimePart,
  parseAddresses,
  parseMessage,
  type PartTree,
} from "../../src/message/mod.ts";
import { section } from "./raw.ts";
import { readBody, readEnvelope } from "./wire_grammar.ts";

/** Bytes that look enough like mail to reach the odd corners. */
const fragment = fc.constantFrom(
  "\r\n",
  "\r\n",
  "\r\n\r\n",
  "\n",
  "\r",
  "\0",
  "--a",
  "--b",
  "--a--",
  "--b--",
  "-",
  "--",
  " ",
  "\t",
  "Content-Type: multipart/mixed; boundary=a\r\n",
  'Content-Type: multipart/digest; boundary="b"\r\n',
  "Content-Type: message/rfc822\r\n",
  "Content-Type: text/html; charset=utf-8\r\n",
  "Content-Type: text/plain; name*0*=utf-8''%e2; name*1*=%82%ac\r\n",
  "Content-Transfer-Encoding: base64\r\n",
  "Content-Transfer-Encoding: quoted-printable\r\n",
  'Content-Disposition: attachment; filename="x\\"\xff"\r\n',
  "Content-Language: a, b\r\n",
  "Date: 1 Jan 2024 10:00:00 +0000\r\n",
  'From: "\xe9" <a@b>, group: c@d;\r\n',
  "To: =?utf-8?q?=E2=82?= =?utf-8?b?rA==?= <@r:x@y> (c)\r\n",
  "Subject: Re: [x] =?bogus?q?y?=\r\n",
  "References: <a@b> <c@d>\r\n",
  "<p>x&amp;y</p>",
  "=3D=\r\n",
  "aGVsbG8=",
  "\xc3\xa9",
  "\xff",
);
/** A multipart of lines, most of them delimiters. */
const multipart = fc.array(
  fc.oneof(
    fc.constantFrom("--a", "--b", "--a--", "--b--", "", "", "text", "-", "--", "---"),
    fragment,
  ).chain((line) => fc.constantFrom(`${line}\r\n`, `${line}\n`)),
  { maxLength: 25 },
).map((lines) =>
  encodeLatin1(`Content-Type: multipart/mixed; boundary=a\r\n\r\n${lines.join("")}`)
);
const anyMessage = fc.oneof(
  multipart,
  fc.uint8Array({ maxLength: 200 }),
  fc.array(fragment, { maxLength: 40 }).map((pieces) => encodeLatin1(pieces.join(""))),
);

Deno.test("any bytes parse, into offsets that nest and wire forms that obey the grammar", () => {
  fc.assert(
    fc.property(anyMessage, (bytes) => {
      const message = parseMessage(bytes);
      assert.equal(message.size, bytes.length);
      assert.equal(message.root.headerStart, 0);
      assert.equal(message.root.bodyEnd, bytes.length);
      assert.equal(message.headerSize, message.root.bodyStart);
      checkPart(message.root, 0, bytes.length);
      readEnvelope(message.envelope);
      readBody(message.body, false);
      readBody(message.bodyStructure, true);
      for (const text of [message.headerText, message.bodyText, message.preview]) {
        assert.ok(!text.includes("\0") && text.isWellFormed());
      }
      assert.ok([...message.preview].length <= 256 && !/[\r\n]/.test(message.preview));
    }),
    { numRuns: 3000 },
  );
});

function checkPart(part: MimePart, start: number, end: number): void {
  assert.ok(start <= part.headerStart && part.headerStart <= part.bodyStart);
  assert.ok(part.bodyStart <= part.bodyEnd && part.bodyEnd <= end);
  assert.equal(part.size, part.bodyEnd - part.bodyStart);
  assert.ok(part.lines >= 0 && part.lines <= part.size);
  assert.equal(part.type === "multipart", part.children.length > 0);
  let at = part.bodyStart;
  for (const child of part.children) {
    checkPart(child, at, part.bodyEnd);
    at = child.bodyEnd;
  }
  if (part.message !== undefined) {
    assert.equal(part.message.headerStart, part.bodyStart);
    assert.equal(part.message.bodyEnd, part.bodyEnd);
    checkPart(part.message, part.bodyStart, part.bodyEnd);
  }
}

Deno.test("a message in pieces of any size parses like the whole", () => {
  fc.assert(
    fc.property(
      anyMessage,
      fc.array(fc.nat(12), { minLength: 1, maxLength: 20 }),
      (bytes, sizes) => {
        const parser = new MessageParser();
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = 1 + (sizes[i % sizes.length] ?? 0);
          parser.write(bytes.slice(at, at + size));
          at += size;
        }
        assert.deepEqual(parser.end(), parseMessage(bytes));
      },
    ),
    { numRuns: 3000 },
  );
});

Deno.test("a message split at any one place parses like the whole", () => {
  const messages = [
    "Subject: x\r\n folded\r\n\r\nbody\r\n",
    "no header\r\n\r\nat all",
    "Content-Type: multipart/mixed; boundary=a\r\n\r\n-\r\n--a\r\n\r\none\r\n--a\n\ntwo\n-\n--a--\r\n-",
    "Content-Type: multipart/digest; boundary=a\r\n\r\n--a\r\n\r\nA: b\r\n\r\nc\r\n--a\r\n\r\n\r\n--a--",
    "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=\r\n=A9 \r\n",
  ];
  for (const bytes of messages.map(encodeLatin1)) {
    const whole = parseMessage(bytes);
    for (let at = 0; at <= bytes.length; at++) {
      const parser = new MessageParser();
      parser.write(bytes.subarray(0, at));
      parser.write(bytes.subarray(at));
      assert.deepEqual(parser.end(), whole);
    }
    const parser = new MessageParser();
    for (const byte of bytes) parser.write(Uint8Array.of(byte));
    assert.deepEqual(parser.end(), whole);
  }
});

Deno.test("lines are the line ends in a text part or embedded message", () => {
  fc.assert(
    fc.property(anyMessage, (bytes) => {
      const text = decodeLatin1(bytes);
      const check = (part: MimePart) => {
        if (part.type === "text" || part.message !== undefined) {
          const body = text.slice(part.bodyStart, part.bodyEnd);
          assert.equal(part.lines, body.split("\n").length - 1);
        }
        part.children.forEach(check);
        if (part.message !== undefined) check(part.message);
      };
      check(parseMessage(bytes).root);
    }),
    { numRuns: 2000 },
  );
});

/** A message or part made by the generator: what it is made of, to compare sections with. */
interface Made {
  readonly header: string;
  readonly body: string;
  readonly parts: readonly Made[];
  readonly message?: Made;
}

let boundaries = 0;

const leaf: fc.Arbitrary<Made> = fc.record({
  name: fc.constantFrom("text/plain", "text/html", "application/x"),
  body: fc.string({
    unit: fc.constantFrom("a", "b", " ", "\r\n", "-", "\0", "\xff"),
    maxLength: 30,
  }),
}).map(({ name, body }) => ({ header: `Content-Type: ${name}\r\n\r\n`, body, parts: [] }));

const { part: madePart } = fc.letrec<{ part: Made }>((tie) => ({
  part: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.array(tie("part"), { minLength: 1, maxLength: 4 }).chain((parts) =>
      fc.record({ preamble: fc.boolean(), epilogue: fc.boolean() }).map((options): Made => {
        const boundary = `boundary${boundaries++}=_`;
        const content = parts.map((part) => `--${boundary}\r\n${part.header}${part.body}\r\n`).join(
          "",
        );
        return {
          header: `Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n`,
          body: `${options.preamble ? "preamble\r\n" : ""}${content}--${boundary}--${
            options.epilogue ? "\r\nepilogue" : ""
          }`,
          parts,
        };
      })
    ),
    tie("part").map((message): Made => ({
      header: "Content-Type: message/rfc822\r\n\r\n",
      body: `Subject: embedded\r\n${message.header}${message.body}`,
      parts: [],
      message: { ...message, header: `Subject: embedded\r\n${message.header}` },
    })),
  ),
}));

Deno.test("the sections of a message are the pieces it was made of", () => {
  fc.assert(
    fc.property(madePart, (made) => {
      const bytes = encodeLatin1(made.header + made.body);
      assert.equal(section(bytes, "HEADER"), made.header);
      assert.equal(section(bytes, "TEXT"), made.body);
      checkParts(bytes, made, []);
    }),
    { numRuns: 500 },
  );
});

/** Checks all sections below a message, whose own number is `path`. */
function checkParts(bytes: Uint8Array, message: Made, path: readonly number[]): void {
  const parts = message.parts.length > 0 ? message.parts : [message];
  parts.forEach((part, index) => checkSection(bytes, part, [...path, index + 1]));
  assert.equal(section(bytes, [...path, parts.length + 1].join(".")), undefined);
}

function checkSection(bytes: Uint8Array, part: Made, path: readonly number[]): void {
  const number = path.join(".");
  assert.equal(section(bytes, number), part.body);
  assert.equal(section(bytes, `${number}.MIME`), part.header);
  assert.equal(section(bytes, `${number}.HEADER`), part.message?.header);
  assert.equal(section(bytes, `${number}.TEXT`), part.message?.body);
  if (part.message !== undefined) checkParts(bytes, part.message, path);
  else if (part.parts.length > 0) {
    part.parts.forEach((child, index) => checkSection(bytes, child, [...path, index + 1]));
  } else assert.equal(section(bytes, `${number}.1`), undefined);
}

Deno.test("a part tree comes back from its stored form", () => {
  fc.assert(fc.property(anyMessage, (bytes) => {
    const { root } = parseMessage(bytes);
    assert.deepEqual(decodeParts(encodeParts(root)), bare(root));
  }));
  const far: PartTree = {
    headerStart: 2 ** 40,
    bodyStart: 2 ** 41,
    bodyEnd: 2 ** 53 - 1,
    mediaType: "x-odd/type",
    encoding: "x-odd",
    children: [],
    message: undefined,
  };
  assert.deepEqual(decodeParts(encodeParts(far)), far);
});

function bare(part: PartTree): PartTree {
  const { headerStart, bodyStart, bodyEnd, mediaType, encoding, children, message } = part;
  return {
    headerStart,
    bodyStart,
    bodyEnd,
    mediaType,
    encoding,
    children: children.map(bare),
    message: message && bare(message),
  };
}

Deno.test("bytes that are no part tree are refused", () => {
  assert.throws(() => decodeParts(new Uint8Array(0)), RangeError);
  assert.throws(() => decodeParts(Uint8Array.of(2)), RangeError);
  const whole = encodeParts(parseMessage(encodeLatin1("A: b\r\n\r\nc")).root);
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => decodeParts(whole.subarray(0, length)), RangeError);
  }
});

Deno.test("addresses, encoded-words and decoders take any text", () => {
  const anyText = fc.string({ unit: fc.constantFrom(...'<>@,;:"\\()[] =?qb_.a\xe9\t'.split("")) });
  fc.assert(
    fc.property(anyText, (text) => {
      let open = 0;
      for (const { mailbox, host } of parseAddresses(text, 1000)) {
        if (host === undefined) open += mailbox === undefined ? -1 : 1;
        assert.ok(open === 0 || open === 1);
      }
      assert.equal(open, 0);
      decodeWords(text);
      createTransferDecoder("quoted-printable")?.write(encodeLatin1(text));
    }),
    { numRuns: 2000 },
  );
});
