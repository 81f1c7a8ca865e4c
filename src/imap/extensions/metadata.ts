import { type Annotation, parseMailboxName } from "../../store/mod.ts";
import { MAX_LITERAL_BYTES, type Reader, WireError } from "../../wire/mod.ts";
import { command, type Completion, LOGGED_IN } from "../command.ts";
import { parseMailbox } from "../commands/mailbox_argument.ts";
import type { Extension } from "../extension.ts";
import { bad, no } from "../imap_error.ts";
import { checkSettable, readEntryName, writeEntryValue } from "../metadata_entries.ts";
import type { Session } from "../session.ts";

interface GetOptions {
  /** Octets; larger values are left out. */
  readonly maxSize: number;
  /** Levels below each entry that are given too. */
  readonly depth: 0 | 1 | typeof Infinity;
}

interface GetArguments {
  /** Decoded; "" for the server's entries. */
  readonly mailbox: string;
  readonly options: GetOptions;
  readonly entries: ReadonlySet<string>;
}

/**
 * `GETMETADATA [(option …)] mailbox entry|(entry …)` (RFC 5464 4.2). Looser than the grammar, as
 * the examples of RFC 5464 4.2.1 and 4.4.1 are: the options may stand behind the mailbox, and
 * several entries may be given without parentheses.
 */
const getMetadataCommand = command<GetArguments>({
  name: "GETMETADATA",
  states: LOGGED_IN,
  rfc: "RFC 5464 4.2",
  catchUp: "all",
  parse(reader) {
    reader.space();
    let options = readOptions(reader);
    const mailbox = reader.mailbox();
    reader.space();
    options ??= readOptions(reader);
    return {
      mailbox,
      options: options ?? { maxSize: Infinity, depth: 0 },
      entries: readEntryNames(reader),
    };
  },
  run: getMetadata,
});

/** Reads options and the space behind them; undefined when entries or a mailbox stand here. */
function readOptions(reader: Reader): GetOptions | undefined {
  let isHere = false;
  reader.attempt(() => {
    // An entry's name begins with a slash or a quote.
    isHere = reader.tryChar("(") && /[a-z]/i.test(reader.peek());
    return undefined;
  });
  if (!isHere) return undefined;
  const options = new Map<string, number>();
  reader.list(() => {
    const name = reader.word();
    if (options.has(name)) throw bad("Option given twice");
    reader.space();
    options.set(name, readOptionValue(reader, name));
  });
  reader.space();
  return {
    maxSize: options.get("MAXSIZE") ?? Infinity,
    depth: (options.get("DEPTH") ?? 0) as GetOptions["depth"],
  };
}

function readOptionValue(reader: Reader, name: string): number {
  if (name === "MAXSIZE") return reader.number();
  if (name !== "DEPTH") throw new WireError("Unknown GETMETADATA option");
  const value = reader.word();
  if (value === "INFINITY") return Infinity;
  if (value !== "0" && value !== "1") throw reader.error("0, 1 or infinity");
  return Number(value);
}

function readEntryNames(reader: Reader): ReadonlySet<string> {
  if (reader.peek() === "(") return new Set(reader.list(() => readEntryName(reader)));
  const names = new Set<string>();
  do names.add(readEntryName(reader)); while (reader.trySpace());
  return names;
}

async function getMetadata(
  session: Session,
  { mailbox, options, entries }: GetArguments,
): Promise<Completion | void> {
  const name = mailbox === "" ? undefined : parseMailboxName(mailbox);
  const found = pick(await readAnnotations(session, name), entries, options.depth);
  const { writer } = session.out;
  let longest = 0;
  for (const [entry, annotation] of found) {
    const size = annotation?.value?.length ?? 0;
    if (size <= options.maxSize) continue;
    longest = Math.max(longest, size);
    found.delete(entry);
  }
  if (found.size > 0) {
    writer.raw("* METADATA ").mailbox(name ?? "").raw(" ").list(found, ([entry, annotation]) => {
      writer.astring(entry).raw(" ");
      writeEntryValue(writer, annotation);
    }).crlf();
  }
  if (longest > 0) return { code: `METADATA LONGENTRIES ${longest}` };
}

