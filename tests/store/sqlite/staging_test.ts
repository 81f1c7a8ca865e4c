import assert from "node:assert/strict";
import { RangeSet } from "../../../src/base/mod.ts";
import { IngestStage } from "../../../src/store/ingest.ts";
import {
  SqliteStageSink,
  SWEEP_MESSAGES,
  sweepStaging,
} from "../../../src/store/sqlite/staging.ts";
import { trimAccount } from "../../../src/store/sqlite/trim.ts";
import { box, breaches, newMessage, put, raw, refuses, stage } from "../fixture.ts";
import { withAccountFile } from "./account_fixture.ts";

const CHUNK = 256 * 1024;

function letters(size: number): Uint8Array {
  return new Uint8Array(size).map((_, i) => i % 64 === 62 ? 13 : i % 64 === 63 ? 10 : 97 + i % 23);
}

Deno.test("a message of at most one chunk waits in memory, a larger one on disk", () =>
  withAccountFile(async ({ account, db }) => {
    const small = await stage(account, letters(CHUNK));
    assert.equal(db.number("SELECT count(*) FROM chunk"), 0);
    const large = await stage(account, letters(CHUNK + 1));
    assert.equal(db.number("SELECT count(*) FROM chunk"), 1);
    assert.deepEqual(await breaches(account), []);
    await small.discard();
    await large.discard();
    assert.equal(db.number("SELECT count(*) FROM chunk"), 0);
    assert.equal(db.number("SELECT count(*) FROM staging"), 0);
  }));

Deno.test("chunks come back byte for byte wherever a read begins and ends", () =>
  withAccountFile(async ({ account }) => {
    for (const size of [1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5]) {
      const bytes = letters(size - size % 64);
      const uid = await put(account, "INBOX", { bytes });
      const { id } = await box(account, "INBOX");
      assert.ok(isSame(await raw(account, id, uid), bytes), `all of ${size}`);
      for (
        const [start, end] of [[0, 1], [CHUNK - 1, CHUNK + 1], [size - 1, size], [5, 2 * CHUNK]]
      ) {
        const piece = await raw(account, id, uid, start, end);
        assert.ok(isSame(piece, bytes.subarray(start, end)), `${start}:${end} of ${size}`);
      }
    }
    assert.deepEqual(await breaches(account), []);
  }));

Deno.test("what a process left half-way is swept when it is old, and not before", () =>
  withAccountFile(async ({ account, db, now }) => {
    const coming = account.stageMessage();
    await coming.write(letters(2 * CHUNK));
    await put(account, "INBOX", { bytes: letters(2 * CHUNK) });
    const seconds = now / 1000;
    assert.equal(sweepStaging(db, seconds + 6 * 3600), 0);
    assert.equal(sweepStaging(db, seconds + 6 * 3600 + 1), 1);
    assert.equal(db.number("SELECT count(*) FROM chunk"), 2, "those of the message");
    // The process lives after all, and is told.
    await refuses("unavailable", coming.write(letters(2 * CHUNK)));
    assert.deepEqual(await breaches(account), []);
  }));

Deno.test("a message that was swept before it was appended is refused whole", () =>
  withAccountFile(async ({ account, db, now }) => {
    const message = await newMessage(account, { bytes: letters(2 * CHUNK) });
    sweepStaging(db, now / 1000 + 7 * 3600);
    await refuses("unavailable", account.append("INBOX", [message]));
    assert.deepEqual(await breaches(account), []);
  }));

Deno.test("a large message that was refused may be appended again, once", () =>
  withAccountFile(async ({ account }) => {
    const message = await newMessage(account, { bytes: letters(3 * CHUNK) });
    await refuses("mailbox-not-found", account.append("nowhere", [message]));
    await account.append("INBOX", [message]);
    await assert.rejects(account.append("INBOX", [message]));
    await message.staged.discard();
    const { id, counts } = await box(account, "INBOX");
    assert.equal(counts.messages, 1);
    assert.equal((await raw(account, id, 1)).length, 3 * CHUNK);
    await account.copy(id, RangeSet.of(1), "INBOX");
    assert.deepEqual(await breaches(account), []);
  }));

Deno.test("a small message is appended once too", () =>
  withAccountFile(async ({ account }) => {
    const message = await newMessage(account);
    await account.append("INBOX", [message]);
    await assert.rejects(account.append("INBOX", [message]));
    assert.equal((await box(account, "INBOX")).counts.messages, 1);
  }));

Deno.test("chunks given to an engine are full but for the last, in any split", () =>
  withAccountFile(async ({ file }) => {
    const sizes: number[] = [];
    class Watching extends SqliteStageSink {
      override write(bytes: Uint8Array): Promise<void> {
        sizes.push(bytes.length);
        return super.write(bytes);
      }
    }
    const into = new IngestStage(new Watching(file, () => 1));
    for (let i = 0; i < 900; i++) await into.write(letters(999));
    const staged = await into.finish();
    assert.deepEqual(sizes, [CHUNK, CHUNK, CHUNK]);
    assert.equal(staged.size, into.size);
    await into.discard();
  }));

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

Deno.test("parked messages hold back the index until they are in a mailbox, then are found", () =>
  withAccountFile(async ({ account, file, db, now }) => {
    const bytesOf = (word: string) =>
      new TextEncoder().encode(`Subject: ${word}\r\n\r\n${word}\r\n`);
    const parked = await (await stage(account, bytesOf("albatross"))).park();
    const swept = await (await stage(account, bytesOf("nobody"))).park();
    await put(account, "INBOX", { bytes: bytesOf("blackbird") });
    file.searchIndex.fill();
    const { id } = await box(account, "INBOX");
    const find = async (text: string) =>
      (await account.search(id, { op: "body", value: text })).uids.toString();
    assert.equal(await find("blackbird"), "1");
    const internalDate = { seconds: 0, zoneMinutes: 0 };
    await account.append("INBOX", [{ staged: parked, flags: 0, keywords: [], internalDate }]);
    file.searchIndex.fill();
    assert.equal(await find("albatross"), "2");
    assert.equal(sweepStaging(db, now / 1000 + 7 * 3600), 1);
    assert.deepEqual(await breaches(account), []);
    await refuses(
      "unavailable",
      account.append("INBOX", [{ staged: swept, flags: 0, keywords: [], internalDate }]),
    );
    file.searchIndex.fill();
    assert.equal(await find("blackbird"), "1");
    assert.equal(await find("albatross"), "2");
    assert.equal(file.searchIndex.candidates("albatross")?.through, 3);
  }));

Deno.test("what is left of a large import is swept in steps", () =>
  withAccountFile(async ({ account, file, db, now }) => {
    for (let i = 0; i < 2 * SWEEP_MESSAGES + 1; i++) {
      await (await stage(account, letters(64))).park();
    }
    const seconds = now / 1000 + 7 * 3600;
    assert.equal(sweepStaging(db, seconds), SWEEP_MESSAGES);
    let turns = 0;
    const policy = { contentSeconds: 1, historySeconds: 1, maxHistoryRows: 1 };
    await trimAccount(file, seconds, policy, () => Promise.resolve(++turns > 0));
    assert.equal(db.number("SELECT count(*) FROM staging"), 0);
    assert.ok(turns >= 2);
  }));
