import assert from "node:assert/strict";
import {
  MAX_ADDRESSES,
  MAX_BOUNDARY_LENGTH,
  MAX_DEPTH,
  MAX_HEADER_BYTES,
  MAX_PARAMETERS,
  MAX_PARTS,
  MAX_PENDING_LINE,
  MAX_TOTAL_HEADER_BYTES,
  MessageParser,
  type MimePart,
  parseMessage,
} from "../../src/message/mod.ts";
import { crlf, parse, raw, section, text } from "./raw.ts";
import { readBody, readEnvelope } from "./wire_grammar.ts";

/** "type(child, child)" for a tree of parts. */
function shape(part: MimePart): string {
  const inner = part.message === undefined ? part.children : [part.message];
  return part.mediaType + (inner.length > 0 ? `(${inner.map(shape).join(", ")})` : "");
}

function checkWire(bytes: Uint8Array): void {
  const message = parseMessage(bytes);
  readEnvelope(message.envelope);
  readBody(message.body, false);
  readBody(message.bodyStructure, true);
}

Deno.test("an empty message is plain text of no octets", () => {
  const message = parseMessage(raw(""));
  assert.equal(message.size, 0);
  assert.equal(message.headerSize, 0);
  assert.equal(
    text(message.bodyStructure),
    '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)',
  );
  assert.equal(text(message.envelope), "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
  assert.equal(section(raw(""), "1"), "");
  assert.equal(section(raw(""), "HEADER"), "");
});

Deno.test("a message without header is all body", () => {
  for (const body of ["Hello, world\r\n\r\nbye\r\n", " indented: x\r\n", "\r\nText: y\r\n"]) {
    const message = parseMessage(raw(body));
    assert.equal(message.headerText, "");
    assert.equal(section(raw(body), "HEADER"), body.startsWith("\r\n") ? "\r\n" : "");
    assert.equal(message.bodyText, body.replace(/^\r\n/, ""));
  }
});

Deno.test("lines that are no field do not end a header that has begun", () => {
  const message = parse("From joe Mon Jan 1", "Subject: x", "junk", "To: a@b", "", "body");
  assert.equal(message.headerText, "Subject: x\nTo: a@b\n");
  assert.equal(message.bodyText, "body\r\n");
});

Deno.test("bare LF and CR do not confuse the parts", () => {
  const message =
    "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\r\n--b\r\n\r\ntwo\n--b--\n";
  assert.equal(section(raw(message), "1"), "one");
  assert.equal(section(raw(message), "2"), "two");
  const bare = parseMessage(raw("Subject: x\rTo: y\r\r--b\r"));
  assert.equal(bare.headerSize, bare.size);
});

Deno.test("without final boundary the last part reaches to the end", () => {
  const message = crlf(
    "Content-Type: multipart/mixed; boundary=b",
    "",
    "--b",
    "",
    "one",
    "--b",
    "",
    "two",
  );
  assert.equal(section(message, "1"), "one");
  assert.equal(section(message, "2"), "two\r\n");
});

Deno.test("a final boundary needs no line end", () => {
  const message = raw("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b--");
  assert.equal(section(message, "1"), "one");
  assert.equal(section(message, "2"), undefined);
});

Deno.test("the boundary of an outer part ends the inner ones", () => {
  const message = crlf(
    "Content-Type: multipart/mixed; boundary=outer",
    "",
    "--outer",
    "Content-Type: multipart/alternative; boundary=inner",
    "",
    "--inner",
    "Content-Type: message/rfc822",
    "",
    "Subject: cut",
    "",
    "one",
    "--outer",
    "",
    "two",
    "--inner",
    "no part",
    "--outer--",
    "epilogue",
    "--outer",
    "neither",
  );
  assert.equal(
    shape(parseMessage(message).root),
    "multipart/mixed(multipart/alternative(message/rfc822(text/plain)), text/plain)",
  );
  assert.equal(section(message, "1.1.TEXT"), "one");
  assert.equal(section(message, "2"), "two\r\n--inner\r\nno part");
});

Deno.test("a part that is cut off inside its header keeps inside its parent", () => {
  const message = crlf(
    "Content-Type: multipart/mixed; boundary=b",
    "",
    "--b",
    "Content-Type: message/rfc822",
    "",
    "Subject: all header",
    "",
    "--b",
    "Content-Type: text/html",
    "--b",
    "--b--",
  );
  // The empty line's end belongs to the boundary (RFC 2046 5.1.1).
  assert.equal(section(message, "1"), "Subject: all header\r\n");
  assert.equal(section(message, "1.HEADER"), "Subject: all header\r\n");
  assert.equal(section(message, "1.TEXT"), "");
  assert.equal(section(message, "2.MIME"), "Content-Type: text/html\r\n");
  assert.equal(section(message, "2"), "");
  assert.equal(section(message, "3"), "");
  assert.equal(section(message, "4"), undefined);
  checkWire(message);
});

Deno.test("a multipart with its parent's boundary takes the delimiters first", () => {
  const message = crlf(
    "Content-Type: multipart/mixed; boundary=b",
    "",
    "--b",
    "Content-Type: multipart/mixed; boundary=b",
    "",
    "--b",
    "",
    "in",
    "--b--",
    "--b",
    "",
    "out",
    "--b--",
  );
  assert.equal(section(message, "1.1"), "in");
  assert.equal(section(message, "2"), "out");
});

Deno.test("a boundary line may have white space after it, and the longest boundary wins", () => {
  const message = crlf(
    'Content-Type: multipart/mixed; boundary="b"',
    "",
    "--b \t",
    'Content-Type: multipart/mixed; boundary="b-1"',
    "",
    "--b-1",
    "",
    "one",
    "--b-1-- ",
    "--b--\t",
  );
  assert.equal(shape(parseMessage(message).root), "multipart/mixed(multipart/mixed(text/plain))");
  assert.equal(section(message, "1.1"), "one");
});

Deno.test("a line that only begins with a boundary delimits too", () => {
  // RFC 2046 5.1.1.
  const message = crlf(
    "Content-Type: multipart/mixed; boundary=b-1",
    "",
    "--b-1",
    "Content-Type: multipart/mixed; boundary=b",
    "",
    "--b junk",
    "",
    "one",
    "--b-1 junk",
    "",
    "two",
    "--b-1--junk",
    "epilogue",
  );
  assert.equal(section(message, "1.1"), "one");
  assert.equal(section(message, "2"), "two");
});

Deno.test("a boundary may be continued or in extended notation", () => {
  for (const boundary of ['boundary*0="a"; boundary*1=b', "boundary*=us-ascii''a%62"]) {
    const { root } = parse(`Content-Type: multipart/mixed; ${boundary}`, "", "--ab", "", "x");
    assert.equal(root.children[0]?.size, 3, boundary);
  }
});

Deno.test("a part without header line is text from its first line on", () => {
  const message = crlf(
    "Content-Type: multipart/mixed; boundary=b",
    "",
    "--b",
    "text at once",
    "--b--",
  );
  assert.equal(section(message, "1"), "text at once");
  assert.equal(section(message, "1.MIME"), "");
});

function nested(depth: number): Uint8Array {
  let message = "Content-Type: text/plain\r\n\r\ndeepest\r\n";
  for (let level = depth; level > 0; level--) {
    message = `Content-Type: multipart/mixed; boundary=b${level}x\r\n\r\n` +
      `--b${level}x\r\n${message}\r\n--b${level}x--\r\n`;
  }
  return raw(message);
}

Deno.test("parts nest as deep as the limit, and one deeper is an opaque leaf", () => {
  const deepest = (bytes: Uint8Array) => {
    let part = parseMessage(bytes).root;
    let depth = 0;
    for (; part.children[0] !== undefined; depth++) part = part.children[0];
    return [depth, part.mediaType];
  };
  assert.deepEqual(deepest(nested(MAX_DEPTH)), [MAX_DEPTH, "text/plain"]);
  assert.deepEqual(deepest(nested(MAX_DEPTH + 1)), [MAX_DEPTH, "application/octet-stream"]);
  checkWire(nested(MAX_DEPTH));
  checkWire(nested(5_000));
  const messages = raw("Content-Type: message/rfc822\r\n\r\n".repeat(5_000));
  checkWire(messages);
  assert.match(shape(parseMessage(messages).root), /^(message\/rfc822\(){100}application\/octet/);
});

Deno.test("a message has at most the limit of parts, and the last holds the rest", () => {
  const count = (parts: number) => {
    const message = "Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
      "--b\r\n\r\nx\r\n".repeat(parts) + "--b--\r\nend";
    checkWire(raw(message));
    const { children } = parseMessage(raw(message)).root;
    return [children.length, children.at(-1)?.size];
  };
  assert.deepEqual(count(MAX_PARTS - 1), [MAX_PARTS - 1, 1]);
  assert.deepEqual(count(MAX_PARTS), [MAX_PARTS - 1, "x\r\n--b\r\n\r\nx".length]);
});

Deno.test("a header is looked at up to the limit and stored whole", () => {
  const fill = (length: number) => `X: ${"y".repeat(length - "X: \r\n".length)}\r\n`;
  const fits = `${fill(MAX_HEADER_BYTES - 100)}Subject: z\r\n${fill(88)}`;
  assert.equal(fits.length, MAX_HEADER_BYTES);
  assert.match(parseMessage(raw(`${fits}To: late\r\n\r\n`)).headerText, /Subject: z\nX: y{83}\n$/);
  const message = parseMessage(raw(`${fill(MAX_HEADER_BYTES)}Subject: z\r\n\r\nbody`));
  assert.equal(message.baseSubject, "");
  assert.equal(message.headerSize, MAX_HEADER_BYTES + "Subject: z\r\n\r\n".length);
  assert.equal(message.bodyText, "body");
});

Deno.test("the headers of many parts do not add up beyond the limit", () => {
  const part = (name: string) =>
    `--b\r\nContent-ID: ${name}\r\nX: ${"y".repeat(MAX_HEADER_BYTES - 100)}\r\n\r\n\r\n`;
  const { root } = parseMessage(raw(
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n${
      Array.from({ length: 6 }, (_, i) => part(`${i}`)).join("")
    }`,
  ));
  assert.equal(MAX_TOTAL_HEADER_BYTES, 4 * MAX_HEADER_BYTES);
  assert.deepEqual(root.children.map((child) => child.contentId), [
    "0",
    "1",
    "2",
    "3",
    "4",
    undefined,
  ]);
});

Deno.test("envelopes of a message hold at most the limit of addresses", () => {
  const envelope = (count: number) =>
    parseMessage(raw(`To: ${"a,".repeat(count)}\r\n\r\n`)).envelope;
  assert.equal(envelope(MAX_ADDRESSES + 1).length, envelope(MAX_ADDRESSES).length);
  assert.ok(envelope(MAX_ADDRESSES).length > envelope(MAX_ADDRESSES - 1).length);
});

Deno.test("boundaries and parameters are bounded", () => {
  const withBoundary = (length: number) => {
    const boundary = "b".repeat(length);
    return parse(
      `Content-Type: multipart/mixed; boundary=${boundary}`,
      "",
      `--${boundary}`,
      "",
      "x",
    )
      .root.mediaType;
  };
  assert.equal(withBoundary(MAX_BOUNDARY_LENGTH), "multipart/mixed");
  assert.equal(withBoundary(MAX_BOUNDARY_LENGTH + 1), "text/plain");
  const parameters = (count: number) =>
    parse(`Content-Type: a/b; ${Array.from({ length: count }, (_, i) => `p${i}=x`).join("; ")}`, "")
      .root.parameters.length;
  assert.equal(parameters(MAX_PARAMETERS), MAX_PARAMETERS);
  assert.equal(parameters(MAX_PARAMETERS + 1), MAX_PARAMETERS);
});

Deno.test("a line that is too long to be a delimiter is content", () => {
  const parts = (length: number) => {
    const line = `--b${" ".repeat(length - 5)}\r\n`;
    assert.equal(line.length, length);
    return parseMessage(
      raw(`Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n${line}\r\ny`),
    ).root.children.length;
  };
  assert.equal(parts(MAX_PENDING_LINE - 1), 2);
  assert.equal(parts(MAX_PENDING_LINE), 1);
});

Deno.test("memory does not grow with the message, and offsets are exact beyond 32 bits", () => {
  const parser = new MessageParser();
  parser.write(
    crlf("Content-Type: multipart/mixed; boundary=b", "", "--b", "Content-Type: a/b", ""),
  );
  const piece = new Uint8Array(64 * 1024 * 1024).fill(65);
  parser.write(piece);
  const before = Deno.memoryUsage().rss;
  for (let i = 1; i < 65; i++) parser.write(piece);
  assert.ok(Deno.memoryUsage().rss - before < 2 * piece.length);
  parser.write(crlf("", "--b", "Subject: x", "", "last"));
  const message = parser.end();
  const first = message.root.children[0];
  assert.equal(first?.size, 65 * piece.length);
  assert.ok((message.root.children[1]?.headerStart ?? 0) > 2 ** 32);
  readBody(message.body, false);
});

Deno.test("hostile messages take linear time", () => {
  const start = performance.now();
  const head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
  for (
    const piece of [
      "--\r\n",
      "--b\r\n",
      "--bb",
      "\n",
      "\r\n--b--",
      "a: b\n",
      ": ",
      " \n",
      "=?a?q?",
      "--b\r\nA: b\r\n",
    ]
  ) {
    const bulk = piece.repeat(Math.ceil(1_000_000 / piece.length));
    parseMessage(raw(head + bulk));
    parseMessage(raw(`Subject: ${bulk}`));
    parseMessage(raw(`Content-Type: ${bulk}`));
  }
  const deep = text(nested(MAX_DEPTH)).split("deepest")[0] ?? "";
  for (const line of ["--b\r\n", "--b1x\r\n", "=?a?q?b?= "]) {
    parseMessage(raw(deep + line.repeat(200_000)));
    parseMessage(raw(`Subject: ${line.repeat(100_000)}`));
  }
  assert.ok(performance.now() - start < 20_000);
});
