/**
 * The README's table of RFCs, from the registry of IMAP extensions. `deno task rfc-table` writes it
 * anew; the test suite complains when it is out of date.
 */
import { createRegistry, type Registry } from "../src/imap/mod.ts";
import { readReadme, replaceTable, writeReadme, writeTable } from "./readme_table.ts";

const NAME = "rfc-table";

/** One line for each extension: its RFCs, what it is, the capabilities that announce it. */
export function writeRfcTable(registry: Registry): string {
  const rows = registry.extensions.map(({ rfc, title, capabilities = [] }) => [
    rfc.join(", "),
    title,
    capabilities.map(({ name }) => `\`${name}\``).join(" "),
  ]);
  return writeTable(["RFC", "What", "Capabilities"], rows);
}

/** The README as it is and as it should be. */
export async function readTables(): Promise<{ present: string; wanted: string }> {
  const present = await readReadme();
  return { present, wanted: replaceTable(present, NAME, writeRfcTable(createRegistry())) };
}

if (import.meta.main) await writeReadme((await readTables()).wanted);
