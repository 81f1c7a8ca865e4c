import { DELIMITER, type Mailbox } from "../../store/mod.ts";
import type { Writer } from "../../wire/mod.ts";
import type { ListEntry } from "../list_options.ts";
import type { Responder } from "../session.ts";

/** What a LIST response says (RFC 9051 7.3.1). */
export interface ListResponse {
  readonly attributes: readonly string[];
  readonly name: string;
  /** CHILDINFO: selection options that a mailbox below satisfies (RFC 9051 6.3.9.6). */
  readonly childInfo?: readonly string[] | undefined;
  /** OLDNAME: the name that the mailbox had, or was given by the client (RFC 9051 6.3.9.7). */
  readonly oldName?: string | undefined;
}

/** Writes `* LIST (attributes) "/" name`, and the extended data items where there are any. */
export function writeListResponse(writer: Writer, response: ListResponse): void {
  const { attributes, name, childInfo, oldName } = response;
  writer.raw(`* LIST (${attributes.join(" ")}) "${DELIMITER}" `).mailbox(name);
  if (childInfo) {
    writer.raw(` ("CHILDINFO" (${childInfo.map((option) => `"${option}"`).join(" ")}))`);
  } else if (oldName !== undefined) {
    writer.raw(' ("OLDNAME" (').mailbox(oldName).raw("))");
  }
  writer.crlf();
}

/**
 * Attributes that every LIST response carries, asked for or not: whether the mailbox exists and has
 * children (RFC 3348 3, RFC 9051 6.3.9.5), and its special uses, without which macOS Mail makes
 * mailboxes of its own (RFC 6154 2).
 */
export function baseAttributes(entry: ListEntry): string[] {
  const children = entry.hasChildren ? "\\HasChildren" : "\\HasNoChildren";
  return entry.mailbox
    ? [children, ...specialUseAttributes(entry.mailbox)]
    : ["\\NonExistent", children];
}

/**
 * The LIST response of SELECT and EXAMINE (RFC 9051 6.3.2). It says nothing of children, which
 * would have to be looked up.
 */
export function writeSelectedList(out: Responder, mailbox: Mailbox): void {
  const attributes = specialUseAttributes(mailbox);
  if (mailbox.subscribed) attributes.push("\\Subscribed");
  writeListResponse(out.writer, { attributes, name: mailbox.name });
}

function specialUseAttributes(mailbox: Mailbox): string[] {
  return mailbox.specialUse.map((use) => `\\${use}`);
}
