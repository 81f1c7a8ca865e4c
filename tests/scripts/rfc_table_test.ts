import assert from "node:assert/strict";
import { replaceTable } from "../../scripts/readme_table.ts";
import { readTables, writeRfcTable } from "../../scripts/rfc_table.ts";
import { createRegistry, Registry } from "../../src/imap/mod.ts";

Deno.test("the README's table of RFCs is what the registry says", async () => {
  const { present, wanted } = await readTables();
  assert.equal(present, wanted, 'the table is out of date: run "deno task rfc-table"');
});

Deno.test("every extension has a row, with its RFCs and capabilities", () => {
  const registry = createRegistry();
  const rows = writeRfcTable(registry).trimEnd().split("\n").slice(2);
  assert.equal(rows.length, registry.extensions.length);
  for (const row of rows) assert.match(row, /^\| \d{3,5}(, \d{3,5})* +\| \S.* \| .*\|$/);
  const made = new Registry([
    { rfc: [2, 1], title: "Two", capabilities: [{ name: "X", when: "always" }] },
  ]);
  assert.match(writeRfcTable(made), /\| 2, 1 \| Two +\| `X` +\|\n$/);
});

Deno.test("the table is replaced between its marks, and only there", () => {
  const text =
    "a\n<!-- rfc-table: written by scripts/rfc_table.ts -->\nold\n<!-- /rfc-table -->\nb\n";
  const once = replaceTable(text, "rfc-table", "new\n");
  assert.ok(once.startsWith("a\n<!--") && once.endsWith("-->\nb\n"));
  assert.ok(once.includes("\nnew\n") && !once.includes("old"));
  assert.equal(replaceTable(once, "rfc-table", "new\n"), once);
  assert.throws(() => replaceTable("nothing", "rfc-table", "new"));
});
