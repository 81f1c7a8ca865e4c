import { type Reader, WireError } from "../wire/mod.ts";
import { readFetchItems } from "./commands/fetch.ts";
import type { FetchItem } from "./fetch_items.ts";
import { no } from "./imap_error.ts";
import { MAX_NOTIFY_GROUPS } from "./limits.ts";
import {
  isMeant,
  type MailboxFacts,
  type MailboxFilter,
  parseMailboxFilter,
} from "./mailbox_filter.ts";
import type { Session } from "./session.ts";

/** Events that can be asked for (RFC 5465 5), by their names in capitals. */
const EVENT_NAMES = {
  MESSAGENEW: "MessageNew",
  MESSAGEEXPUNGE: "MessageExpunge",
  FLAGCHANGE: "FlagChange",
  MAILBOXNAME: "MailboxName",
  SUBSCRIPTIONCHANGE: "SubscriptionChange",
  MAILBOXMETADATACHANGE: "MailboxMetadataChange",
  SERVERMETADATACHANGE: "ServerMetadataChange",
} as const;

export type NotifyEvent = typeof EVENT_NAMES[keyof typeof EVENT_NAMES];

/** What is told of the selected mailbox, whichever that is at the time (RFC 5465 6.1). */
export interface SelectedWish {
  /** EXPUNGE waits for a command that allows it (RFC 5465 6.1.2). */
  readonly isDelayed: boolean;
  readonly flags: boolean;
  /** What FETCH tells of each new message; undefined: its flags. */
  readonly items: readonly FetchItem[] | undefined;
}

/** Mailboxes, and the events of theirs that are told; none: NONE was asked for. */
export interface NotifyGroup {
  readonly filter: MailboxFilter;
  readonly events: ReadonlySet<NotifyEvent>;
}

/** What a client wants to be told without asking (RFC 5465 3.1). */
export interface NotifyWish {
  /** Undefined: nothing about messages of the selected mailbox. */
  readonly selected: SelectedWish | undefined;
  readonly groups: readonly NotifyGroup[];
}

/** NOTIFY NONE. */
export const NO_NOTICES: NotifyWish = { selected: undefined, groups: [] };

/**
 * Whether `event` of `mailbox` is told: the first group that means the mailbox and either names the
 * event or says NONE decides (RFC 5465 6).
 */
export function isWanted(
  { groups }: NotifyWish,
  event: NotifyEvent,
  mailbox: MailboxFacts,
): boolean {
  for (const { filter, events } of groups) {
    if ((events.size === 0 || events.has(event)) && isMeant(filter, mailbox, undefined)) {
      return events.size > 0;
    }
  }
  return false;
}

/** Whether some group names `event`: all that counts for the server's metadata. */
export function isWantedAnywhere({ groups }: NotifyWish, event: NotifyEvent): boolean {
  return groups.some(({ events }) => events.has(event));
}

/**
 * Reads `(filter events) …` (RFC 5465 8, `event-groups`). An event that is not supported is a
 * NO [BADEVENT]; what breaks the rules on which go together is BAD (RFC 5465 5).
 */
export function readNotifyWish(reader: Reader, session: Session): NotifyWish {
  let selected: SelectedWish | "none" | undefined;
  const groups: NotifyGroup[] = [];
  let count = 0;
  do {
    if (++count > MAX_NOTIFY_GROUPS) {
      throw no(`At most ${MAX_NOTIFY_GROUPS} groups of mailboxes`, "NOTIFICATIONOVERFLOW");
    }
    reader.char("(");
    const isDelayed = reader.tryExactWord("SELECTED-DELAYED");
    const filter = isDelayed ? SELECTED : parseMailboxFilter(reader);
    reader.space();
    const { events, items } = readEvents(reader, session);
    reader.char(")");
    if (filter.kind === "SELECTED") {
      if (selected) throw new WireError("The selected mailbox is given twice");
      if (![...events].every((event) => MESSAGE_EVENTS.has(event))) {
        throw new WireError("The selected mailbox is for events of messages");
      }
      selected = events.size === 0 ? "none" : { isDelayed, flags: events.has("FlagChange"), items };
    } else if (items) {
      throw new WireError("FETCH items are for the selected mailbox");
    } else {
      groups.push({ filter, events });
    }
  } while (reader.trySpace());
  return { selected: selected === "none" ? undefined : selected, groups };
}

const SELECTED: MailboxFilter = { kind: "SELECTED" };
const MESSAGE_EVENTS: ReadonlySet<NotifyEvent> = new Set<NotifyEvent>([
  "MessageNew",
  "MessageExpunge",
  "FlagChange",
]);

function readEvents(reader: Reader, session: Session) {
  const events = new Set<NotifyEvent>();
  let items: readonly FetchItem[] | undefined;
  if (reader.tryExactWord("NONE")) return { events, items };
  reader.list(() => {
    const event = readEvent(reader);
    events.add(event);
    if (event === "MessageNew") items = readNewMessageItems(reader, session) ?? items;
  });
  const hasNew = events.has("MessageNew");
  if (hasNew !== events.has("MessageExpunge")) {
    throw new WireError("MessageNew and MessageExpunge go together");
  }
  if (events.has("FlagChange") && !hasNew) {
    throw new WireError("FlagChange needs MessageNew and MessageExpunge");
  }
  return { events, items };
}

function readEvent(reader: Reader): NotifyEvent {
  const name = reader.atom().toUpperCase();
  const event = Object.entries(EVENT_NAMES).find(([known]) => known === name)?.[1];
  if (event) return event;
  const supported = Object.values(EVENT_NAMES).join(" ");
  throw no("There is no such event here", `BADEVENT (${supported})`);
}

/** ` (item …)` behind MessageNew. */
function readNewMessageItems(reader: Reader, session: Session): FetchItem[] | undefined {
  const isHere = reader.attempt(() => reader.trySpace() && reader.peek() === "(" || undefined);
  return isHere ? readFetchItems(reader, session, { macros: false }) : undefined;
}
