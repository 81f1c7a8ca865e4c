import assert from "node:assert/strict";
import { configKeys, readConfigTables, writeConfigTable } from "../../scripts/config_table.ts";

Deno.test("the README's table of keys is that of the schema", async () => {
  const { present, wanted } = await readConfigTables();
  assert.equal(present, wanted, 'run "deno task config-table"');
});

Deno.test("every key has its default and a description", () => {
  const keys = configKeys();
  const find = (path: string) => keys.find((key) => key.path === path);
  assert.ok(keys.length > 70);
  assert.equal(find("limits.max_connections")?.defaultText, "20000");
  assert.equal(find("listener[].address")?.isNeeded, true);
  assert.equal(find("tls.certificate[].private_key_file")?.isNeeded, true);
  assert.equal(find("log.addresses")?.defaultText, undefined);
  assert.equal(find("log.addresses")?.isNeeded, false);
  assert.deepEqual(keys.filter(({ description }) => !description).map(({ path }) => path), []);
  assert.throws(
    () =>
      writeConfigTable([
        { path: "a.b", defaultText: "1", isNeeded: false, description: undefined },
      ]),
    /a\.b has no description/,
  );
});
