/**
 * A process that works on a store until it is done or killed, and says on standard output what was
 * acknowledged: `deno run -A store_process.ts DATA_DIR ACCOUNT MODE SEED`.
 */
import { type AccountId, RangeSet } from "../../../src/base/mod.ts";
import type { AccountStore } from "../../../src/store/mod.ts";
import { openSqliteStore } from "../../../src/store/sqlite/engine.ts";
import { put } from "../fixture.ts";

const encoder = new TextEncoder();

/** The body that message `number` of the process with `seed` has: a few, or very many, octets. */
export function bodyOf(seed: number, number: number): Uint8Array {
  const line = `message ${number} of ${seed} `;
  return encoder.encode(
    `Subject: ${line}\r\n\r\n${line.repeat(number % 7 === 3 ? 30_000 : 10)}\r\n`,
  );
}

function say(text: string): void {
  Deno.stdout.writeSync(encoder.encode(text + "\n"));
}

/** Appends, flags, moves and expunges without end. */
async function work(account: AccountStore, seed: number): Promise<void> {
  await account.createMailbox(`work${seed}`).catch(() => {});
  const [inbox] = (await account.listMailboxes()).filter(({ name }) => name === "INBOX");
  if (!inbox) throw new Error("there is an INBOX");
  for (let number = 0;; number++) {
    const uid = await put(account, "INBOX", { bytes: bodyOf(seed, number) });
    say(`appended ${number} ${uid}`);
    const one = RangeSet.of(uid);
    if (number % 4 === 1) {
      await account.changeFlags(inbox.id, one, { mode: "add", flags: 4, keywords: ["kept"] });
      say(`flagged ${number} ${uid}`);
    }
    if (number % 4 === 2) {
      const { to } = await account.move(inbox.id, one, `work${seed}`);
      say(`moved ${number} ${to.first}`);
    }
    if (number % 4 === 3) {
      await account.expunge(inbox.id, one, { onlyDeleted: false });
      say(`expunged ${number} ${uid}`);
    }
  }
}

if (import.meta.main) {
  const [dataDir = "", account = "", mode = "", seed = ""] = Deno.args;
  const store = await openSqliteStore({ dataDir });
  const mail = await store.openAccount(Number(account) as AccountId);
  say("ready");
  if (mode === "work") await work(mail, Number(seed));
  for (let number = 0; number < 60; number++) {
    await put(mail, "INBOX", { bytes: bodyOf(Number(seed), number) });
  }
  say("done");
  await store.close();
}
