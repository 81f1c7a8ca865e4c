import { decodeUtf8, RangeSet } from "../base/mod.ts";
import { dirname } from "node:path";
import { writeWhole } from "./files.ts";

/** A batch that was about to be appended: whether it was is seen from what is there. */
export interface PendingBatch {
  readonly uids: RangeSet;
  /** UIDNEXT of the mailbox here before it. */
  readonly uidNext: number;
  readonly sizes: readonly number[];
}

/** What is known of one mailbox of the other server. */
export interface MailboxProgress {
  readonly uidValidity: string;
  readonly target: string;
  readonly targetUidValidity: number;
  /** UIDs that came over, in runs: theirs, and the first of the consecutive ones here. */
  readonly runs: { readonly uids: RangeSet; readonly to: number }[];
  pending: PendingBatch | undefined;
  /** HIGHESTMODSEQ of the other server when it was last looked at as a whole. */
  modSeq: string | undefined;
}

type Line =
  & { readonly mailbox: string }
  & (
    | { readonly uidValidity: string; readonly target: string; readonly targetUidValidity: number }
    | { readonly begin: string; readonly uidNext: number; readonly sizes: readonly number[] }
    | { readonly uids: string; readonly to: number }
    | { readonly abandon: true }
    | { readonly modSeq: string }
  );

/**
 * How far an import from another server has come: a file of JSON lines, each on the disk before the
 * next step is taken. A line that a crash left unfinished counts as not written.
 */
export class ImapJournal {
  readonly #file: Deno.FsFile;
  readonly #mailboxes = new Map<string, MailboxProgress>();

  private constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  static async open(path: string): Promise<ImapJournal> {
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
    const journal = new ImapJournal(file);
    try {
      // Two imports of one mailbox at a time would bring every message twice: the second waits.
      await file.lock(true);
      const bytes = await Deno.readFile(path);
      const end = bytes.lastIndexOf(10) + 1;
      for (const line of decodeUtf8(bytes.subarray(0, end)).split("\n").slice(0, -1)) {
        journal.#apply(JSON.parse(line));
      }
      await file.truncate(end);
      await file.seek(end, Deno.SeekMode.Start);
      return journal;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  get(mailbox: string): MailboxProgress | undefined {
    return this.#mailboxes.get(mailbox);
  }

  async add(line: Line): Promise<void> {
    await writeWhole(this.#file, new TextEncoder().encode(`${JSON.stringify(line)}\n`));
    await this.#file.syncData();
    this.#apply(line);
  }

  close(): void {
    this.#file.close();
  }

  #apply(line: Line): void {
    if ("uidValidity" in line) {
      const { uidValidity, target, targetUidValidity } = line;
      const fresh = { runs: [], pending: undefined, modSeq: undefined };
      this.#mailboxes.set(line.mailbox, { uidValidity, target, targetUidValidity, ...fresh });
      return;
    }
    const progress = this.#mailboxes.get(line.mailbox);
    if (!progress) throw new TypeError("a line of the import's journal has no beginning");
    if ("begin" in line) {
      const { begin, uidNext, sizes } = line;
      progress.pending = { uids: parseUids(begin), uidNext, sizes };
    } else if ("uids" in line) {
      progress.runs.push({ uids: parseUids(line.uids), to: line.to });
      progress.pending = undefined;
    } else if ("abandon" in line) progress.pending = undefined;
    else progress.modSeq = line.modSeq;
  }
}

/** As `RangeSet.toString` writes them. */
function parseUids(text: string): RangeSet {
  return RangeSet.fromRanges(
    text.split(",").map((range) => {
      const [first = NaN, last = first] = range.split(":").map(Number);
      return { first, last };
    }),
  );
}
