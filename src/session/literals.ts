import type { CommandSpec, Registry } from "../imap/mod.ts";
import {
  type Frame,
  type LiteralHeader,
  MAX_LITERAL_BYTES,
  MAX_LITERALS,
  MAX_LITERALS_BYTES,
  MAX_LITERALS_BYTES_BEFORE_LOGIN,
  Reader,
  WireError,
} from "../wire/mod.ts";

/** Tag and command of a frame, as far as they can be read. */
export interface Heading {
  readonly tag: string;
  readonly name: string;
  readonly spec: CommandSpec | undefined;
  /** Stands behind the command's name. */
  readonly reader: Reader;
}

/** Reads tag and command name. Throws WireError when there is not even a tag. */
export function readHeading(
  frame: Frame,
  registry: Registry,
  nameMode: "utf7" | "utf8",
): Heading {
  const reader = new Reader(frame, nameMode);
  const tag = reader.tag();
  let name = "";
  if (reader.trySpace()) {
    name = reader.tryWord() ?? "";
    if (name === "UID" && reader.trySpace()) name = `UID ${reader.tryWord() ?? ""}`;
  }
  return { tag, name, spec: registry.commands.get(name), reader };
}

/** Says that a literal is larger than a command may hold in memory (behaviour as RFC 9051 4.3). */
export class LiteralTooBig extends WireError {}

/** Throws LiteralTooBig when `literal` may not be held in memory beside those of `frame`. */
export function checkHeldLiteral(frame: Frame, literal: LiteralHeader, isLoggedIn: boolean): void {
  let count = 1;
  let bytes = literal.size;
  for (const part of frame.parts) {
    if (typeof part === "string") continue;
    count++;
    bytes += part.bytes.length;
  }
  const most = isLoggedIn ? MAX_LITERALS_BYTES : MAX_LITERALS_BYTES_BEFORE_LOGIN;
  if (count > MAX_LITERALS || literal.size > MAX_LITERAL_BYTES || bytes > most) {
    throw new LiteralTooBig("Literal is larger than this command may hold", "TOOBIG");
  }
}
