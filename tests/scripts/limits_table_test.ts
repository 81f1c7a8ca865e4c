import assert from "node:assert/strict";

Deno.test("the map names every file of limits", async () => {
  const src = new URL("../../src/", import.meta.url);
  const map = await Deno.readTextFile(new URL("README.md", src));
  for (const room of Deno.readDirSync(src)) {
    if (!room.isDirectory) continue;
    const files = [...Deno.readDirSync(new URL(`${room.name}/`, src))];
    if (!files.some(({ name }) => name === "limits.ts")) continue;
    assert.ok(map.includes(`\`${room.name}/limits.ts\``), `${room.name}/limits.ts is missing`);
  }
});
