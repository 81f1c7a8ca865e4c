import type { Bytes } from "../base/mod.ts";
import type { AccountStore, Mailbox, MessageRow } from "../store/mod.ts";

/** One message on its way out: its row, and its bytes, asked for once. */
export interface OutgoingMessage {
  readonly row: MessageRow;
  bytes(): AsyncIterable<Bytes>;
}

/**
 * The messages of a mailbox in the order of their UIDs. What is expunged meanwhile may be missing;
 * what comes meanwhile is left out.
 */
export async function* readMailbox(
  store: AccountStore,
  { id, name }: Mailbox,
): AsyncGenerator<OutgoingMessage> {
  const { uids } = await store.selectMailbox(name, { claimRecent: false });
  for await (const page of store.fetchMessages(id, uids, ["raw"])) {
    for (const row of page) {
      if (row.expunged) continue;
      yield {
        row,
        bytes: async function* () {
          if (row.raw) yield row.raw;
          else yield* store.readRaw(id, row.uid, 0, row.size);
        },
      };
    }
  }
}
