/** The commands in a Markdown text's blocks of shell. */

/**
 * Each command of the ```sh blocks: lines that belong together are one, comments behind a command are
 * left out.
 */
export function shellCommands(markdown: string): string[] {
  const commands: string[] = [];
  for (const [, block = ""] of markdown.matchAll(/^ *```sh\n([^]*?)^ *```$/gm)) {
    let open = "";
    for (const line of block.split("\n")) {
      open += open === "" ? line.trim() : `\n${line}`;
      const isOpen = /[\\|]$/.test(open) || (open.match(/'/g) ?? []).length % 2 === 1;
      if (isOpen) continue;
      const command = open.replace(/\s+#\s[^'\n]*$/, "");
      if (command !== "") commands.push(command);
      open = "";
    }
    if (open !== "") commands.push(open);
  }
  return commands;
}
