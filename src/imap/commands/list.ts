import type { Reader } from "../../wire/mod.ts";
import { WireError } from "../../wire/mod.ts";
import { command, LOGGED_IN } from "../command.ts";
import { baseAttributes, writeListResponse } from "../format/list_response.ts";
import { addMissingNames, findParents, readListEntries } from "../list_entries.ts";
import type { ListEntry, ListReturn, ListSelectionSpec } from "../list_options.ts";
import { MailboxPatterns } from "../mailbox_pattern.ts";
import type { Session } from "../session.ts";

interface ListArgs {
  /** The basic form with an empty pattern, which asks for the hierarchy delimiter. */
  readonly asksDelimiter: boolean;
  readonly reference: string;
  readonly patterns: readonly string[];
  /** Those that select names, without those that modify. */
  readonly selections: readonly SelectingSpec[];
  /** RECURSIVEMATCH was given. */
  readonly isRecursive: boolean;
  readonly returns: readonly ListReturn[];
}

type SelectingSpec = ListSelectionSpec & Required<Pick<ListSelectionSpec, "selects">>;

/**
 * `LIST [(selection …)] reference pattern|(pattern …) [RETURN (option …)]`, with the options of the
 * registry (RFC 5258 6). The canonical pattern is the reference followed by the pattern. Looser
 * than the grammar: RECURSIVEMATCH goes with every option that selects names, SPECIAL-USE too.
 */
export const listCommand = command({
  name: "LIST",
  states: LOGGED_IN,
  rfc: "RFC 9051 6.3.9",
  catchUp: "all",
  parse: parseList,
  run: runList,
});

function parseList(reader: Reader, session: Session): ListArgs {
  reader.space();
  const options = reader.peek() === "(" ? parseSelections(reader, session) : undefined;
  if (options) reader.space();
  const reference = reader.mailbox();
  reader.space();
  const isOnePattern = reader.peek() !== "(";
  const patterns = isOnePattern ? [reader.listMailbox()] : reader.list(() => reader.listMailbox());
  const explicit = reader.trySpace() ? parseReturns(reader, session) : undefined;

  // By name, as an option given twice counts once (RFC 9051 6.3.9).
  const returns = new Map((explicit ?? []).map((option) => [option.name, option]));
  for (const { implies } of options ?? []) {
    const implied = implies === undefined ? undefined : session.registry.listReturns.get(implies);
    if (implied) returns.set(implied.name, implied.parse(reader, session));
  }
  return {
    asksDelimiter: !options && !explicit && isOnePattern && patterns[0] === "",
    reference,
    patterns,
    selections: (options ?? []).filter((option): option is SelectingSpec => "selects" in option),
    isRecursive: options?.some((option) => option.name === "RECURSIVEMATCH") ?? false,
    returns: [...returns.values()],
  };
}

/** Each option once. RECURSIVEMATCH alone or only with REMOTE is BAD (RFC 9051 6.3.9.1). */
function parseSelections(reader: Reader, session: Session): readonly ListSelectionSpec[] {
  const options = new Set(reader.list(() => {
    const option = session.registry.listSelections.get(reader.word());
    if (!option) throw new WireError("Unknown LIST selection option");
    return option;
  }, 0));
  const names = [...options].map((option) => option.name);
  if (names.includes("RECURSIVEMATCH") && ![...options].some((option) => option.selects)) {
    throw new WireError("RECURSIVEMATCH needs an option that selects names");
  }
  return [...options];
}

function parseReturns(reader: Reader, session: Session): readonly ListReturn[] {
  if (!reader.tryExactWord("RETURN")) throw reader.error("RETURN");
  reader.space();
  return reader.list(() => {
    const option = session.registry.listReturns.get(reader.word());
    if (!option) throw new WireError("Unknown LIST return option");
    return option.parse(reader, session);
  }, 0);
}

async function runList(session: Session, args: ListArgs): Promise<void> {
  const { out } = session;
  if (args.asksDelimiter) {
    return writeListResponse(out.writer, { attributes: ["\\Noselect"], name: "" });
  }
  const { selections } = args;
  const patterns = new MailboxPatterns(args.reference, args.patterns);
  const isSelected = (entry: ListEntry) =>
    selections.length > 0
      ? selections.every((option) => option.selects(entry))
      : entry.mailbox !== undefined;

  let entries = await readListEntries(session.account.store, { missing: selections.length > 0 });
  let parents: ReadonlyMap<string, boolean> | undefined;
  if (args.isRecursive) {
    parents = findParents(entries.filter(isSelected), (entry) => patterns.matches(entry.name));
    entries = addMissingNames(entries, parents.keys(), { isSubscribed: false });
  }
  const childInfo = selections.map((option) => option.name);
  const listed: ListEntry[] = [];
  for (const entry of entries) {
    if (!patterns.matches(entry.name)) continue;
    const selected = isSelected(entry);
    const hidesSelected = parents?.get(entry.name);
    if (!selected && !hidesSelected) continue;
    const attributes = baseAttributes(entry);
    for (const option of args.returns) {
      if (option.attributes) attributes.push(...option.attributes(entry, session));
    }
    writeListResponse(out.writer, {
      attributes,
      name: entry.name,
      childInfo: hidesSelected === undefined ? undefined : childInfo,
    });
    if (selected && entry.mailbox) {
      listed.push(entry);
      for (const option of args.returns) option.afterEntry?.(entry, session);
    }
    const full = out.relieve();
    if (full) await full;
  }
  for (const option of args.returns) await option.afterAll?.(listed, session);
}
