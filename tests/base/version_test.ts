import assert from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };
import { VERSION } from "../../src/base/mod.ts";

Deno.test("the program states the version that deno.json gives it", () => {
  assert.equal(VERSION, config.version);
});
