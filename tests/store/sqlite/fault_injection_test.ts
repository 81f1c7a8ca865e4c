import assert from "node:assert/strict";
import { RangeSet, type Uid } from "../../../src/base/mod.ts";
import { type AccountStore, StoreError, SystemFlag } from "../../../src/store/mod.ts";
import { Database } from "../../../src/store/sqlite/database.ts";
import { breaches, liveRows, newMessage, put, raw } from "../fixture.ts";
import { withAccountFile } from "./account_fixture.ts";

/** Operations of several steps; each begins with what `prepare` made. */
const OPERATIONS: Readonly<Record<string, (account: AccountStore) => Promise<unknown>>> = {
  "MULTIAPPEND": async (account) =>
    account.append("INBOX", [
      await newMessage(account, { keywords: ["New"] }),
      await newMessage(account),
      await newMessage(account),
    ]),
  "REPLACE": async (account) =>
    account.replace(await inboxId(account), 2 as Uid, "Target", await newMessage(account)),
  "MOVE": async (account) => account.move(await inboxId(account), ALL, "Target"),
  "MOVE into the same mailbox": async (account) =>
    account.move(await inboxId(account), ALL, "INBOX"),
  "COPY": async (account) => account.copy(await inboxId(account), ALL, "Target"),
  "RENAME": (account) => account.renameMailbox("Tree", "New/Place"),
  "RENAME of INBOX": (account) => account.renameMailbox("INBOX", "Old mail"),
  "DELETE": (account) => account.deleteMailbox("Target"),
  "CREATE": (account) => account.createMailbox("x/y/z", { specialUse: ["Junk"] }),
  "EXPUNGE": async (account) => account.expunge(await inboxId(account), ALL, { onlyDeleted: true }),
  "STORE": async (account) =>
    account.changeFlags(await inboxId(account), ALL, {
      mode: "add",
      flags: SystemFlag.flagged,
      keywords: ["Later"],
    }),
  "SETMETADATA": (account) =>
    account.setAnnotations("INBOX", [
      { entry: "/private/comment", value: new Uint8Array([1]), isBinary: true },
      { entry: "/shared/comment", value: new Uint8Array([2]), isBinary: true },
      { entry: "/private/old", value: undefined, isBinary: false },
    ]),
};

const ALL = RangeSet.range(1, 100);

async function inboxId(account: AccountStore) {
  return (await account.findMailbox("INBOX"))!.id;
}

async function prepare(account: AccountStore): Promise<void> {
  await account.createMailbox("Target");
  await account.createMailbox("Tree/leaf");
  await put(account, "INBOX", {}, { flags: SystemFlag.deleted }, { keywords: ["Kept"] });
  await put(account, "Target", {});
  await put(account, "Tree/leaf", {});
  const entry = { entry: "/private/old", value: new Uint8Array([9]), isBinary: true };
  await account.setAnnotations("INBOX", [entry]);
}

/** All that can be seen of the account, message bytes included. */
async function everything(account: AccountStore) {
  const mailboxes = await account.listMailboxes();
  const content = [];
  for (const { id, name } of mailboxes) {
    const rows = await liveRows(account, id);
    const bodies = [];
    for (const { uid } of rows) bodies.push(await raw(account, id, uid));
    content.push({ rows, bodies, annotations: await account.listAnnotations(name) });
  }
  return { mailboxes, content, quota: await account.quota() };
}

for (const [name, operation] of Object.entries(OPERATIONS)) {
  Deno.test(`${name} that fails at any of its steps leaves everything as it was`, () =>
    withAccountFile(async ({ account, db, commits }) => {
      await prepare(account);
      const before = await everything(account);
      const told = commits.length;
      let steps = 0;
      for (;; steps++) {
        const isDone = await failAt(db, steps, () => operation(account));
        if (isDone) break;
        assert.deepEqual(await everything(account), before, `after a failure at step ${steps}`);
        assert.equal(commits.length, told, "nobody was told of it");
        assert.deepEqual(await breaches(account), []);
      }
      assert.ok(steps >= 2, `${name} has ${steps} steps`);
      // What was refused so often works when nothing fails, and leaves a sound account.
      assert.notDeepEqual(await everything(account), before);
      assert.equal(commits.length, told + 1);
      assert.deepEqual(await breaches(account), []);
    }));
}

/** Runs `work` with the write number `step` failing; true when there was no such write. */
async function failAt(
  db: Database,
  step: number,
  work: () => Promise<unknown>,
): Promise<boolean> {
  let writes = 0;
  const fail = () => {
    if (writes++ === step) throw new StoreError("unavailable", "injected");
  };
  db.run = (sql, ...values) => {
    fail();
    return Database.prototype.run.call(db, sql, ...values);
  };
  db.number = (sql, ...values) => {
    if (/^\s*(UPDATE|INSERT|DELETE)/.test(sql)) fail();
    return Database.prototype.number.call(db, sql, ...values);
  };
  db.exec = (sql) => {
    if (sql === "COMMIT") fail();
    Database.prototype.exec.call(db, sql);
  };
  try {
    await work();
    return true;
  } catch (error) {
    assert.ok(error instanceof StoreError && error.message === "injected", String(error));
    return false;
  } finally {
    for (const name of ["run", "number", "exec"] as const) delete (db as Partial<Database>)[name];
  }
}
