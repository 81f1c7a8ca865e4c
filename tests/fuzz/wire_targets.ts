import assert from "node:assert/strict";
import { decodeLatin1, decodeUtf8, encodeUtf8 } from "../../src/base/mod.ts";
import { parseMailboxName, StoreError } from "../../src/store/mod.ts";
import {
  decodeModifiedUtf7,
  encodeModifiedUtf7,
  Framer,
  type NameMode,
  parseDate,
  parseDateTime,
  Reader,
  resolveSequenceSet,
  WireError,
  writeDateTime,
  Writer,
} from "../../src/wire/mod.ts";
import { MAX_LINE_BYTES } from "../../src/wire/limits.ts";
import { Feeder, frameOf, type Verdict, writeSequenceSet } from "../wire/framing.ts";
import { COMMAND_BYTES, COMMAND_TOKENS } from "./commands.ts";
import { tokensOf } from "./mutate.ts";
import { allows, type Target } from "./target.ts";

const isWireError = (error: unknown) => error instanceof WireError;

const framer: Target = {
  name: "framer",
  corpus: COMMAND_BYTES,
  tokens: [...COMMAND_TOKENS, ...tokensOf("{5+}\r\nabcde", "~{0}\r\n", "\n", "{65537}\r\n")],
  maxMs: 500,
  run(input, random) {
    const verdicts: Verdict[] = Array.from(
      { length: 1 + random.below(4) },
      () => random.pick(["hold", "stream", "skip", "abandon"]),
    );
    const inTurn = () => {
      let i = 0;
      return ({ size }: { size: number }) =>
        size > 1_000_000 ? "skip" as const : verdicts[i++ % verdicts.length]!;
    };
    const whole = new Feeder(inTurn()).feed(input).frames;
    const most = 1 + random.below(40);
    const pieces = new Feeder(inTurn()).feed(input, () => 1 + random.below(most));
    assert.deepEqual(pieces.frames, whole);
  },
};

const METHODS: readonly ((reader: Reader) => unknown)[] = [
  (r) => r.tag(),
  (r) => r.atom(),
  (r) => r.word(),
  (r) => r.number(),
  (r) => r.number64(),
  (r) => r.string(),
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
  (r) => r.trySpace(),
  (r) => r.tryChar("("),
];

const reader: Target = {
  name: "reader",
  corpus: COMMAND_BYTES,
  tokens: COMMAND_TOKENS,
  maxMs: 500,
  run(input, random) {
    const framer = new Framer();
    framer.push(input.slice());
    const mode: NameMode = random.pick(["utf7", "utf8"]);
    // Of thousands of empty lines, refusing each costs more than anything that is looked for.
    let left = 200;
    for (let event; left-- > 0 && (event = framer.next());) {
      if (event.kind === "literal") {
        if (event.literal.size > 1_000_000) framer.skipLiteral();
        else framer.holdLiteral();
        continue;
      }
      const r = new Reader(event.frame, mode);
      for (let i = 0; i < 40 && !r.atEnd; i++) {
        allows(isWireError, () => void random.pick(METHODS)(r));
      }
    }
  },
};

const utf7: Target = {
  name: "utf7",
  corpus: tokensOf("INBOX", "&AOk-", "~peter/mail/&U,BTFw-/&ZeVnLIqe-", "&2DTdHg-", "&-a&-"),
  tokens: tokensOf("&", "-", "&-", "&AOk-", "AA", ",", "/", "2DTdHg", "\xff", "="),
  maxMs: 500,
  run(input) {
    const text = decodeLatin1(input);
    allows(isWireError, () => {
      assert.equal(encodeModifiedUtf7(decodeModifiedUtf7(text)), text);
    });
    const name = decodeUtf8(input);
    assert.equal(decodeModifiedUtf7(encodeModifiedUtf7(name)), name);
    // Up to that the answer is taken as a command.
    if (name.length * 3 > MAX_LINE_BYTES / 2) return;
    const writer = new Writer();
    writer.nameMode = input.length % 2 === 0 ? "utf7" : "utf8";
    writer.string(name).raw(" ").mailbox(name).crlf();
    const feeder = new Framer();
    feeder.push(writer.take());
    for (let event; (event = feeder.next());) {
      if (event.kind === "literal") {
        feeder.holdLiteral();
        continue;
      }
      const r = new Reader(event.frame, writer.nameMode);
      const readable = name.replaceAll("\0", "\ufffd");
      assert.equal(r.string(), readable);
      r.space();
      assert.equal(r.mailbox(), writer.nameMode === "utf7" ? name : readable);
      r.end();
    }
  },
};

const mailboxNames: Target = {
  name: "mailbox-names",
  corpus: [
    encodeUtf8("Inbox/é/台北"),
    encodeUtf8("a/b/c"),
    encodeUtf8("#news"),
    encodeUtf8("e\u0301"),
  ],
  tokens: [encodeUtf8("/"), encodeUtf8(".."), encodeUtf8("\u0301"), encodeUtf8("\u2028")],
  maxMs: 500,
  run(input) {
    const isRefusal = (error: unknown) =>
      error instanceof StoreError && error.code === "invalid-name";
    allows(isRefusal, () => {
      const name = parseMailboxName(decodeUtf8(input));
      assert.equal(parseMailboxName(name), name);
      assert.doesNotMatch(name, /^\/|\/\/|\/$|[\0-\x1f]/);
    });
  },
};

const dates: Target = {
  name: "dates",
  corpus: tokensOf(" 7-Feb-1994 21:52:25 -0800", "31-Dec-2016 23:59:60 +0000", "1-Jan-0001"),
  tokens: tokensOf("-", ":", "+", " ", "00", "99", "Feb", "FEB", "2024", "29"),
  maxMs: 100,
  run(input) {
    const text = decodeLatin1(input);
    parseDate(text);
    const value = parseDateTime(text);
    if (value) assert.deepEqual(parseDateTime(writeDateTime(value).slice(1, -1)), value);
  },
};

const sequenceSets: Target = {
  name: "sequence-sets",
  corpus: tokensOf("1:*", "*:4,7", "1,2,3:5", "$", "4294967295:1"),
  tokens: tokensOf(",", ":", "*", "1", "4294967295", "4294967296", "0", "1:*,"),
  maxMs: 500,
  run(input, random) {
    const r = new Reader(frameOf(decodeLatin1(input)), "utf7");
    allows(isWireError, () => {
      const set = r.sequenceSet();
      if (set === "$") return;
      const largest = random.pick([0, 1, 9, 0xffff_ffff]);
      const numbers = resolveSequenceSet(set, largest);
      const again = new Reader(frameOf(writeSequenceSet(set)), "utf7").sequenceSet();
      assert.ok(again !== "$");
      assert.equal(resolveSequenceSet(again, largest).toString(), numbers.toString());
    });
  },
};

export const wireTargets: readonly Target[] = [
  framer,
  reader,
  utf7,
  mailboxNames,
  dates,
  sequenceSets,
];
