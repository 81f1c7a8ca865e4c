import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeLatin1 } from "../../src/base/mod.ts";
import { Framer, MAX_LINE_BYTES, MAX_TAG_LENGTH } from "../../src/wire/mod.ts";
import { Feeder, framesOf, type PlainFrame, type Verdict } from "./framing.ts";

/** The text of a command without literals. */
const text = (frame: PlainFrame | undefined) => frame?.parts[0];

/** Lines and literals that lie near what the framer looks for. */
const piece = fc.oneof(
  fc.constantFrom(
    "a NOOP",
    "\r\n",
    "\n",
    "\r",
    "\r\r\n",
    "{3}\r\nabc",
    "{3+}\r\n\r\n{",
    "~{2+}\r\n\0\0",
    "{0}\r\n",
    "{1}\n\n",
    "{2}",
    "{2-}\r\n",
    "{99999999999999999}\r\n",
    "{9007199254740992}\r\n",
    "{+}\r\n",
    "~",
    "{",
    "}",
    '"{1}"',
    "\xff\0\x80",
  ),
  fc.string({ unit: "binary", maxLength: 5 }).map((s) => s.replace(/[^\0-\xff]/gu, "?")),
);
const input = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(""));
const verdicts = fc.array(fc.constantFrom<Verdict>("hold", "stream", "skip", "abandon"), {
  minLength: 1,
  maxLength: 5,
});

/** Takes the verdicts in turn. */
function inTurn(list: readonly Verdict[]): () => Verdict {
  let i = 0;
  return () => list[i++ % list.length]!;
}

