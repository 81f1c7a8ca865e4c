import assert from "node:assert/strict";
import { openSqliteStore } from "../../../src/store/sqlite/engine.ts";

Deno.test("trimming many accounts leaves most of the time to others", async () => {
  const dataDir = await Deno.makeTempDir();
  const store = await openSqliteStore({ dataDir, maxOpenAccounts: 4 });
  try {
    await store.directory.addDomain("example.org");
    const count = 20;
    for (let i = 0; i < count; i++) {
      const { id } = await store.directory.addAccount(`a${i}@example.org`, "{}");
      await (await store.openAccount(id)).quota();
    }
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await store.trim();
    clearInterval(timer);
    assert.ok(turns > count, `others had ${turns} turns`);
  } finally {
    await store.close();
    await Deno.remove(dataDir, { recursive: true });
  }
});
