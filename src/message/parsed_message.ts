import type { Bytes } from "../base/mod.ts";
import type { MimePart } from "./mime_part.ts";

/** All that FETCH, SEARCH, SORT and THREAD need to know of a message. */
export interface ParsedMessage {
  /** Octets of the message. */
  readonly size: number;
  /** Octets of its header, with the empty line where there is one. */
  readonly headerSize: number;
  readonly root: MimePart;
  /** ENVELOPE as FETCH sends it (RFC 9051 7.5.2). */
  readonly envelope: Bytes;
  /** BODY as FETCH sends it. */
  readonly body: Bytes;
  /** BODYSTRUCTURE as FETCH sends it, with all extension fields. */
  readonly bodyStructure: Bytes;
  /** The Date field as an instant, milliseconds since 1970 UTC; undefined when it says none. */
  readonly sentDate: number | undefined;
  /** The day that the Date field names, disregarding time and zone, in days since 1970-01-01. */
  readonly sentDay: number | undefined;
  /** Identifiers without angle brackets and quoting, at most MAX_REFERENCES in a list. */
  readonly messageId: string | undefined;
  readonly inReplyTo: readonly string[];
  readonly references: readonly string[];
  /** RFC 5256 2.1, decoded, in the case it was written in. */
  readonly baseSubject: string;
  /** The subject is a reply or forward: something was taken off to make `baseSubject`. */
  readonly isReply: boolean;
  readonly sortKeys: SortKeys;
  /**
   * Every field of the message header decoded, each as "Name: value" and a line feed: for HEADER,
   * SUBJECT, FROM … and TEXT.
   */
  readonly headerText: string;
  /**
   * Text of the body for BODY and TEXT: all text parts decoded, HTML as text, and headers of
   * embedded messages; of at most MAX_TEXT_BYTES.
   */
  readonly bodyText: string;
  /**
   * MIME fields of the parts, decoded, in the form of `headerText`: TEXT looks at these too, BODY
   * does not (RFC 9051 6.4.4). Attachments are found by name through it.
   */
  readonly partHeaderText: string;
  /** At most MAX_PREVIEW_CHARACTERS characters on one line; "" when there is nothing to show. */
  readonly preview: string;
}

/** What SORT compares, decoded; "" when there is no such address. */
export interface SortKeys {
  /** Local part of the first mailbox, or name of the first group, of a field (RFC 5256 3). */
  readonly from: string;
  readonly to: string;
  readonly cc: string;
  /** RFC 5957 3. */
  readonly displayFrom: string;
  readonly displayTo: string;
}
