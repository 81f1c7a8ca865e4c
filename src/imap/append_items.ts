import type { ZonedTime } from "../store/mod.ts";
import { type Literal, MAX_LIST_ITEMS, type Reader, WireError } from "../wire/mod.ts";
import { type ParsedFlags, parseFlags } from "./format/flags.ts";

/** One message of an APPEND, or of a command that takes messages as APPEND does. */
export interface AppendItem {
  readonly flags: ParsedFlags;
  /** Undefined: now. */
  readonly internalDate: ZonedTime | undefined;
  /** The whole message, or the pieces that it is put together of (RFC 4469). */
  readonly content: Literal | readonly CatenatePart[];
}

/** A piece of a message: octets that come with the command, or those that a URL names. */
export type CatenatePart = Literal | string;

/** A command that ends at a literal which is still to come. */
export interface PendingLiteral {
  /** What the literal is: a message, TEXT of CATENATE, or something short that is held. */
  readonly is: "message" | "text" | "held";
  /** Pieces of the same message that come before it. */
  readonly parts: readonly CatenatePart[];
}

/**
 * Reads ` (flags) "date" literal` (RFC 4466 2.5, `append-message`), the literal also as UTF8 (…)
 * (RFC 6855 4), or CATENATE (…) in its place (RFC 4469 5).
 */
export function readAppendItem(reader: Reader): AppendItem {
  const item = readItem(reader);
  if ("is" in item) throw reader.error("a literal with the message");
  return item;
}

/** Reads up to a literal that is still to come; gives the messages before it. */
export function readUpToLiteral(
  reader: Reader,
): { readonly earlier: readonly AppendItem[]; readonly pending: PendingLiteral } {
  const earlier: AppendItem[] = [];
  for (;;) {
    const item = readItem(reader);
    if ("is" in item) return { earlier, pending: item };
    earlier.push(item);
  }
}

function readItem(reader: Reader): AppendItem | PendingLiteral {
  reader.space();
  let flags: ParsedFlags = { flags: 0, keywords: [] };
  if (reader.peek() === "(") {
    flags = parseFlags(reader.list(() => reader.flag(), 0));
    reader.space();
  }
  const internalDate = reader.tryDateTime();
  if (internalDate) reader.space();
  const content = reader.tryExactWord("CATENATE") ? readCatenate(reader) : readLiteral(reader);
  return "is" in content ? content : { flags, internalDate, content };
}

function readLiteral(reader: Reader): Literal | PendingLiteral {
  const isUtf8 = reader.tryExactWord("UTF8");
  if (isUtf8) {
    reader.space();
    reader.char("(");
  }
  if (reader.atEnd) return { is: "message", parts: [] };
  const literal = reader.tryLiteral();
  if (!literal) throw reader.error("a literal with the message");
  if (isUtf8) reader.char(")");
  return literal;
}

/** Reads ` (TEXT literal URL "url" …)`. */
function readCatenate(reader: Reader): readonly CatenatePart[] | PendingLiteral {
  reader.space();
  reader.char("(");
  const parts: CatenatePart[] = [];
  do {
    if (parts.length === MAX_LIST_ITEMS) throw new WireError("Too many pieces");
    const kind = reader.word();
    reader.space();
    if (kind !== "TEXT" && kind !== "URL") throw reader.error("TEXT or URL");
    if (reader.atEnd) return { is: kind === "TEXT" ? "text" : "held", parts };
    if (kind === "URL") {
      parts.push(reader.astring());
      continue;
    }
    const literal = reader.tryLiteral();
    if (!literal) throw reader.error("a literal with text");
    parts.push(literal);
  } while (reader.trySpace());
  reader.char(")");
  return parts;
}
