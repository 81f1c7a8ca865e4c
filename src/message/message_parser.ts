import { type Bytes, encodeLatin1 } from "../base/mod.ts";
import { writeBodyStructure } from "./body_structure.ts";
import { parseDate } from "./date.ts";
import { type EnvelopeAddresses, readAddresses, writeEnvelope } from "./envelope.ts";
import { decodeField, type Header, parseHeader } from "./header.ts";
import { MAX_ADDRESSES } from "./limits.ts";
import { parseMessageId, parseMessageIds } from "./message_id.ts";
import type { PartDescription } from "./mime_part.ts";
import { MimeScanner } from "./mime_scanner.ts";
import type { ParsedMessage } from "./parsed_message.ts";
import { parameterText } from "./parameters.ts";
import { describePart } from "./part_header.ts";
import { makeSortKeys } from "./sort_keys.ts";
import { baseSubject } from "./subject.ts";
import { TextCollector } from "./text_collector.ts";

/** Larger pieces than this are taken in steps, to bound what is held beside them. */
const STEP_BYTES = 256 * 1024;

/**
 * Parses one message (RFC 5322, RFC 2045) that comes in pieces of any size. Any bytes are a
 * message: nothing is refused, and what makes no sense is left out of what is derived. Memory stays
 * bounded by `limits.ts` however large the message; offsets are exact up to 2^53.
 */
export class MessageParser {
  readonly #text = new TextCollector();
  readonly #partHeaders: string[] = [];
  readonly #scanner: MimeScanner;
  #addressesLeft = MAX_ADDRESSES;
  /** Of the message itself. */
  #header: Header | undefined;
  #addresses: EnvelopeAddresses | undefined;

  constructor() {
    const text = this.#text;
    this.#scanner = new MimeScanner({
      describe: (header, defaultType, isMessage) => this.#describe(header, defaultType, isMessage),
      beginLeaf: (part, parents) => text.beginLeaf(part, parents),
      leafData: (bytes) => text.leafData(bytes),
      endLeaf: (part) => text.endLeaf(part),
    });
  }

  /** Takes the next bytes. `chunk` may be used again afterwards. */
  write(chunk: Bytes): void {
    for (let at = 0; at < chunk.length; at += STEP_BYTES) {
      this.#scanner.write(chunk.subarray(at, at + STEP_BYTES));
    }
  }

  /** Ends the message; once, and nothing may be written after it. */
  end(): ParsedMessage {
    const { root, size } = this.#scanner.end();
    const header = this.#header ?? parseHeader("");
    const addresses = this.#addresses ?? readAddresses(header, 0);
    const date = parseDate(header.first("date") ?? "");
    const subject = decodeField(header.first("subject") ?? "");
    const { base, isReply } = baseSubject(subject);
    return {
      size,
      headerSize: root.bodyStart,
      root,
      envelope: encodeLatin1(root.envelope),
      body: encodeLatin1(writeBodyStructure(root, false)),
      bodyStructure: encodeLatin1(writeBodyStructure(root, true)),
      sentDate: date?.instantMs,
      sentDay: date?.day,
      messageId: parseMessageId(header.first("message-id") ?? ""),
      inReplyTo: parseMessageIds(header.first("in-reply-to") ?? ""),
      references: parseMessageIds(header.first("references") ?? ""),
      baseSubject: base,
      isReply,
      sortKeys: makeSortKeys(addresses),
      headerText: header.text(),
      partHeaderText: this.#partHeaders.join(""),
      ...this.#text.finish(),
    };
  }

  #describe(raw: string, defaultType: string, isMessage: boolean): PartDescription {
    const header = parseHeader(raw);
    const part = describePart(header, defaultType);
    if (!isMessage) {
      this.#partHeaders.push(header.text(), fileNameText(part));
      return part;
    }
    const addresses = readAddresses(header, this.#addressesLeft);
    for (const list of [addresses.from, addresses.to, addresses.cc, addresses.bcc]) {
      this.#addressesLeft = Math.max(0, this.#addressesLeft - list.length);
    }
    if (this.#header === undefined) {
      this.#header = header;
      this.#addresses = addresses;
    } else this.#text.add(header.text());
    return { ...part, envelope: writeEnvelope(header, addresses) };
  }
}

/** A line with the file name of a part whose header has it in extended notation (RFC 2231 4). */
function fileNameText(part: PartDescription): string {
  const parameters = [...part.parameters, ...part.disposition?.parameters ?? []];
  if (!parameters.some(({ name }) => name === "filename*" || name === "name*")) return "";
  const name = parameterText(parameters, "filename") ?? parameterText(parameters, "name") ?? "";
  return `Content-Disposition: filename=${name.replace(/[\r\n]+/g, " ")}\n`;
}

/** Parses a message that is in memory. */
export function parseMessage(bytes: Bytes): ParsedMessage {
  const parser = new MessageParser();
  parser.write(bytes);
  return parser.end();
}
