import { createHash } from "node:crypto";
import { join } from "node:path";
import type { FetchMessageObject, ImapFlow, ListResponse } from "imapflow";
import { type MailboxId, RangeSet, type Uid } from "../base/mod.ts";
import {
  type AccountStore,
  DELIMITER,
  type Mailbox,
  parseMailboxName,
  type SpecialUse,
  StoreError,
  SystemFlag,
} from "../store/mod.ts";
import { ImapJournal, type MailboxProgress, type PendingBatch } from "./imap_journal.ts";
import { isKeyword, MailboxImport } from "./mailbox_import.ts";
import { type MailboxResult, type Progress, TransferError } from "./result.ts";

/** Another IMAP server, and who we are there. */
export interface ImapSource {
  readonly host: string;
  readonly port: number;
  /** TLS from the start; otherwise STARTTLS. */
  readonly isTls: boolean;
  /** Without TLS, or with a certificate that nobody signed, if it must be. */
  readonly isInsecureAllowed: boolean;
  readonly user: string;
  readonly password: string;
}

/** Messages, and octets, that are appended together: what is done again after an interruption. */
const BATCH_MESSAGES = 200;
const BATCH_BYTES = 32 * 1024 * 1024;
/** Larger messages are fetched in pieces. */
const WHOLE_BYTES = 1024 * 1024;

const SYSTEM_FLAGS: ReadonlyMap<string, number> = new Map([
  ["\\seen", SystemFlag.seen],
  ["\\answered", SystemFlag.answered],
  ["\\flagged", SystemFlag.flagged],
  ["\\deleted", SystemFlag.deleted],
  ["\\draft", SystemFlag.draft],
]);
const SPECIAL_USES: readonly SpecialUse[] = ["Archive", "Drafts", "Junk", "Sent", "Trash"];

/**
 * Brings over all mailboxes of another server: messages with flags, keywords and dates, special
 * uses, subscriptions. Each batch of messages is appended as a whole and noted in a journal in
 * `journalFolder`, so that the next run goes on where this one ended, whatever ended it, and later
 * runs bring what is new, and flags that changed where the server has CONDSTORE (RFC 7162). Nothing
 * is deleted here because it was deleted there. Throws TransferError, StoreError.
 */
export async function importImap(
  store: AccountStore,
  source: ImapSource,
  journalFolder: string,
  onProgress: Progress,
): Promise<MailboxResult[]> {
  const { host, port, user, isInsecureAllowed } = source;
  const key = createHash("sha256").update(`${user} ${host} ${port}`).digest("hex").slice(0, 16);
  // Loaded here: every command would start 40 ms later for it.
  const { ImapFlow } = await import("imapflow");
  const client = new ImapFlow({
    host,
    port,
    secure: source.isTls,
    ...(source.isTls || isInsecureAllowed ? {} : { doSTARTTLS: true }),
    auth: { user, pass: source.password },
    tls: { rejectUnauthorized: !isInsecureAllowed },
    logger: false,
    disableAutoIdle: true,
  });
  // What goes wrong is told by the command that it goes wrong for.
  client.on("error", () => {});
  const journal = await ImapJournal.open(join(journalFolder, `${key}.jsonl`));
  let isConnected = false;
  try {
    await client.connect();
    isConnected = true;
    const results: MailboxResult[] = [];
    const listed = (await client.list()).filter(({ flags }) =>
      !flags.has("\\Noselect") && !flags.has("\\NonExistent")
    ).map((entry) => ({ entry, target: targetOf(entry) }));
    for (const { entry, target } of listed) {
      const run = new SourceMailbox(store, client, journal, entry, target, onProgress);
      results.push(await run.bringOver());
    }
    await client.logout();
    return results;
  } catch (error) {
    if (error instanceof StoreError || error instanceof TransferError) throw error;
    const advice = isConnected ? "; run the same command again to go on" : adviceOf(error);
    throw new TransferError(`${host}: ${reasonOf(error)}${advice}`);
  } finally {
    client.close();
    journal.close();
  }
}

/** The mailbox here for one there: levels stay levels, whatever the sign between them. */
function targetOf({ path, delimiter }: ListResponse): string {
  const levels = delimiter ? path.split(delimiter) : [path];
  return parseMailboxName(
    levels.map((level) => level.replaceAll(DELIMITER, "_")).join(DELIMITER).normalize("NFC"),
  );
}

/** One mailbox on its way. */
class SourceMailbox {
  readonly #store: AccountStore;
  readonly #client: ImapFlow;
  readonly #journal: ImapJournal;
  readonly #entry: ListResponse;
  readonly #target: string;
  readonly #onProgress: Progress;

  constructor(
    store: AccountStore,
    client: ImapFlow,
    journal: ImapJournal,
    entry: ListResponse,
    target: string,
    onProgress: Progress,
  ) {
    this.#store = store;
    this.#client = client;
    this.#journal = journal;
    this.#entry = entry;
    this.#target = target;
    this.#onProgress = onProgress;
  }

