import { command, SELECTED } from "../command.ts";
import type { Extension } from "../extension.ts";
import { bad, no } from "../imap_error.ts";
import { checkMessageLimit } from "../message_limit.ts";

/** Fewest messages of a batch: smaller ones would cost more than they save (RFC 10022). */
const MIN_BATCH_SIZE = 500;

interface BatchArguments {
  readonly size: number;
  /** Which batches, counted from 1; undefined: all. */
  readonly range: { readonly first: number; readonly last: number } | undefined;
}

/**
 * UIDBATCHES size [first:last] (RFC 10022): UIDs, from the newest down, that divide the mailbox into
 * batches of `size` messages; the last one may have fewer.
 */
const uidBatchesCommand = command<BatchArguments>({
  name: "UIDBATCHES",
  states: SELECTED,
  rfc: "RFC 10022",
  catchUp: "all",
  parse(reader) {
    reader.space();
    const size = reader.nonZeroNumber();
    if (!reader.trySpace()) return { size, range: undefined };
    const first = reader.nonZeroNumber();
    reader.char(":");
    const last = reader.nonZeroNumber();
    if (last < first) throw bad("The first batch is behind the last");
    return { size, range: { first, last } };
  },
  async run(session, { size, range }) {
    const limit = session.limits.messageLimit ?? Infinity;
    const smallest = Math.min(MIN_BATCH_SIZE, limit);
    if (size < smallest) throw no(`A batch has at least ${smallest} messages`, "TOOSMALL");
    checkMessageLimit(session, size);
    // What others changed first: batches of messages that the client does not know are of no use.
    await session.catchUp({ expunge: true });
    const { uids } = session.selected;
    const count = Math.ceil(uids.size / size);
    const batches: string[] = [];
    const last = Math.min(range?.last ?? count, count);
    for (let batch = range?.first ?? 1; batch <= last; batch++) {
      const high = uids.at(uids.size - (batch - 1) * size - 1);
      const low = uids.at(Math.max(0, uids.size - batch * size));
      batches.push(high === low ? `${high}` : `${high}:${low}`);
    }
    const list = batches.length === 0 ? "" : ` ${batches.join(",")}`;
    session.out.untagged(`UIDBATCHES (TAG "${session.tag}")${list}`);
  },
});

/** UIDBATCHES: ranges of UIDs with equally many messages (RFC 10022). */
export const uidBatches: Extension = {
  rfc: [10022],
  title: "UIDBATCHES: ranges of UIDs with equally many messages",
  capabilities: [{ name: "UIDBATCHES", when: "afterLogin" }],
  commands: [uidBatchesCommand],
};
