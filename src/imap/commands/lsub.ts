import { DELIMITER, parentNames } from "../../store/mod.ts";
import type { Reader } from "../../wire/mod.ts";
import { command, LOGGED_IN } from "../command.ts";
import { baseAttributes } from "../format/list_response.ts";
import { readListEntries } from "../list_entries.ts";
import { MailboxPatterns } from "../mailbox_pattern.ts";
import type { Session } from "../session.ts";

interface LsubArgs {
  readonly reference: string;
  readonly pattern: string;
}

/**
 * `LSUB reference pattern`, of IMAP4rev1: subscribed names, whether mailboxes exist or not. A name
 * that only stands above subscribed ones is listed with \Noselect when the pattern ends in `%`.
 */
export const lsubCommand = command({
  name: "LSUB",
  states: LOGGED_IN,
  rfc: "RFC 3501 6.3.9",
  catchUp: "all",
  parse: parseLsub,
  run: runLsub,
});

function parseLsub(reader: Reader): LsubArgs {
  reader.space();
  const reference = reader.mailbox();
  reader.space();
  return { reference, pattern: reader.listMailbox() };
}

async function runLsub(session: Session, { reference, pattern }: LsubArgs): Promise<void> {
  const { writer } = session.out;
  const lines = new Map<string, readonly string[]>();
  if (pattern === "") lines.set("", ["\\Noselect"]);
  const patterns = new MailboxPatterns(reference, [pattern]);
  for (const entry of await readListEntries(session.account.store, { missing: true })) {
    if (!entry.isSubscribed) continue;
    if (patterns.matches(entry.name)) {
      // \NonExistent came with LIST-EXTENDED; a client of LSUB does not know it.
      lines.set(entry.name, entry.mailbox ? baseAttributes(entry) : []);
    } else if (pattern.endsWith("%")) {
      for (const name of parentNames(entry.name)) {
        if (!lines.has(name) && patterns.matches(name)) lines.set(name, ["\\Noselect"]);
      }
    }
  }
  for (const [name, attributes] of lines) {
    writer.raw(`* LSUB (${attributes.join(" ")}) "${DELIMITER}" `).mailbox(name).crlf();
    const full = session.out.relieve();
    if (full) await full;
  }
}
