import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeLatin1, encodeUtf8 } from "../../src/base/mod.ts";
import {
  MAX_LIST_ITEMS,
  MAX_NESTING,
  MAX_SEQUENCE_RANGES,
  MAX_TAG_LENGTH,
  type NameMode,
  Reader,
  type SequenceSet,
  WireError,
} from "../../src/wire/mod.ts";
import { frameOf, octets } from "./framing.ts";

function reader(text: string, nameMode: NameMode = "utf7"): Reader {
  return new Reader(frameOf(text), nameMode);
}

/** What `read` gives for `text`, which it must take whole; "!n" when it fails at octet n. */
function outcome<T>(text: string, read: (reader: Reader) => T): T | string {
  const r = reader(text);
  try {
    const value = read(r);
    r.end();
    return value;
  } catch (error) {
    assert.ok(error instanceof WireError, String(error));
    return `!${/at octet (\d+)$/.exec(error.message)?.[1]}`;
  }
}

/** Checks outcomes: text to value, or to "!n". */
function check<T>(read: (reader: Reader) => T, cases: Record<string, T | string>): void {
  for (const [text, expected] of Object.entries(cases)) {
    assert.deepEqual(outcome(text, read), expected, JSON.stringify(text));
  }
}

/** All octets that are taken as a text of one octet by `read`. */
function alphabet(read: (reader: Reader) => unknown): string {
  let all = "";
  for (let octet = 0; octet <= 0xff; octet++) {
    const char = String.fromCharCode(octet);
    if (outcome(char, read) === char) all += char;
  }
  return all;
}

/** Printable ASCII without `except`. */
const printable = (except: string) =>
  Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i))
    .filter((char) => !except.includes(char)).join("");

Deno.test("atoms, tags, flags and the like hold the octets of RFC 9051 9 and no others", () => {
  // ATOM-CHAR: not atom-specials = "(" ")" "{" SP CTL list-wildcards quoted-specials resp-specials.
  assert.equal(alphabet((r) => r.atom()), printable('(){%*"\\]'));
  assert.equal(alphabet((r) => r.astring()), printable('(){%*"\\'));
  assert.equal(alphabet((r) => decodeLatin1(r.astringBytes())), printable('(){%*"\\'));
  assert.equal(alphabet((r) => r.tag()), printable('(){%*"\\+'));
  assert.equal(alphabet((r) => r.flag()), printable('(){%*"\\]'));
  assert.equal(alphabet((r) => r.listMailbox()), printable('(){"\\&'));
  // DEL and the controls 0x1a to 0x1f in particular.
  for (const octet of [0x00, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x7f, 0x80, 0xff]) {
    assert.equal(outcome(`a${String.fromCharCode(octet)}`, (r) => r.atom()), "!2");
  }
});

Deno.test("a tag is as long as the limit and not longer", () => {
  const longest = "t".repeat(MAX_TAG_LENGTH);
  check((r) => r.tag(), { "a1": "a1", "": "!1", " a": "!1", "+": "!1", "a b": "!2" });
  check((r) => r.tag(), { [longest]: longest, [`${longest}t`]: "!1" });
});

Deno.test("words are in capitals; tryExactWord takes the whole word or nothing", () => {
  check((r) => r.word(), {
    "bOdY.pEEk": "BODY.PEEK",
    "UTF8=accept": "UTF8=ACCEPT",
    "a-b_9": "A-B_9",
    "(": "!1",
    "": "!1",
  });
  check((r) => [r.tryExactWord("USE"), r.tryWord()], { "use": [true, undefined] });
  check((r) => [r.tryExactWord("USE"), r.tryWord()], { "used": [false, "USED"] });
  check((r) => [r.tryExactWord("USED"), r.tryWord()], { "use": [false, "USE"] });
});

