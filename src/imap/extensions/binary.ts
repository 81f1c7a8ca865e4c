import { type Bytes, concatBytes } from "../../base/mod.ts";
import {
  type ByteRange,
  createTransferDecoder,
  decodeParts,
  findPart,
  type TransferDecoder,
} from "../../message/mod.ts";
import type { MessageRow } from "../../store/mod.ts";
import type { Reader } from "../../wire/mod.ts";
import { pipeRaw } from "../body_items.ts";
import type { Extension } from "../extension.ts";
import type { FetchItem } from "../fetch_items.ts";
import { no } from "../imap_error.ts";
import {
  cut,
  cutRange,
  originText,
  type Partial,
  partialText,
  readBinarySection,
  readPartial,
} from "../section.ts";
import type { Session } from "../session.ts";

/** A part with its transfer encoding; undefined for one that nobody knows. */
interface EncodedPart {
  readonly range: ByteRange;
  readonly newDecoder: () => TransferDecoder | undefined;
}

/** BINARY[section]<partial> (RFC 3516 4.2, RFC 9051 6.4.5): the part without transfer encoding. */
function binaryItem(reader: Reader, setsSeen: boolean): FetchItem {
  const part = readBinarySection(reader);
  const partial = readPartial(reader);
  const label = `BINARY[${part.join(".")}]`;
  return {
    key: `${label}${partialText(partial)}`,
    setsSeen,
    columns: ["parts", "raw"],
    async write(row, session) {
      session.out.writer.raw(`${label}${originText(partial)} `);
      const encoded = findEncodedPart(row, part);
      if (!encoded) return void session.out.writer.raw("NIL");
      if (row.raw) writeContent(session, cut(decodeWhole(row.raw, encoded, session), partial));
      else await streamContent(row, session, encoded, partial);
    },
  };
}

/** BINARY.SIZE[section] (RFC 3516 4.3): octets of the decoded part. */
function binarySizeItem(reader: Reader): FetchItem {
  const part = readBinarySection(reader);
  const label = `BINARY.SIZE[${part.join(".")}]`;
  return {
    key: label,
    columns: ["parts", "raw"],
    async write(row, session) {
      const { writer } = session.out;
      writer.raw(`${label} `);
      const encoded = findEncodedPart(row, part);
      if (!encoded) return void writer.raw("NIL");
      const size = row.raw
        ? decodeWhole(row.raw, encoded, session).length
        : (await measure(row, session, encoded, undefined)).size;
      writer.raw(`${size}`);
    },
  };
}

function findEncodedPart(row: MessageRow, path: readonly number[]): EncodedPart | undefined {
  if (path.length === 0) {
    return {
      range: { start: 0, end: row.size },
      newDecoder: () => createTransferDecoder("binary"),
    };
  }
  const part = findPart(decodeParts(row.parts!), path);
  if (!part) return undefined;
  return {
    range: { start: part.bodyStart, end: part.bodyEnd },
    newDecoder: () => createTransferDecoder(part.encoding),
  };
}

/** A decoder, or NIL and NO [UNKNOWN-CTE] for an encoding that nobody knows. */
function decoderFor(encoded: EncodedPart, session: Session): TransferDecoder {
  const decoder = encoded.newDecoder();
  if (decoder) return decoder;
  session.out.writer.raw("NIL");
  throw no("The part has an unknown transfer encoding", "UNKNOWN-CTE");
}

function decodeWhole(raw: Bytes, encoded: EncodedPart, session: Session): Bytes {
  const { start, end } = encoded.range;
  const decoder = decoderFor(encoded, session);
  return concatBytes([decoder.write(raw.subarray(start, end)), decoder.end()]);
}

/** A literal, or a literal8 where there is a NUL, which a literal cannot hold (RFC 9051 4.3). */
function writeContent(session: Session, content: Bytes): void {
  if (content.includes(0)) session.out.writer.literal8(content);
  else session.out.writer.literal(content);
}

/** Decodes twice, first to know the length, so that a large part never stands in memory. */
async function streamContent(
  row: MessageRow,
  session: Session,
  encoded: EncodedPart,
  partial: Partial | undefined,
): Promise<void> {
  const { writer } = session.out;
  const { size, hasNul } = await measure(row, session, encoded, partial);
  writer.raw(`${hasNul ? "~" : ""}{${size}}\r\n`);
  // Copied, because a decoder may use its memory again while this waits to be sent.
  await decode(row, session, encoded, partial, (content) => void writer.bytes(content.slice()));
}

/** How long the content is that a partial leaves, and whether it has a NUL. */
async function measure(
  row: MessageRow,
  session: Session,
  encoded: EncodedPart,
  partial: Partial | undefined,
): Promise<{ size: number; hasNul: boolean }> {
  let size = 0;
  let hasNul = false;
  await decode(row, session, encoded, partial, (content) => {
    size += content.length;
    hasNul ||= content.includes(0);
  });
  return { size, hasNul };
}

async function decode(
  row: MessageRow,
  session: Session,
  encoded: EncodedPart,
  partial: Partial | undefined,
  onContent: (content: Bytes) => void,
): Promise<void> {
  const decoder = decoderFor(encoded, session);
  const wanted = cutRange({ start: 0, end: Infinity }, partial);
  let position = 0;
  const give = (content: Bytes) => {
    const start = Math.max(0, wanted.start - position);
    const end = Math.max(0, wanted.end - position);
    position += content.length;
    if (start < content.length && end > start) onContent(content.subarray(start, end));
  };
  const { start, end } = encoded.range;
  await pipeRaw(row, session, start, end, (piece) => give(decoder.write(piece)));
  give(decoder.end());
}

/** Content without transfer encoding, and literals that hold any octet (RFC 3516). */
export const binary: Extension = {
  rfc: [3516],
  title: "BINARY: parts without their transfer encoding",
  capabilities: [{ name: "BINARY", when: "afterLogin" }],
  fetchItems: [
    { name: "BINARY", parse: (reader) => binaryItem(reader, true) },
    { name: "BINARY.PEEK", parse: (reader) => binaryItem(reader, false) },
    { name: "BINARY.SIZE", parse: binarySizeItem },
  ],
};