Deno.test("bytes in any pieces give the commands that they give in one piece", () => {
  fc.assert(
    fc.property(input, verdicts, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (
      bytes,
      list,
      lengths,
    ) => {
      const whole = framesOf(bytes, inTurn(list));
      assert.deepEqual(new Feeder(inTurn(list)).feed(bytes, () => 1).frames, whole);
      let i = 0;
      const cut = () => lengths[i++ % lengths.length]!;
      assert.deepEqual(new Feeder(inTurn(list)).feed(bytes, cut).frames, whole);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("a line ends with CRLF or LF; a CR elsewhere belongs to the line", () => {
  const lines = framesOf("a\r\nb\nc\r\r\nd\re\r\n\r\n\n").map(text);
  assert.deepEqual(lines, ["a", "b", "c\r", "d\re", "", ""]);
});

Deno.test("literals of every kind stand in their place, whatever is in them", () => {
  const [frame, ...rest] = framesOf(
    "a X {4}\r\n\r\n{9 {3+}\r\n}\r\n ~{2}\n\0\xff~{0+}\r\n end\r\nb\r\n",
  );
  assert.deepEqual(frame!.parts, [
    "a X ",
    ["{4}", "\r\n{9"],
    " ",
    ["{3+}", "}\r\n"],
    " ",
    ["~{2}", "\0\xff"],
    "",
    ["~{0+}", ""],
    " end",
  ]);
  assert.deepEqual(rest.map(text), ["b"]);
});

Deno.test("what only looks like a literal is text", () => {
  for (
    const line of [
      "a {}",
      "a {-1}",
      "a {1-}",
      "a {1++}",
      "a {1} ",
      "a {1}x",
      'a "{1}"',
      "a { 1}",
      "a {99999999999999999}",
      "a {9007199254740992}",
      "a {0x1}",
    ]
  ) {
    assert.deepEqual(framesOf(`${line}\r\nb\r\n`).map(text), [line, "b"]);
  }
  let size = 0;
  framesOf("a {9007199254740991}\r\n", (literal) => (size = literal.size, "abandon"));
  assert.equal(size, Number.MAX_SAFE_INTEGER);
});

Deno.test("a streamed literal is handed on in pieces, and its stand-in takes its place", () => {
  const framer = new Framer();
  framer.push(encodeLatin1("a X {5}\r\n"));
  assert.equal(framer.next()?.kind, "literal");
  framer.streamLiteral();
  assert.equal(framer.next(), undefined, "nothing comes while a literal is under way");
  assert.equal(framer.takeLiteralBytes(9)?.length, 0, "more must come");
  framer.push(encodeLatin1("abcde rest\r\n"));
  assert.equal(framer.takeLiteralBytes(3)?.length, 3);
  assert.equal(framer.takeLiteralBytes(9)?.length, 2);
  assert.equal(framer.takeLiteralBytes(9), undefined);
  framer.endStreamedLiteral("stand-in");
  const event = framer.next();
  assert.ok(event?.kind === "command");
  const literal = event.frame.parts[1];
  assert.ok(typeof literal === "object");
  assert.equal(literal.streamed, "stand-in");
  assert.equal(literal.bytes.length, 0);
  assert.equal(event.frame.parts[2], " rest");
});

Deno.test("a skipped literal is read over, and the command behind it is a command", () => {
  const frames = framesOf("a X {9+}\r\nb NOOP\r\n\n y\r\nc NOOP\r\n", () => "skip");
  assert.equal(frames.length, 2);
  assert.ok(frames[0]!.skipped);
  assert.equal(frames[0]!.parts[0], "a X ");
  assert.deepEqual(frames[1], { parts: ["c NOOP"], tooLong: false, skipped: false });
});

Deno.test("after a synchronizing literal was refused the next line is a command", () => {
  const frames = framesOf("a X {9}\r\nb NOOP\r\n", () => "abandon");
  assert.deepEqual(frames, [{ parts: ["b NOOP"], tooLong: false, skipped: false }]);
});

Deno.test("a line may be as long as the limit and not longer, in whatever pieces it comes", () => {
  const longest = `tag ${"x".repeat(MAX_LINE_BYTES - 4)}`;
  for (const end of ["\r\n", "\n"]) {
    for (const size of [Infinity, 1, 1000, MAX_LINE_BYTES, MAX_LINE_BYTES + 1]) {
      const [exact, next] = new Feeder().feed(`${longest}${end}b\r\n`, () => size).frames;
      assert.deepEqual(exact, { parts: [longest], tooLong: false, skipped: false });
      assert.equal(text(next), "b");
      const [over, then] = new Feeder().feed(`${longest}x${end}b\r\n`, () => size).frames;
      assert.ok(over!.tooLong);
      assert.equal(text(then), "b");
    }
  }
});

Deno.test("of a line that is too long the tag and the name are kept, and memory is bounded", () => {
  const tag = "t".repeat(MAX_TAG_LENGTH);
  for (const size of [1, 4096, Infinity]) {
    const feeder = new Feeder();
    feeder.feed(`${tag} AUTHENTICATE ${"x".repeat(300_000)}\r\nb NOOP\r\n`, () => size);
    const [frame, next] = feeder.frames;
    assert.ok(frame!.tooLong);
    assert.ok(String(text(frame)).startsWith(`${tag} AUTHENTICATE x`));
    assert.equal(text(next), "b NOOP");
    if (size !== Infinity) assert.ok(feeder.mostPending <= MAX_LINE_BYTES + size);
  }
});

Deno.test("the limit counts all lines of a command together", () => {
  const half = "x".repeat(MAX_LINE_BYTES / 2 - 3);
  const exact = framesOf(`${half}{0}\r\n${half}{0}\r\n\r\n`);
  assert.equal(exact[0]!.tooLong, false);
  const over = framesOf(`${half}{0}\r\n${half}{0}\r\n!\r\nb\r\n`);
  assert.equal(over[0]!.tooLong, true);
  assert.equal(over[0]!.parts[0], half);
  assert.equal(text(over[1]), "b");
});

Deno.test("the literal at the end of a line that is too long is still known for one", () => {
  const line = `a ${"x".repeat(MAX_LINE_BYTES)} ~{${"0".repeat(13)}100+}`;
  for (const size of [1, Infinity]) {
    const feeder = new Feeder(() => "skip");
    feeder.feed(`${line}\r\n${"b NOOP\r\n".repeat(12)}1234\r\nc NOOP\r\n`, () => size);
    assert.deepEqual(feeder.frames.map(({ tooLong }) => tooLong), [true, false]);
    assert.equal(text(feeder.frames[1]), "c NOOP");
  }
});

Deno.test("of a command that will be refused nothing more is kept, however much comes", () => {
  const refused = framesOf("a X {1+}\r\n!" + "{1+}\r\n!".repeat(10_000) + "\r\n", () => "skip");
  assert.equal(refused.length, 1);
  assert.equal(refused[0]!.parts.length, 1);
  const long = `a X ${"x".repeat(MAX_LINE_BYTES)}`;
  const tooLong = framesOf(`${long}{1+}\r\n!` + "{1+}\r\n!".repeat(10_000) + "\r\n");
  assert.equal(tooLong.length, 1);
  assert.equal(tooLong[0]!.parts.length, 1);
});

Deno.test("a line outside a command has a limit of its own", () => {
  const framer = new Framer();
  const push = (line: string) => framer.push(encodeLatin1(line));
  push("DO");
  assert.equal(framer.nextLine(4), undefined);
  push("NE\r");
  assert.equal(framer.nextLine(4), undefined);
  push("\n");
  assert.equal(framer.nextLine(4), "DONE");
  push("DONE!\r\nDONE\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
  assert.equal(framer.nextLine(4), "too-long");
  assert.equal(framer.nextLine(4), "DONE");
  assert.equal(framer.nextLine(4), undefined);
  push("\r\na NOOP\r\n");
  assert.equal(framer.nextLine(4), "too-long");
  const event = framer.next();
  assert.ok(event?.kind === "command" && !event.frame.tooLong);
});

Deno.test("takeRest gives what was not used, and the framer begins anew", () => {
  const framer = new Framer();
  assert.equal(framer.isInCommand, false);
  framer.push(encodeLatin1("a STARTTLS\r\nb LO"));
  framer.push(encodeLatin1("GIN"));
  assert.equal(framer.next()?.kind, "command");
  assert.equal(framer.isInCommand, true);
  assert.equal(new TextDecoder().decode(framer.takeRest()), "b LOGIN");
  assert.equal(framer.isInCommand, false);
  framer.push(encodeLatin1("c NOOP\r\n"));
  const event = framer.next();
  assert.ok(event?.kind === "command");
  assert.deepEqual(event.frame.parts, ["c NOOP"]);
});

Deno.test("octet by octet costs time in proportion, for lines and for literals", () => {
  const time = (bytes: Uint8Array): number => {
    const started = performance.now();
    new Feeder().feed(bytes, () => 1);
    return performance.now() - started;
  };
  const line = (length: number) => encodeLatin1(`${"x".repeat(length)}\r\n`);
  const literal = (length: number) => encodeLatin1(`a {${length}}\r\n${"x".repeat(length)}\r\n`);
  for (const make of [line, literal]) {
    time(make(8_000));
    const least = (length: number) => Math.min(...[1, 2, 3].map(() => time(make(length))));
    // Eight times the octets: 8 if linear, 64 if quadratic.
    assert.ok(least(64_000) < 30 * least(8_000) + 5, make.name);
  }
});