Deno.test("numbers go to 2^32 - 1 and 2^63 - 1, whatever zeros stand in front", () => {
  check((r) => r.number(), {
    "0": 0,
    "007": 7,
    "4294967295": 4294967295,
    "4294967296": "!1",
    "99999999999999999999": "!1",
    "": "!1",
    "-1": "!1",
    "1x": "!2",
    "0x1": "!2",
  });
  check((r) => r.nonZeroNumber(), { "1": 1, "0": "!1", "00": "!1", "4294967296": "!1" });
  check((r) => r.number64(), {
    "0": 0,
    "9007199254740991": Number.MAX_SAFE_INTEGER,
    "9007199254740993": Number.MAX_SAFE_INTEGER,
    "9223372036854775807": Number.MAX_SAFE_INTEGER,
    "9223372036854775808": "!1",
    "18446744073709551616": "!1",
    "111111111111111111111": "!1",
  });
});

Deno.test("quoted strings escape backslash and quote, and nothing else", () => {
  check((r) => r.string(), {
    '""': "",
    '"a b"': "a b",
    '"a\\\\b"': "a\\b",
    '"\\""': '"',
    '"\\\\"': "\\",
    '"\\\\\\""': '\\"',
    '"{3}"': "{3}",
    '"\t\x01\x7f"': "\t\x01\x7f",
    [`"${octets("é€𝄞")}"`]: "é€𝄞",
    '"a': "!1",
    '"\\': "!1",
    '"\\"': "!1",
    '"a\\b"': "!1",
    '"\0"': "!1",
    '"\r"': "!1",
    "a": "!1",
    "": "!1",
    '"\xff"': "!1",
    [`"${octets("x")}\xed\xa0\x80"`]: "!1",
    '"a"b': "!4",
  });
  check((r) => decodeLatin1(r.stringBytes()), { '"\xff\\\\\x80"': "\xff\\\x80" });
});

Deno.test("astring is an atom with ] or a string; nstring is a string or NIL in any case", () => {
  check((r) => r.astring(), {
    "a]b": "a]b",
    "NIL": "NIL",
    '"a b"': "a b",
    '""': "",
    "+": "+",
    "": "!1",
    "a(": "!2",
    "a%": "!2",
  });
  check((r) => r.nstring() ?? "(nil)", {
    "NIL": "(nil)",
    "nil": "(nil)",
    '"NIL"': "NIL",
    "NILL": "!1",
    "atom": "!1",
  });
});

Deno.test("literals are strings too; NUL and bad UTF-8 in them are refused where text is meant", () => {
  const read = <T>(bytes: Uint8Array, take: (r: Reader) => T): T | string => {
    const r = new Reader(frameOf("ab ", bytes, " c"), "utf7");
    assert.equal(r.atom(), "ab");
    r.space();
    assert.equal(r.peek(), "{");
    assert.ok(!r.atEnd);
    try {
      const value = take(r);
      r.space();
      assert.equal(r.atom(), "c");
      assert.ok(r.atEnd);
      return value;
    } catch (error) {
      assert.ok(error instanceof WireError);
      return error.message;
    }
  };
  const e = encodeUtf8('é\r\n"{1}');
  for (const take of [(r: Reader) => r.string(), (r: Reader) => r.astring()]) {
    assert.equal(read(e, take), 'é\r\n"{1}');
    assert.equal(read(new Uint8Array(0), take), "");
    assert.match(String(read(Uint8Array.of(0x61, 0), take)), /no NUL/);
    assert.equal(read(Uint8Array.of(0xff), take), "Expected text in UTF-8 at octet 4");
  }
  assert.equal(read(Uint8Array.of(0xff), (r) => decodeLatin1(r.stringBytes())), "\xff");
  assert.equal(read(e, (r) => r.nstring()), 'é\r\n"{1}');
  assert.equal(read(Uint8Array.of(0), (r) => r.tryLiteral()?.bytes.length), 1);
  assert.equal(read(e, (r) => r.atom()), "Expected an atom at octet 4");
  assert.equal(read(e, (r) => r.space()), "Expected a space at octet 4");
});

