/**
 * The README's table of RFCs, from the registry of IMAP extensions. `deno task rfc-table` writes it
 * anew; the test suite complains when it is out of date.
 */
import { createRegistry, type Registry } from "../src/imap/mod.ts";

const README = new URL("../README.md", import.meta.url);
const BEGIN = "<!-- rfc-table: written by scripts/rfc_table.ts -->\n";
const END = "<!-- /rfc-table -->\n";

/** One line for each extension: its RFCs, what it is, the capabilities that announce it. */
export function writeRfcTable(registry: Registry): string {
  const rows = registry.extensions.map(({ rfc, title, capabilities = [] }) => [
    rfc.join(", "),
    title,
    capabilities.map(({ name }) => `\`${name}\``).join(" "),
  ]);
  const table = [["RFC", "What", "Capabilities"], ...rows];
  // Columns as wide as the formatter wants them, so that it and this script agree.
  const widths = [0, 1, 2].map((i) => Math.max(...table.map((row) => (row[i] ?? "").length)));
  table.splice(1, 0, widths.map((width) => "-".repeat(width)));
  return table.map((row) =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |\n`
  ).join("");
}

/** `text` with the table between its marks replaced. Throws when the marks are missing. */
export function replaceTable(text: string, table: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the text lacks ${BEGIN}${END}`);
  return `${text.slice(0, begin + BEGIN.length)}\n${table}\n${text.slice(end)}`;
}

/** The README as it is and as it should be. */
export async function readTables(): Promise<{ present: string; wanted: string }> {
  const present = await Deno.readTextFile(README);
  return { present, wanted: replaceTable(present, writeRfcTable(createRegistry())) };
}

if (import.meta.main) await Deno.writeTextFile(README, (await readTables()).wanted);