  async bringOver(): Promise<MailboxResult> {
    const client = this.#client;
    const { uidValidity, highestModseq } = await client.mailboxOpen(this.#entry.path, {
      readOnly: true,
    });
    const { mailbox, isNew } = await this.#makeTarget();
    const progress = await this.#progress(String(uidValidity), mailbox);
    if (isNew && !this.#entry.subscribed) await this.#store.setSubscribed(this.#target, false);
    if (progress.pending) await this.#settle(progress.pending, mailbox.id);
    const done = progress.runs.reduce((all, { uids }) => all.union(uids), new RangeSet());
    await this.#followFlags(progress, mailbox.id, done);
    const found = await client.search({ all: true }, { uid: true });
    const missing = RangeSet.from(found || []).difference(done);
    const result = await this.#fetchAll([...missing]);
    if (highestModseq !== undefined) {
      await this.#journal.add({ mailbox: this.#entry.path, modSeq: String(highestModseq) });
    }
    return result;
  }

  async #makeTarget(): Promise<{ mailbox: Mailbox; isNew: boolean }> {
    const found = await this.#store.findMailbox(this.#target);
    if (found) return { mailbox: found, isNew: false };
    const { specialUse = "", specialUseSource } = this.#entry;
    // Only what the server says, not what its name makes one think.
    const uses = SPECIAL_USES.filter((use) =>
      specialUseSource === "extension" && specialUse === `\\${use}`
    );
    const made = (await this.#store.createMailbox(this.#target, { specialUse: uses })).at(-1);
    if (!made) throw new Error("a mailbox was made");
    return { mailbox: made, isNew: true };
  }

  /** What is known of this mailbox, unless it is another one now, here or there. */
  async #progress(uidValidity: string, mailbox: Mailbox): Promise<MailboxProgress> {
    const { path } = this.#entry;
    const known = this.#journal.get(path);
    if (
      known?.uidValidity === uidValidity && known.target === mailbox.name &&
      known.targetUidValidity === mailbox.uidValidity
    ) return known;
    await this.#journal.add({
      mailbox: path,
      uidValidity,
      target: mailbox.name,
      targetUidValidity: mailbox.uidValidity,
    });
    const fresh = this.#journal.get(path);
    if (!fresh) throw new Error("the journal keeps what is added");
    return fresh;
  }

  /** Finds out whether a batch came in before the last run was cut off: its sizes are in a row. */
  async #settle({ uids, uidNext, sizes }: PendingBatch, mailbox: MailboxId): Promise<void> {
    let run: { uid: number; size: number }[] = [];
    const range = RangeSet.range(uidNext, 2 ** 32 - 1);
    for await (const page of this.#store.fetchMessages(mailbox, range)) {
      for (const { uid, size } of page) {
        if (run.at(-1)?.uid !== uid - 1) run = [];
        run.push({ uid, size });
        if (run.length > sizes.length) run.shift();
        if (run.length < sizes.length || run.some((each, i) => each.size !== sizes[i])) continue;
        return await this.#journal.add({
          mailbox: this.#entry.path,
          uids: uids.toString(),
          to: run[0]?.uid ?? 0,
        });
      }
    }
    await this.#journal.add({ mailbox: this.#entry.path, abandon: true });
  }

  /** Gives messages that came over before the flags that they have there now. */
  async #followFlags(
    { runs, modSeq }: MailboxProgress,
    mailbox: MailboxId,
    done: RangeSet,
  ): Promise<void> {
    const isFollowed = modSeq !== undefined && this.#client.enabled.has("CONDSTORE") &&
      !done.isEmpty;
    if (!isFollowed) return;
    const changed = new Map<string, RangeSet>();
    const range = `1:${done.last}`;
    for await (
      const { uid, flags = new Set<string>() } of this.#client.fetch(
        range,
        { uid: true, flags: true },
        { uid: true, changedSince: BigInt(modSeq) },
      )
    ) {
      const here = uidHere(runs, uid);
      if (here === undefined) continue;
      const key = [...flags].sort().join(" ");
      const uids = changed.get(key) ?? new RangeSet();
      uids.add(here);
      changed.set(key, uids);
    }
    for (const [key, uids] of changed) {
      const { flags, keywords } = flagsOf(new Set(key.split(" ").filter(Boolean)));
      await this.#store.changeFlags(mailbox, uids, {
        mode: "replace",
        flags,
        keywords: keywords.filter(isKeyword),
      });
    }
  }

  async #fetchAll(uids: readonly number[]): Promise<MailboxResult> {
    const warnings = new Set<string>();
    const into = await MailboxImport.begin(this.#store, this.#target);
    let messages = 0;
    try {
      for (let at = 0; at < uids.length; at += BATCH_MESSAGES) {
        const wanted = RangeSet.from(uids.slice(at, at + BATCH_MESSAGES));
        for await (const batch of this.#stage(into, wanted)) {
          messages += batch.size;
          for (const warning of await this.#commit(into, batch)) warnings.add(warning);
          this.#onProgress(this.#target, messages, uids.length);
        }
      }
    } catch (error) {
      await into.discard();
      throw error;
    }
    return { mailbox: this.#target, messages, warnings: [...warnings] };
  }

  /** Stages messages in the order of their UIDs, and gives those that are to be committed now. */
  async *#stage(into: MailboxImport, wanted: RangeSet): AsyncGenerator<RangeSet> {
    const facts = new Map<number, FetchMessageObject>();
    const query = { uid: true, flags: true, internalDate: true, size: true };
    for await (const row of this.#client.fetch(wanted.toString(), query, { uid: true })) {
      if (wanted.has(row.uid)) facts.set(row.uid, row);
    }
    let staged = new RangeSet();
    let bytes = 0;
    const end = async (uid: number) => {
      const row = facts.get(uid);
      const date = new Date(row?.internalDate ?? NaN).getTime();
      await into.end({
        ...flagsOf(row?.flags ?? new Set()),
        internalDate: Number.isNaN(date)
          ? undefined
          : { seconds: Math.floor(date / 1000), zoneMinutes: 0 },
      });
      staged.add(uid);
      bytes += row?.size ?? 0;
    };
    for (const group of groupsOf([...facts.values()].sort((a, b) => a.uid - b.uid))) {
      if (group.isLarge) {
        const { content } = await this.#client.download(String(group.uids.first), undefined, {
          uid: true,
        });
        // Expunged meanwhile.
        if (!content) continue;
        for await (const piece of content) await into.write(piece);
        await end(group.uids.first ?? 0);
      } else {
        const sources = this.#client.fetch(group.uids.toString(), { uid: true, source: true }, {
          uid: true,
        });
        for await (const { uid, source } of sources) {
          if (!source || !group.uids.has(uid) || staged.has(uid)) continue;
          await into.write(source);
          await end(uid);
        }
      }
      if (bytes < BATCH_BYTES || staged.isEmpty) continue;
      yield staged;
      staged = new RangeSet();
      bytes = 0;
    }
    if (!staged.isEmpty) yield staged;
  }

  async #commit(into: MailboxImport, uids: RangeSet): Promise<readonly string[]> {
    const mailbox = this.#entry.path;
    const { uidNext = 1 as Uid } = await this.#store.findMailbox(this.#target) ?? {};
    await this.#journal.add({ mailbox, begin: uids.toString(), uidNext, sizes: into.sizes });
    const { firstUid = 0, result } = await into.commit();
    await this.#journal.add({ mailbox, uids: uids.toString(), to: firstUid });
    return result.warnings;
  }
}

