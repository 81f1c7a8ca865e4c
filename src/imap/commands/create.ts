import { DELIMITER, parseMailboxName, type SpecialUse } from "../../store/mod.ts";
import { type Reader, WireError } from "../../wire/mod.ts";
import { command, LOGGED_IN } from "../command.ts";
import { baseAttributes, writeListResponse } from "../format/list_response.ts";
import { no } from "../imap_error.ts";
import { entryOf } from "../list_entries.ts";

interface CreateArgs {
  readonly name: string;
  /** Attributes as the client wrote them, backslash included. */
  readonly uses: readonly string[];
}

const SPECIAL_USES: readonly SpecialUse[] = ["Archive", "Drafts", "Junk", "Sent", "Trash"];

/**
 * `CREATE mailbox` or `CREATE mailbox (USE (\Sent \Junk …))` (RFC 6154 3). Looser than the grammar:
 * any number of "/" at the end of the name is dropped, and USE may be given more than once.
 */
export const createCommand = command({
  name: "CREATE",
  states: LOGGED_IN,
  rfc: "RFC 9051 6.3.4",
  catchUp: "all",
  parse: parseCreate,
  run: async ({ account, modes, out }, args) => {
    const specialUse = args.uses.map(parseSpecialUse);
    const name = parseMailboxName(withoutDelimiters(args.name));
    if (name === "INBOX") throw no("INBOX always exists", "ALREADYEXISTS");
    const created = (await account.store.createMailbox(name, { specialUse })).at(-1);
    // Clients of IMAP4rev2 learn which name came of the one that they gave (RFC 9051 6.3.9.7).
    if (modes.rev2 && created && args.name.endsWith(DELIMITER)) {
      const attributes = baseAttributes(entryOf(created, false));
      if (created.subscribed) attributes.push("\\Subscribed");
      writeListResponse(out.writer, { attributes, name, oldName: args.name });
    }
    // RFC 8474 4.1.
    return created ? { code: `MAILBOXID (${created.objectId})` } : {};
  },
});

function parseCreate(reader: Reader): CreateArgs {
  reader.space();
  const name = reader.mailbox();
  if (!reader.trySpace()) return { name, uses: [] };
  const groups = reader.list(() => {
    if (!reader.tryExactWord("USE")) throw new WireError("Unknown CREATE parameter");
    reader.space();
    return reader.list(() => {
      if (reader.peek() !== "\\") throw reader.error("a special-use attribute");
      return reader.flag();
    }, 0);
  });
  return { name, uses: groups.flat() };
}

/** Attribute names are compared without case (RFC 9051 9). Throws NO [USEATTR] for others. */
function parseSpecialUse(attribute: string): SpecialUse {
  const name = attribute.slice(1).toLowerCase();
  const use = SPECIAL_USES.find((known) => known.toLowerCase() === name);
  if (use === undefined) throw no("This special use cannot be given", "USEATTR");
  return use;
}

/** A delimiter at the end only says that names will be made below (RFC 9051 6.3.4). */
function withoutDelimiters(name: string): string {
  let end = name.length;
  while (name[end - 1] === DELIMITER) end--;
  return name.slice(0, end);
}
