/** Records a run of a store and opens what power failures at many moments would have left. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { AccountId } from "../../src/base/mod.ts";
import type { AccountStore } from "../../src/store/mod.ts";
import { openSqliteStore } from "../../src/store/sqlite/engine.ts";
import { breaches, liveRows, put, raw } from "../store/fixture.ts";
import { type Random, randomOf } from "./model.ts";
import { MAX_TOGETHER, messageOf, type Said } from "./power_process.ts";
import { Disk, type FileEvent, parseTrace, TRACED, writeFiles } from "./write_log.ts";

/** Rounds of work in the run that is recorded. */
const WORK = 30;

/** What is kept of writes that were not synced: all, nothing, or some; and torn or whole. */
const LOSSES: readonly (readonly [share: number, isTorn: boolean])[] = [
  [1, false],
  [0, false],
  [0.5, false],
  [0.5, true],
  [0.9, true],
];

/** Runs the work under strace. */
export async function record(folder: string): Promise<FileEvent[]> {
  const trace = `${folder}/trace`;
  const dataDir = `${folder}/data`;
  const program = new URL("./power_process.ts", import.meta.url).pathname;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const { code, stderr } = await new Deno.Command("strace", {
    args: ["-f", "--seccomp-bpf", "-y", "-xx", "-s", "1000000", "-e", `trace=${TRACED}`]
      .concat(["-o", trace, Deno.execPath(), "run", "-A", "--no-check", "--config", config])
      .concat([program, dataDir, String(WORK)]),
    stdout: "piped",
    stderr: "piped",
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return parseTrace(await Deno.readTextFile(trace), dataDir);
}

/**
 * Lets the power fail `count` times: half of them just after a sync or an acknowledgement, in turn,
 * the others anywhere. Throws when what is left is not as it must be.
 */
export async function failPower(
  events: readonly FileEvent[],
  folder: string,
  count: number,
  seed: number,
): Promise<void> {
  const random = randomOf(seed);
  const turns = events.flatMap(({ kind }, i) => kind === "sync" || kind === "said" ? [i + 1] : []);
  const moments = Array.from(
    { length: count },
    (_, i) =>
      i % 2 === 0
        ? turns[Math.floor(i / count * turns.length)] ?? 0
        : Math.floor(random() * (events.length + 1)),
  ).sort((a, b) => a - b);
  const said = events.flatMap((event) =>
    event.kind === "said" ? [JSON.parse(event.line) as Said] : []
  );
  const disk = new Disk();
  let done = 0;
  let heard = 0;
  for (const [i, moment] of moments.entries()) {
    for (; done < moment; done++) {
      const event = events[done];
      if (event?.kind === "said") heard++;
      if (event) disk.apply(event);
    }
    const [share, isTorn] = LOSSES[i % LOSSES.length] ?? [0, false];
    const dataDir = `${folder}/after-${i}`;
    await writeFiles(disk.afterFailure(share, isTorn, random), `${folder}/data`, dataDir);
    try {
      await verify(dataDir, said, heard, random);
    } catch (error) {
      const what = `power failed after event ${moment} of ${events.length}, ` +
        `${share} of what was not synced kept${isTorn ? ", torn" : ""}, seed ${seed}`;
      throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
    }
    await Deno.remove(dataDir, { recursive: true });
  }
}

/** Opens what is left, and compares it with what had been acknowledged. */
async function verify(
  dataDir: string,
  said: readonly Said[],
  heard: number,
  random: Random,
): Promise<void> {
  const store = await openSqliteStore({ dataDir });
  try {
    const ids = (await store.directory.listAccounts()).map(({ id }) => Number(id));
    for (const account of [1, 2]) {
      const lines = said.filter((it) => it.account === account);
      const known = said.slice(0, heard).filter((it) => it.account === account).length;
      if (!ids.includes(account)) {
        assert.equal(known, 0, `account ${account} is lost`);
        continue;
      }
      const mail = await store.openAccount(account as AccountId);
      assert.deepEqual(await breaches(mail), []);
      const actual = await stateOf(mail);
      const possible = Array.from(
        { length: MAX_TOGETHER + 1 },
        (_, more) => expectedState(lines.slice(0, known + more)),
      );
      if (!possible.includes(actual)) assert.equal(actual, possible[0]);
      await searchOne(mail, random);
      const { uidNext } = await mail.findMailbox("INBOX") ?? {};
      assert.equal(await put(mail, "INBOX"), uidNext, "mail can be added");
      assert.deepEqual(await breaches(mail), []);
    }
  } finally {
    await store.close();
  }
}

async function stateOf(mail: AccountStore): Promise<string> {
  const lines: string[] = [];
  for (const mailbox of await mail.listMailboxes()) {
    for (const row of await liveRows(mail, mailbox.id)) {
      const bytes = Buffer.from(await raw(mail, mailbox.id, row.uid));
      const key = /^Subject: (\w+)\r/m.exec(bytes.subarray(0, 200).toString("latin1"))?.[1] ?? "";
      const isWhole = key !== "" && bytes.equals(messageOf(key));
      lines.push(`${mailbox.name} ${row.uid} ${isWhole ? key : "damaged"} ${row.flags}`);
      assert.ok(row.uid < mailbox.uidNext);
    }
    for (const { value } of await mail.listAnnotations(mailbox.name)) {
      lines.push(`${mailbox.name} note ${new TextDecoder().decode(value)}`);
    }
  }
  return lines.sort().join("\n");
}

function expectedState(lines: readonly Said[]): string {
  const found = new Map<string, string>();
  const note = new Map<string, string>();
  for (const it of lines) {
    switch (it.do) {
      case "account":
        break;
      case "append":
        found.set(`${it.box} ${it.uid}`, `${it.key} 0`);
        break;
      case "flags": {
        const key = found.get(`${it.box} ${it.uid}`)?.split(" ")[0];
        found.set(`${it.box} ${it.uid}`, `${key} ${it.flags}`);
        break;
      }
      case "copy":
      case "move":
        found.set(`${it.to} ${it.toUid}`, found.get(`${it.box} ${it.uid}`) ?? "");
        if (it.do === "move") found.delete(`${it.box} ${it.uid}`);
        break;
      case "expunge":
        found.delete(`${it.box} ${it.uid}`);
        break;
      case "note":
        note.set(it.box, it.value);
        break;
      default:
        it satisfies never;
    }
  }
  return [
    ...[...found].map(([where, what]) => `${where} ${what}`),
    ...[...note].map(([name, value]) => `${name} note ${value}`),
  ].sort().join("\n");
}

/** The index for search may have lost other commits than the mail, and must not mind. */
async function searchOne(mail: AccountStore, random: Random): Promise<void> {
  const inbox = await mail.findMailbox("INBOX");
  if (!inbox) return;
  const live = await liveRows(mail, inbox.id);
  const row = live[Math.floor(random() * live.length)];
  if (!row) return;
  const header = new TextDecoder().decode((await raw(mail, inbox.id, row.uid)).subarray(0, 200));
  const key = /^Subject: (\w+)\r/m.exec(header)?.[1] ?? "";
  const { uids } = await mail.search(inbox.id, { op: "header", name: "Subject", value: key });
  assert.ok(uids.has(row.uid), `${key} is found`);
  const nothing = await mail.search(inbox.id, { op: "text", value: "zyzzog" });
  assert.ok(nothing.uids.isEmpty);
}
