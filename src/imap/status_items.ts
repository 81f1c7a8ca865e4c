import type { Mailbox } from "../store/mod.ts";
import { type Reader, WireError } from "../wire/mod.ts";
import type { StatusItemSpec } from "./extension.ts";
import type { Session } from "./session.ts";

/**
 * STATUS items of the base protocol (RFC 9051 6.3.11, and RECENT of RFC 3501 6.3.10). All are read
 * from counters that the store keeps, so they cost the same for any number of messages.
 */
export const coreStatusItems: readonly StatusItemSpec[] = [
  numberItem("MESSAGES", (mailbox) => mailbox.counts.messages),
  numberItem("UIDNEXT", (mailbox) => mailbox.uidNext),
  numberItem("UIDVALIDITY", (mailbox) => mailbox.uidValidity),
  numberItem("UNSEEN", (mailbox) => mailbox.counts.unseen),
  numberItem("DELETED", (mailbox) => mailbox.counts.deleted),
  {
    name: "RECENT",
    if: (session) => !session.modes.rev2,
    write(writer, mailbox, session) {
      // Those that this session has claimed are \Recent still (RFC 3501 2.3.2).
      const claimed = session.view?.mailboxId === mailbox.id ? session.view.recent.size : 0;
      writer.raw(`${mailbox.counts.recent + claimed}`);
    },
  },
];

/** A STATUS item that is one number. */
export function numberItem(
  name: string,
  value: (mailbox: Mailbox, session: Session) => number,
): StatusItemSpec {
  return { name, write: (writer, mailbox, session) => writer.raw(`${value(mailbox, session)}`) };
}

/** Reads `(item item …)`, each item once; throws WireError for one that is not known. */
export function parseStatusItems(reader: Reader, session: Session): readonly StatusItemSpec[] {
  const items = reader.list(() => {
    const item = session.registry.statusItems.get(reader.word());
    if (!item || item.if?.(session) === false) throw new WireError("Unknown STATUS item");
    return item;
  });
  return [...new Set(items)];
}

/** Writes the STATUS response of one mailbox (RFC 9051 7.3.3). */
export function writeStatusResponse(
  session: Session,
  mailbox: Mailbox,
  items: readonly StatusItemSpec[],
): void {
  if (items.some((item) => item.enablesCondstore)) session.enableCondstore();
  writeStatus(session, mailbox, items);
}

/** Writes a STATUS response that the client did not ask for, and so turns nothing on. */
export function writeStatus(
  session: Session,
  mailbox: Mailbox,
  items: readonly StatusItemSpec[],
): void {
  const { writer } = session.out;
  writer.raw("* STATUS ").mailbox(mailbox.name).raw(" ").list(items, (item) => {
    writer.raw(`${item.name} `);
    item.write(writer, mailbox, session);
  }).crlf();
}
