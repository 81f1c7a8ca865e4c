import { type Bytes, RangeSet } from "../base/mod.ts";
import { parseMailboxName, StoreError } from "../store/mod.ts";
import { Reader, WireError } from "../wire/mod.ts";
import { type ImapError, no } from "./imap_error.ts";
import { type BodySection, type Partial, readSection } from "./section.ts";
import { readSectionContent, sectionColumns } from "./section_content.ts";
import type { Session } from "./session.ts";

/** A message, or part of one, of the account that is logged in (RFC 4469 3). */
interface MessageUrl {
  /** Undefined: the selected mailbox. */
  readonly mailbox: string | undefined;
  readonly uidValidity: number | undefined;
  readonly uid: number;
  readonly section: BodySection;
  readonly partial: Partial | undefined;
}

/**
 * `/mailbox;UIDVALIDITY=n/;UID=n/;SECTION=s/;PARTIAL=first.octets`, all but the UID optional.
 * Without a mailbox it is the selected one. Absolute URLs are of other servers, or may be.
 */
const FORM = new RegExp(
  "^(?:/(?![;/])([^;]+?)(?:;UIDVALIDITY=([1-9]\\d{0,9}))?/|/?);UID=([1-9]\\d{0,9})" +
    "(?:/;SECTION=([^;]+?))?(?:/;PARTIAL=(\\d{1,15})(?:\\.([1-9]\\d{0,14}))?)?$",
  "i",
);

/** Octets of a URL that a response repeats. */
const MAX_TOLD_LENGTH = 1000;

/**
 * The octets that `url` names, in pieces, as FETCH BODY.PEEK would give them. Throws NO [BADURL]
 * for what is no URL of a message here, has no such part, or is gone.
 */
export async function* readMessageUrl(session: Session, url: string): AsyncIterable<Bytes> {
  const { store } = session.account;
  const { mailbox, uidValidity, uid, section, partial } = parseMessageUrl(url);
  const found = mailbox === undefined ? undefined : await store.findMailbox(mailbox);
  if (uidValidity !== undefined && uidValidity !== found?.uidValidity) throw badUrl(url);
  const id = mailbox === undefined ? session.view?.mailboxId : found?.id;
  if (id === undefined) throw badUrl(url);
  const pages = store.fetchMessages(id, RangeSet.of(uid), sectionColumns(section));
  for await (const [row] of pages) {
    if (!row || row.expunged) continue;
    const content = readSectionContent(store, id, row, section, partial);
    if (!content) break;
    return yield* content;
  }
  throw badUrl(url);
}

function parseMessageUrl(url: string): MessageUrl {
  const match = FORM.exec(url);
  if (!match) throw badUrl(url);
  const [, mailbox, uidValidity, uid, section, origin, octets] = match;
  try {
    return {
      mailbox: mailbox === undefined ? undefined : parseMailboxName(decodeURIComponent(mailbox)),
      uidValidity: uidValidity === undefined ? undefined : Number(uidValidity),
      uid: Number(uid),
      section: parseSection(section === undefined ? "" : decodeURIComponent(section)),
      partial: origin === undefined ? undefined : {
        origin: Number(origin),
        octets: octets === undefined ? Number.MAX_SAFE_INTEGER : Number(octets),
      },
    };
  } catch (error) {
    const isOfUrl = error instanceof URIError || error instanceof WireError ||
      error instanceof StoreError;
    throw isOfUrl ? badUrl(url) : error;
  }
}

function parseSection(text: string): BodySection {
  const reader = new Reader({ parts: [`[${text}]`] }, "utf8");
  const section = readSection(reader);
  reader.end();
  return section;
}

/** RFC 4469 4.1. What would end the response code is percent-encoded. */
function badUrl(url: string): ImapError {
  const told = url.slice(0, MAX_TOLD_LENGTH).toWellFormed()
    .replace(/[^\x20-\x7e]|[\]\\]/gu, encodeURIComponent);
  return no("The URL names nothing here", `BADURL ${told}`);
}
