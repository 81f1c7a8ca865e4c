import type { Reader } from "../../wire/mod.ts";
import { command, LOGGED_IN } from "../command.ts";
import { isDisabledFor } from "../extension.ts";

/**
 * `ENABLE capability …`. ENABLED lists what this command turned on. Names that are unknown, that
 * cannot be enabled or that were switched off for the account are ignored. Looser than RFC 5161 3.1
 * asks of clients: also with a mailbox selected.
 */
export const enableCommand = command({
  name: "ENABLE",
  states: LOGGED_IN,
  rfc: "RFC 5161 3.1",
  catchUp: "all",
  parse: parseNames,
  run: ({ modes, registry, account, out }, names) => {
    const before = new Set(modes.enabled);
    const enabled = names.filter((name) =>
      registry.enables.has(name) && !isDisabledFor(account.account, name) && !before.has(name)
    );
    for (const name of enabled) modes.enable(name);
    out.writer.nameMode = modes.nameMode;
    out.untagged(["ENABLED", ...enabled].join(" "));
  },
});

/** The names in capitals, each once. */
function parseNames(reader: Reader): readonly string[] {
  const names = new Set<string>();
  do {
    reader.space();
    names.add(reader.atom().toUpperCase());
  } while (!reader.atEnd);
  return [...names];
}