Deno.test("positions count the text of a command, its literals left out", () => {
  const r = new Reader(frameOf("ab ", encodeUtf8("literal"), " !", encodeUtf8("x"), "y"), "utf7");
  r.atom();
  r.space();
  r.string();
  r.space();
  assert.throws(() => r.number(), { message: "Expected a number at octet 5" });
  r.char("!");
  r.string();
  assert.throws(() => r.space(), { message: "Expected a space at octet 6" });
  assert.throws(() => r.end(), { message: "Expected the end of the command at octet 6" });
});

Deno.test("an attempt that gives undefined takes nothing, over literals too", () => {
  const r = new Reader(frameOf("a ", encodeUtf8("x"), " b"), "utf7");
  const whole = () => `${r.atom()}${r.trySpace()}${r.string()}${r.trySpace()}${r.atom()}`;
  assert.equal(r.attempt(() => void whole()), undefined);
  assert.equal(r.attempt(whole), "atruextrueb");
  assert.ok(r.atEnd);
});

Deno.test("mailbox names are modified UTF-7, or UTF-8 once that is enabled", () => {
  assert.equal(reader("a&AOk-b").mailbox(), "aéb");
  assert.equal(reader('"&-"').mailbox(), "&");
  assert.throws(() => reader(`"${octets("é")}"`).mailbox(), WireError);
  assert.throws(() => reader("a&b").mailbox(), WireError);
  assert.equal(reader(`"${octets("é&")}"`, "utf8").mailbox(), "é&");
  assert.equal(reader("&AOk-", "utf8").mailbox(), "&AOk-");
  assert.equal(reader("%]*").listMailbox(), "%]*");
  assert.equal(reader('"%/&AOk-*"').listMailbox(), "%/é*");
  assert.equal(reader('""').listMailbox(), "");
  assert.throws(() => reader("").listMailbox(), WireError);
});

Deno.test("sequence sets are read as they are written, and bounded", () => {
  const one = (n: number | "*") => ({ first: n, last: n });
  check<SequenceSet>((r) => r.sequenceSet(), {
    "$": "$",
    "1": [one(1)],
    "*": [one("*")],
    "*:4": [{ first: "*", last: 4 }],
    "4:*": [{ first: 4, last: "*" }],
    "*:*": [one("*")],
    "7:3,4294967295": [{ first: 7, last: 3 }, one(4294967295)],
    "": "!1",
    "0": "!1",
    "01": "!1",
    "1,0": "!1",
    "4294967296": "!1",
    "1:": "!1",
    ":1": "!1",
    "1,": "!1",
    ",1": "!1",
    "1,,2": "!1",
    "1:2:3": "!1",
    "**": "!1",
    "1-2": "!2",
    "$,1": "!2",
    "1,$": "!1",
  });
  const many = (count: number) => Array(count).fill("1").join(",");
  assert.equal(reader(many(MAX_SEQUENCE_RANGES)).sequenceSet().length, MAX_SEQUENCE_RANGES);
  assert.throws(() => reader(many(MAX_SEQUENCE_RANGES + 1)).sequenceSet(), WireError);
});

Deno.test("flags have one backslash at most", () => {
  check((r) => r.flag(), {
    "\\Seen": "\\Seen",
    "$Junk": "$Junk",
    "\\": "!1",
    "\\*": "!1",
    "\\\\Seen": "!1",
    '"x"': "!1",
  });
});

Deno.test("dates and times stand in quotes, dates also without", () => {
  check((r) => r.date(), {
    "1-Feb-1970": 31,
    '"01-feb-1970"': 31,
    "29-Feb-2023": "!1",
    '"1-Feb-1970': "!1",
    '1-Feb-1970"': "!11",
    "1-Feb-70": "!1",
    "": "!1",
  });
  check((r) => r.dateTime(), {
    '" 1-Jan-1970 00:00:01 +0000"': { seconds: 1, zoneMinutes: 0 },
    '"1-Jan-1970 00:00:01 +0000"': "!1",
    '"31-Feb-1970 00:00:01 +0000"': "!1",
    '""': "!1",
    " 1-Jan-1970 00:00:01 +0000": "!1",
  });
  check((r) => [r.tryDateTime(), r.atom()], { "atom": [undefined, "atom"] });
});

