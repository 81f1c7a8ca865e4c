/**
 * A process whose system calls are recorded: makes a store with two accounts, works on them, and
 * says on standard output what was acknowledged, a JSON object a line:
 * `deno run -A power_process.ts DATA_DIR COUNT`.
 */
import { type AccountId, encodeUtf8, RangeSet } from "../../src/base/mod.ts";
import type { AccountStore } from "../../src/store/mod.ts";
import { openSqliteStore } from "../../src/store/sqlite/engine.ts";
import { box, put } from "../store/fixture.ts";
import { bytesOf, randomOf } from "./model.ts";

/** What was acknowledged. */
export type Said =
  | { readonly do: "account"; readonly account: number }
  | {
    readonly do: "append";
    readonly account: number;
    readonly box: string;
    readonly uid: number;
    readonly key: string;
  }
  | {
    readonly do: "flags";
    readonly account: number;
    readonly box: string;
    readonly uid: number;
    readonly flags: number;
  }
  | { readonly do: "expunge"; readonly account: number; readonly box: string; readonly uid: number }
  | {
    readonly do: "copy" | "move";
    readonly account: number;
    readonly box: string;
    readonly uid: number;
    readonly to: string;
    readonly toUid: number;
  }
  | { readonly do: "note"; readonly account: number; readonly box: string; readonly value: string };

/** Most acknowledgements that come from one commit. */
export const MAX_TOGETHER = 3;

/** The message of a key; some do not compress, so that the log of the database grows. */
export function messageOf(key: string): Uint8Array {
  const number = Number(key.slice(1));
  if (number % 6 !== 0) return bytesOf(key);
  const random = randomOf(number);
  const noise = new Uint8Array(number % 12 === 0 ? 300_000 : 60_000);
  for (let i = 0; i < noise.length; i++) noise[i] = 32 + Math.floor(random() * 90);
  const head = encodeUtf8(`Subject: ${key}\r\n\r\n`);
  const bytes = new Uint8Array(head.length + noise.length + 2);
  bytes.set(head);
  bytes.set(noise, head.length);
  bytes.set([13, 10], bytes.length - 2);
  return bytes;
}

function say(what: Said): void {
  Deno.stdout.writeSync(encodeUtf8(`${JSON.stringify(what)}\n`));
}

async function work(id: AccountId, mail: AccountStore, number: number): Promise<void> {
  const account = Number(id);
  const name = number % 5 === 0 ? "Archive" : "INBOX";
  // Asked together, they are one commit.
  const together = number % 3 === 0 ? MAX_TOGETHER : 1;
  const uids = await Promise.all(Array.from({ length: together }, async (_, i) => {
    const key = `m${number * MAX_TOGETHER + i}`;
    const uid = await put(mail, name, { bytes: messageOf(key) });
    say({ do: "append", account, box: name, uid, key });
    return uid;
  }));
  const uid = uids[0] ?? 0;
  const { id: boxId } = await box(mail, name);
  const one = RangeSet.of(uid);
  switch (number % 6) {
    case 1:
      await mail.changeFlags(boxId, one, { mode: "add", flags: 4, keywords: ["kept"] });
      say({ do: "flags", account, box: name, uid, flags: 4 });
      break;
    case 2:
      await mail.expunge(boxId, one, { onlyDeleted: false });
      say({ do: "expunge", account, box: name, uid });
      break;
    case 3:
    case 4: {
      const kind = number % 6 === 3 ? "copy" : "move";
      const { to } = await mail[kind](boxId, one, "Trash");
      say({ do: kind, account, box: name, uid, to: "Trash", toUid: to.first ?? 0 });
      break;
    }
    case 5: {
      const value = `note ${number}`;
      await mail.setAnnotations(name, [
        { entry: "/private/comment", value: encodeUtf8(value), isBinary: false },
      ]);
      say({ do: "note", account, box: name, value });
    }
  }
}

if (import.meta.main) {
  const [dataDir = "", count = ""] = Deno.args;
  // One open at a time: the other one's log is copied into its database and removed.
  const store = await openSqliteStore({ dataDir, maxOpenAccounts: 1 });
  await store.directory.addDomain("example.org");
  const accounts: [AccountId, AccountStore][] = [];
  for (const name of ["ann", "bob"]) {
    const { id } = await store.directory.addAccount(`${name}@example.org`, "{}");
    say({ do: "account", account: Number(id) });
    accounts.push([id, await store.openAccount(id)]);
  }
  for (let number = 0; number < Number(count); number++) {
    // In runs, so that there is something in the log.
    const [id, mail] = accounts[Math.floor(number / 12) % 2] ?? accounts[0]!;
    await work(id, mail, number);
  }
  await store.close();
}
