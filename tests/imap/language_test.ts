import assert from "node:assert/strict";
import { withServer } from "../support/server.ts";

Deno.test("LANGUAGE lists and chooses languages in every state", async () => {
  await withServer(async (server) => {
    const stranger = await server.connect();
    assert.match(stranger.greeting, / LANGUAGE /);
    const c = await server.login("INBOX");
    for (const client of [stranger, c]) {
      const ask = async (ranges: string) => (await client.ok(`LANGUAGE${ranges}`)).untagged;
      assert.deepEqual(await ask(""), ["LANGUAGE (i-default en)"]);
      assert.deepEqual(await ask(" EN"), ["LANGUAGE (en)"]);
      assert.deepEqual(await ask(" FR-CA en-CA"), ["LANGUAGE (en)"]);
      assert.deepEqual(await ask(' "default"'), ["LANGUAGE (i-default)"]);
      assert.deepEqual(await ask(" de I-Default"), ["LANGUAGE (i-default)"]);
      await client.no("LANGUAGE FR");
      await client.no("LANGUAGE english");
    }
    assert.deepEqual((await c.ok("NAMESPACE")).untagged, ['NAMESPACE (("" "/")) NIL NIL']);
    await c.bad("LANGUAGE (en)");
    // MAX_LANGUAGE_RANGE_LENGTH, and MAX_LANGUAGE_RANGES.
    await c.no(`LANGUAGE ${"x".repeat(100)}`);
    await c.bad(`LANGUAGE ${"x".repeat(101)}`);
    await c.bad(`LANGUAGE${" fr".repeat(51)}`);
    await c.no(`LANGUAGE${" fr".repeat(50)}`);
  });
});
