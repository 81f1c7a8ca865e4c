import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { openSqliteStore } from "../../../src/store/sqlite/engine.ts";
import { withStore } from "./account_fixture.ts";

Deno.test("with an account its mail and the journals of its imports go, and those of no other", () =>
  withStore({}, async (store, _account, dataDir) => {
    const [account] = await store.directory.listAccounts();
    assert.ok(account);
    const other = await store.directory.addAccount("bob@example.org", "{}");
    const journals = [account.id, other.id].map((id) => join(dataDir, "imports", String(id)));
    for (const path of journals) mkdirSync(path, { recursive: true });
    await store.directory.removeAccount(account.id);
    assert.deepEqual(journals.map((path) => existsSync(path)), [false, true]);
    assert.ok(!existsSync(join(dataDir, "accounts", String(account.id))));
  }));

Deno.test("what a removal that was cut off left behind goes at the next start", () =>
  withStore({}, async (store, _account, dataDir) => {
    const [account] = await store.directory.listAccounts();
    assert.ok(account);
    const left = ["accounts", "imports"].map((name) => join(dataDir, name, "77"));
    const kept = join(dataDir, "imports", String(account.id));
    for (const path of [...left, kept]) mkdirSync(path, { recursive: true });
    await (await openSqliteStore({ dataDir })).close();
    assert.deepEqual(left.map((path) => existsSync(path)), [false, false]);
    assert.ok(existsSync(kept));
  }));
