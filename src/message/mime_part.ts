import type { Parameter, ParameterisedValue } from "./parameters.ts";

/** Where a part lies in the raw message and how it nests: what sections and BINARY need. */
export interface PartTree {
  /** First octet of the part's header; of an embedded message's root, of its message header. */
  readonly headerStart: number;
  /** First octet after the header and its empty line. */
  readonly bodyStart: number;
  /** Past the last octet; the line end before a boundary belongs to the boundary (RFC 2046 5.1). */
  readonly bodyEnd: number;
  /** Lower case, such as "text/plain"; "application/octet-stream" for nesting that is too deep. */
  readonly mediaType: string;
  /** Content-Transfer-Encoding in lower case; "7bit" when absent. */
  readonly encoding: string;
  /** Parts of a multipart, at least one; empty for every other part. */
  readonly children: readonly PartTree[];
  /** Root of the embedded message of a message/rfc822 or message/global part. */
  readonly message: PartTree | undefined;
}

/** A part with everything that BODYSTRUCTURE tells of it. Texts are raw (one character a byte). */
export interface MimePart extends PartTree {
  readonly type: string;
  readonly subtype: string;
  readonly parameters: readonly Parameter[];
  /** Octets of the body, still encoded. */
  readonly size: number;
  /** Line ends in the body; counted for text and embedded messages, else 0. */
  readonly lines: number;
  readonly contentId: string | undefined;
  readonly description: string | undefined;
  readonly md5: string | undefined;
  readonly disposition: ParameterisedValue | undefined;
  readonly languages: readonly string[];
  readonly location: string | undefined;
  readonly children: readonly MimePart[];
  readonly message: MimePart | undefined;
  /** ENVELOPE in wire form as raw text, for the root of a message; else "". */
  readonly envelope: string;
}

/** What a header says of its part. */
export type PartDescription = Pick<
  MimePart,
  | "type"
  | "subtype"
  | "parameters"
  | "encoding"
  | "contentId"
  | "description"
  | "md5"
  | "disposition"
  | "languages"
  | "location"
  | "envelope"
>;