/** Entries of a mailbox, or the server's for undefined: what the host gives hides what is stored. */
async function readAnnotations(
  { account, serverEntries }: Session,
  mailbox: string | undefined,
): Promise<ReadonlyMap<string, Annotation>> {
  const annotations = await account.store.listAnnotations(mailbox);
  if (serverEntries) {
    const given = mailbox === undefined
      ? await serverEntries.list(account.account)
      : await serverEntries.kept?.list(account.account, mailbox) ?? [];
    annotations.push(...given);
  }
  return new Map(annotations.map((annotation) => [annotation.entry, annotation]));
}

/**
 * What was asked for: without DEPTH each entry named, those that are not there too (a METADATA
 * response is required by RFC 5464 4.2); with it each that is there (RFC 5464 4.2.2).
 */
function pick(
  all: ReadonlyMap<string, Annotation>,
  asked: ReadonlySet<string>,
  depth: GetOptions["depth"],
): Map<string, Annotation | undefined> {
  if (depth === 0) return new Map([...asked].map((entry) => [entry, all.get(entry)]));
  return new Map([...all].filter(([entry]) => {
    if (asked.has(entry)) return true;
    if (depth === 1) return asked.has(parentOf(entry));
    for (let level = entry; level !== ""; level = parentOf(level)) {
      if (asked.has(level)) return true;
    }
    return asked.has("") || asked.has("/");
  }));
}

function parentOf(entry: string): string {
  return entry.slice(0, entry.lastIndexOf("/"));
}

interface SetArguments {
  readonly mailbox: string;
  readonly annotations: readonly Annotation[];
}

/** `SETMETADATA mailbox (entry value …)` (RFC 5464 4.3): all of it or nothing; NIL deletes. */
const setMetadataCommand = command<SetArguments>({
  name: "SETMETADATA",
  states: LOGGED_IN,
  rfc: "RFC 5464 4.3",
  catchUp: "all",
  parse(reader) {
    const mailbox = parseMailbox(reader);
    reader.space();
    const annotations = reader.list((): Annotation => {
      const entry = readEntryName(reader);
      reader.space();
      return { entry, ...readEntryValue(reader) };
    });
    return { mailbox, annotations };
  },
  async run(session, { mailbox, annotations }) {
    const name = mailbox === "" ? undefined : parseMailboxName(mailbox);
    for (const { entry } of annotations) checkSettable(entry);
    if (name === undefined) await checkServerEntries(session, annotations);
    const { account, serverEntries } = session;
    const kept = serverEntries?.kept;
    const isKept = ({ entry }: Annotation) =>
      name !== undefined && kept?.has(account.account, name, entry) === true;
    const others = annotations.filter((annotation) => !isKept(annotation));
    if (others.length > 0) await account.store.setAnnotations(name, others);
    for (const annotation of annotations) {
      if (isKept(annotation)) await kept?.set(account.account, name ?? "", annotation);
    }
  },
  // All literals are held; refusing here gives the client the answer that tells it how much goes.
  async receiveLiteral(session, _frame, literal) {
    if (!session.login) throw bad("Log in first");
    if (literal.size > MAX_LITERAL_BYTES) {
      throw no("The value is too large", `METADATA MAXSIZE ${MAX_LITERAL_BYTES}`);
    }
    return undefined;
  },
});

/** A string of any kind or NIL; a plain literal too (RFC 5464 5, `value`). */
function readEntryValue(reader: Reader): Pick<Annotation, "value" | "isBinary"> {
  const literal = reader.tryLiteral();
  if (literal) return { value: literal.bytes, isBinary: literal.isBinary };
  const quoted = reader.tryStringBytes();
  if (quoted) return { value: quoted, isBinary: false };
  if (!reader.tryExactWord("NIL")) throw reader.error("a string or NIL");
  return { value: undefined, isBinary: false };
}

/** RFC 5464 3.2.1.1: /shared/admin is for the host alone, and so is what it gives. */
async function checkServerEntries(
  { account, serverEntries }: Session,
  annotations: readonly Annotation[],
): Promise<void> {
  const own = new Set(["/shared/admin"]);
  for (const { entry } of await serverEntries?.list(account.account) ?? []) own.add(entry);
  if (annotations.some(({ entry }) => own.has(entry))) {
    throw no("This entry is set by the server's administrator", "NOPERM");
  }
}

/** Annotations of mailboxes and of the server, each account having its own (RFC 5464). */
export const metadata: Extension = {
  rfc: [5464],
  title: "METADATA: annotations of mailboxes and of the server",
  capabilities: [{ name: "METADATA", when: "afterLogin" }],
  enables: [{ name: "METADATA" }],
  commands: [getMetadataCommand, setMetadataCommand],
};
