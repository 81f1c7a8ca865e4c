import { RangeSet } from "../base/mod.ts";
import type { FlagRow } from "../store/mod.ts";
import { fetchMessages } from "./commands/fetch.ts";
import type { FetchItem } from "./fetch_items.ts";
import { writeFlagsResponse } from "./format/fetch_response.ts";
import type { Session, View } from "./session.ts";

/**
 * FETCH responses for messages that were just told with EXISTS (RFC 5465 5.2): `items`, or flags
 * when the client named none. A BODY[…] that is not PEEK sets \Seen, as in a FETCH.
 */
export async function writeNewMessages(
  session: Session,
  view: View,
  rows: readonly FlagRow[],
  items: readonly FetchItem[] | undefined,
): Promise<void> {
  if (rows.length === 0) return;
  if (!items) {
    for (const row of rows) writeFlagsResponse(session.out, view, session.modes, row);
    return;
  }
  const uids = RangeSet.from(rows.map(({ uid }) => uid));
  const failure = await fetchMessages(session, view, uids, { by: "uid", items: [...items] });
  if (failure) session.out.untagged(`NO New messages could not be fetched: ${failure.message}`);
}
