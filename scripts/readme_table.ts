/** Tables of the README that scripts write, between marks that name the table. */

const README = new URL("../README.md", import.meta.url);

/** A table in Markdown, with columns as wide as the formatter wants them, so that it agrees. */
export function writeTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const table = [headings, ...rows];
  const widths = headings.map((_, i) => Math.max(...table.map((row) => (row[i] ?? "").length)));
  const lines = table.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)));
  lines.splice(1, 0, widths.map((width) => "-".repeat(width)));
  return lines.map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

/** `text` with the table of that name replaced. Throws when its marks are missing. */
export function replaceTable(text: string, name: string, table: string): string {
  const beginMark = `<!-- ${name}: written by scripts/${name.replace("-", "_")}.ts -->\n`;
  const endMark = `<!-- /${name} -->\n`;
  const begin = text.indexOf(beginMark);
  const end = text.indexOf(endMark);
  if (begin < 0 || end < begin) throw new Error(`the text lacks ${beginMark}${endMark}`);
  return `${text.slice(0, begin + beginMark.length)}\n${table}\n${text.slice(end)}`;
}

export function readReadme(): Promise<string> {
  return Deno.readTextFile(README);
}

export function writeReadme(text: string): Promise<void> {
  return Deno.writeTextFile(README, text);
}
