import assert from "node:assert/strict";
import { errorReason } from "../../src/base/mod.ts";

Deno.test("of a fetch that failed the reason is told, and not that fetch failed", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const reason = await fetch(`http://127.0.0.1:${port}/`).then(() => "", errorReason);
  assert.match(reason, new RegExp(`127\\.0\\.0\\.1:${port}/.*refused`));
  assert.equal(errorReason(new Error("too long", { cause: new Error("x") })), "too long");
  assert.equal(errorReason("odd"), "odd");
});
