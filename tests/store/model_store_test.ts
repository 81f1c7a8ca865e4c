import { describeStore } from "./conformance.ts";
import { ModelStore } from "./model_store.ts";

describeStore("model", async () => {
  const store = new ModelStore();
  return { store, dispose: () => store.close() };
});