Deno.test("lists have items between single spaces, as many as the limit", () => {
  const list = (minimum?: number) => (r: Reader) => r.list(() => r.atom(), minimum).join();
  check(list(), {
    "(a b)": "a,b",
    "(a)": "a",
    "()": "!2",
    "(a  b)": "!4",
    "( a)": "!2",
    "(a )": "!4",
    "(a": "!3",
    "a": "!1",
    "(a b)c": "!6",
  });
  check(list(0), { "()": "", "(a)": "a", "( )": "!2" });
});

Deno.test("lists are as long and as deep as the limits and not more", () => {
  const many = (count: number) => `(${Array(count).fill("a").join(" ")})`;
  const read = (count: number) => {
    const r = reader(many(count));
    return r.list(() => r.atom()).length;
  };
  assert.equal(read(MAX_LIST_ITEMS), MAX_LIST_ITEMS);
  assert.throws(() => read(MAX_LIST_ITEMS + 1), WireError);
  const depth = (count: number) => {
    const r = reader(`${"(".repeat(count)}a${")".repeat(count)}`);
    const item = (): unknown => r.peek() === "(" ? r.list(item) : r.atom();
    item();
    r.end();
  };
  depth(MAX_NESTING);
  assert.throws(() => depth(MAX_NESTING + 1), WireError);
  // Depth is left again: many lists side by side are not deep.
  const r = reader(Array(MAX_NESTING * 2).fill("(a)").join(" "));
  do r.list(() => r.atom()); while (r.trySpace());
  r.end();
});

Deno.test("until stops before what it is told to and at the end", () => {
  const r = reader("ab]c");
  assert.equal(r.until("]"), "ab");
  r.char("]");
  assert.equal(r.until("]"), "c");
  assert.equal(r.until("]"), "");
  assert.equal(r.peek(), "");
});

/** Every way to read, for random input. */
const METHODS: readonly ((r: Reader) => unknown)[] = [
  (r) => r.tag(),
  (r) => r.atom(),
  (r) => r.word(),
  (r) => r.number(),
  (r) => r.nonZeroNumber(),
  (r) => r.number64(),
  (r) => r.stringBytes(),
  (r) => r.string(),
  (r) => r.astringBytes(),
  (r) => r.astring(),
  (r) => r.nstring(),
  (r) => r.tryLiteral(),
  (r) => r.mailbox(),
  (r) => r.listMailbox(),
  (r) => r.sequenceSet(),
  (r) => r.flag(),
  (r) => r.dateTime(),
  (r) => r.date(),
  (r) => r.list(() => r.astring(), 0),
  (r) => r.until(" ]"),
  (r) => r.space(),
  (r) => r.char("("),
  (r) => r.end(),
];

Deno.test("whatever is read, nothing but WireError is thrown", () => {
  const token = fc.constantFrom(
    ...'( ) " \\ * % $ & - \r \0 NIL a 1 0 4294967296 9223372036854775808 1:* \\Seen'.split(" "),
    ..."a&AOk- &AOk 1-Feb-2026".split(" "),
    " ",
    '" 7-Feb-1994 21:52:25 -0800"',
    '"a\\\\b"',
  );
  const noise = fc.uint8Array({ maxLength: 8 }).map(decodeLatin1);
  const part = fc.array(fc.oneof(token, noise), { maxLength: 8 }).map((all) => all.join(""));
  const literals = fc.uint8Array({ maxLength: 8 });
  fc.assert(
    fc.property(
      part,
      fc.array(fc.tuple(literals, part), { maxLength: 3 }),
      fc.array(fc.constantFrom(...METHODS), { maxLength: 10 }),
      fc.constantFrom<NameMode>("utf7", "utf8"),
      (first, more, methods, mode) => {
        const r = new Reader(frameOf(first, ...more.flat()), mode);
        for (const method of methods) {
          try {
            method(r);
          } catch (error) {
            if (!(error instanceof WireError)) throw error;
          }
        }
      },
    ),
    { numRuns: 2000 },
  );
});
