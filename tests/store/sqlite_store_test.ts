import { openSqliteStore } from "../../src/store/sqlite/engine.ts";
import { describeStore } from "./conformance.ts";

describeStore("sqlite", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "postern-store-" });
  const open = () => openSqliteStore({ dataDir, initialMailboxes: [] });
  let store = await open();
  return {
    store,
    reopen: async () => {
      await store.close();
      return store = await open();
    },
    dispose: async () => {
      await store.close();
      await Deno.remove(dataDir, { recursive: true });
    },
  };
});
