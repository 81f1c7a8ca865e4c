import assert from "node:assert/strict";
import { metrics, RangeSet } from "../../../src/base/mod.ts";
import { openSqliteStore } from "../../../src/store/sqlite/engine.ts";
import { box, bytesOf, put, stage } from "../fixture.ts";
import { withFolder } from "./account_fixture.ts";

function operations(operation: "commit" | "read" | "stage" | "open"): number {
  return metrics.sum("postern_store_operation_duration_seconds", { operation });
}

Deno.test("the store's work is measured, what fails of it too", () =>
  withFolder(async (dataDir) => {
    const store = await openSqliteStore({ dataDir, maxOpenAccounts: 1 });
    await store.directory.addDomain("example.org");
    const before = {
      open: operations("open"),
      commit: operations("commit"),
      read: operations("read"),
    };
    const { id } = await store.directory.addAccount("ann@example.org", "{}");
    assert.equal(operations("open"), before.open + 1);
    assert.equal(metrics.sum("postern_store_open_accounts"), 1);
    const account = await store.openAccount(id);
    await put(account, "INBOX");
    assert.equal(operations("commit"), before.commit + 1);
    await assert.rejects(account.deleteMailbox("Nowhere"));
    assert.equal(operations("commit"), before.commit + 2);
    const reads = operations("read");
    await account.quota();
    assert.equal(operations("read"), reads + 1);
    const other = await store.directory.addAccount("bob@example.org", "{}");
    await (await store.openAccount(other.id)).quota();
    assert.equal(metrics.sum("postern_store_open_accounts"), 1, "one is all that may be open");
    await store.close();
    assert.equal(metrics.sum("postern_store_open_accounts"), 0);
  }));

Deno.test("what is not in the search index yet is told, until it is or the store closes", () =>
  withFolder(async (dataDir) => {
    const store = await openSqliteStore({ dataDir });
    await store.directory.addDomain("example.org");
    const { id } = await store.directory.addAccount("ann@example.org", "{}");
    const account = await store.openAccount(id);
    const lag = () => metrics.sum("postern_search_index_lag_messages");
    const text = "one two three four five six seven eight nine ".repeat(500);
    const append = async () => {
      const messages = [];
      for (let i = 0; i < 400; i++) {
        const staged = await stage(account, bytesOf(`Subject: ${i}\r\n\r\n${text}`));
        const internalDate = { seconds: 0, zoneMinutes: 0 };
        messages.push({ staged, flags: 0, keywords: [], internalDate });
      }
      await account.append("INBOX", messages);
    };
    await append();
    let highest = 0;
    const filled = async (until: () => boolean) => {
      for (const end = Date.now() + 20_000; !until();) {
        if (Date.now() > end) assert.fail(`waited in vain, with ${lag()} not indexed`);
        await new Promise((resolve) => setTimeout(resolve, 2));
        highest = Math.max(highest, lag());
      }
    };
    await filled(() => highest > 0 && lag() === 0);
    assert.ok(highest > 100 && highest < 400, String(highest));
    const inbox = await box(account, "INBOX");
    await account.expunge(inbox.id, RangeSet.range(300, 400), { onlyDeleted: false });
    await put(account, "INBOX");
    highest = 0;
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.equal(lag(), 0, "what is gone is not behind");
    await append();
    await filled(() => lag() > 0);
    await store.close();
    assert.equal(lag(), 0);
  }));
