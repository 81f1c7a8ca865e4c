import assert from "node:assert/strict";
import type { AccountStore } from "../../src/store/mod.ts";
import { MailboxImport } from "../../src/transfer/mailbox_import.ts";
import { unpackZip } from "../../src/transfer/mod.ts";
import { writeZip } from "../../src/transfer/zip_writer.ts";
import { withFolder } from "../store/sqlite/account_fixture.ts";
import { type PlainEntry, plainZip } from "./plain_zip.ts";

const MIB = 1024 * 1024;

async function unpack(
  entries: readonly PlainEntry[],
  onProgress: () => void = () => {},
): Promise<void> {
  await withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/a.zip`, plainZip(entries));
    await Deno.mkdir(`${folder}/out`);
    await unpackZip(`${folder}/a.zip`, `${folder}/out`, 16 * MIB, onProgress);
  });
}

Deno.test("a large file of a zip is read 16 KiB at a time (ZIP_READ_BYTES)", async () => {
  // What cannot be deflated.
  const noise = new Uint8Array(2 * MIB);
  for (let at = 0; at < noise.length; at += 65_536) {
    crypto.getRandomValues(noise.subarray(at, at + 65_536));
  }
  const sizes: number[] = [];
  const { read } = Deno.FsFile.prototype;
  Deno.FsFile.prototype.read = function (buffer) {
    sizes.push(buffer.length);
    return read.call(this, buffer);
  };
  try {
    await unpack([{ name: "large", bytes: noise }]);
  } finally {
    Deno.FsFile.prototype.read = read;
  }
  // But for where the list of files is looked for.
  assert.equal(Math.max(...sizes.filter((size) => size !== 22 + 65_535)), 16_384);
  assert.ok(sizes.filter((size) => size === 16_384).length >= 128);
});

/** How often others have their turn meanwhile. */
async function countTurns(work: () => Promise<void>): Promise<number> {
  const { now } = performance;
  const { digest } = crypto.subtle;
  let turns = 0;
  // So `othersTurn` takes its shorter way, which can be seen.
  performance.now = () => 0;
  crypto.subtle.digest = function (...args) {
    turns++;
    return digest.apply(this, args);
  };
  try {
    await work();
  } finally {
    performance.now = now;
    crypto.subtle.digest = digest;
  }
  return turns;
}

Deno.test("after each 50 entries of a zip others have their turn (ZIP_TURN_ENTRIES)", async () => {
  const turns = (count: number) =>
    countTurns(() => unpack(Array.from({ length: count }, (_, i) => ({ name: `f${i}` }))));
  assert.deepEqual([await turns(49), await turns(50), await turns(99), await turns(100)], [
    ...[0, 1, 1, 2],
  ]);
});

Deno.test("a large file is deflated 32 KiB at a time (ZIP_TURN_BYTES)", async () => {
  const pieces = async (size: number) => {
    const bytes = new Uint8Array(size);
    const files = async function* () {
      yield {
        path: "large",
        async *bytes() {
          yield bytes;
        },
      };
    };
    const parts = await Array.fromAsync(writeZip(files()));
    // Beside a header, what ends the data, a descriptor, the directory and the end.
    return parts.length - 5;
  };
  assert.deepEqual([await pieces(2 * MIB), await pieces(2 * MIB + 1)], [64, 65]);
});

Deno.test("a name in a zip has 255 octets at most (MAX_ZIP_NAME_BYTES), and 60 levels (MAX_ZIP_LEVELS)", async () => {
  await unpack([{ name: "é".repeat(127) + "x" }]);
  await assert.rejects(unpack([{ name: "é".repeat(128) }]), /too long a name/);
  await unpack([{ name: `${"a/".repeat(59)}x` }]);
  await assert.rejects(unpack([{ name: `${"a/".repeat(60)}x` }]), /more than 60 folders/);
});

Deno.test("an entry of 1 MiB is inflated in one step, and deflated so (SMALL_ZIP_ENTRY_BYTES)", async () => {
  for (const [size, isSmall] of [[MIB, true], [MIB + 1, false]] as const) {
    const bytes = new Uint8Array(size);
    let steps = 0;
    await unpack([{ name: "x", bytes }], () => steps++);
    assert.equal(steps === 1, isSmall);
    const files = async function* () {
      yield {
        path: "x",
        async *bytes() {
          yield bytes;
        },
      };
    };
    // Header, data, directory and end.
    assert.equal((await Array.fromAsync(writeZip(files()))).length === 4, isSmall);
  }
});

/** An import to nowhere, of so many messages. */
async function importOf(count: number): Promise<MailboxImport> {
  const staged = { size: 1, discard: async () => {} };
  const stage = { finish: async () => ({ parsed: {}, park: async () => staged }) };
  const store = { quota: async () => ({ usedBytes: 0 }), stageMessage: () => stage };
  const mailbox = await MailboxImport.begin(store as unknown as AccountStore, "INBOX");
  for (let i = 0; i < count; i++) {
    await mailbox.end({ flags: 0, keywords: [], internalDate: undefined });
  }
  return mailbox;
}

Deno.test("a mailbox may be imported with 500,000 messages (MAX_IMPORTED_MESSAGES)", async () => {
  const mailbox = await importOf(500_000);
  assert.equal(mailbox.count, 500_000);
  await assert.rejects(
    mailbox.end({ flags: 0, keywords: [], internalDate: undefined }),
    /more than 500000 messages/,
  );
});

Deno.test("after each 20 messages that are taken back others have their turn (DISCARD_TURN_MESSAGES)", async () => {
  const turns: number[] = [];
  for (const count of [20, 21, 41]) {
    const mailbox = await importOf(count);
    turns.push(await countTurns(() => mailbox.discard()));
  }
  assert.deepEqual(turns, [1, 2, 3]);
});