/** Messages to be fetched together: large ones alone, and not too many octets of the others. */
function* groupsOf(
  rows: readonly FetchMessageObject[],
): Generator<{ isLarge: boolean; uids: RangeSet }> {
  let uids = new RangeSet();
  let bytes = 0;
  for (const { uid, size = 0 } of rows) {
    const isLarge = size > WHOLE_BYTES;
    if (!uids.isEmpty && (isLarge || bytes + size > BATCH_BYTES)) {
      yield { isLarge: false, uids };
      uids = new RangeSet();
      bytes = 0;
    }
    if (isLarge) {
      yield { isLarge, uids: RangeSet.of(uid) };
      continue;
    }
    uids.add(uid);
    bytes += size;
  }
  if (!uids.isEmpty) yield { isLarge: false, uids };
}

/** The UID here of a message that has `uid` there. */
function uidHere(runs: MailboxProgress["runs"], uid: number): number | undefined {
  const run = runs.find(({ uids }) => uids.has(uid));
  return run && run.to + run.uids.indexOf(uid);
}

function flagsOf(names: ReadonlySet<string>): { flags: number; keywords: string[] } {
  let flags = 0;
  const keywords: string[] = [];
  for (const name of names) {
    flags |= SYSTEM_FLAGS.get(name.toLowerCase()) ?? 0;
    // Others with a backslash, such as \Recent, are the server's own.
    if (!name.startsWith("\\")) keywords.push(name);
  }
  return { flags, keywords };
}

/** What the other server or the network says, without this program's own words around it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { responseText, code, message } = error as Error & { responseText?: string; code?: string };
  return responseText || (code && !message.includes(code) ? `${message} (${code})` : message);
}

/** What to do about a server that cannot be reached or logged in to, where there is something. */
function adviceOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return /CERT|UNABLE_TO_VERIFY/.test(code) ? "; --insecure takes it all the same" : "";
}
