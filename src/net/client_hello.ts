/** Reads what a TLS client asks for, before anyone decides who answers it. */
import { type Bytes, decodeLatin1 } from "../base/mod.ts";
import { Cursor } from "./cursor.ts";
import { MAX_CLIENT_HELLO, MAX_CLIENT_HELLO_RECORDS } from "./limits.ts";

/** What a ClientHello asks for. */
export interface ClientHello {
  readonly kind: "hello";
  /** The host name asked for, in lower case without a final dot. */
  readonly sni: string | undefined;
  /** Protocols offered by ALPN (RFC 7301 3.1), one character a byte; empty when none are. */
  readonly alpn: readonly string[];
}

export type ClientHelloParse =
  | ClientHello
  /** `atLeast`: how many bytes, from the first, there must be before asking again is of use. */
  | { readonly kind: "needMore"; readonly atLeast: number }
  | { readonly kind: "notTls" }
  | { readonly kind: "tooBig" }
  /** It is TLS, but its lengths contradict each other. */
  | { readonly kind: "malformed" };

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const MAX_RECORD = 16_384;
const EXTENSION_SNI = 0;
const EXTENSION_ALPN = 16;

const NOT_TLS = { kind: "notTls" } as const;
const TOO_BIG = { kind: "tooBig" } as const;
const MALFORMED = { kind: "malformed" } as const;

/**
 * Reads the ClientHello at the front of what has arrived, in as many records as it comes. Says
 * `notTls` as soon as the bytes that are there rule TLS out.
 */
export function parseClientHello(bytes: Bytes): ClientHelloParse {
  const gathered = gatherClientHello(bytes);
  return gathered.kind === "message"
    ? parseBody(gathered.message.subarray(4)) ?? MALFORMED
    : gathered;
}

/** The message with its type and length, out of its records; or why there is none. */
export function gatherClientHello(
  bytes: Bytes,
): { readonly kind: "message"; readonly message: Bytes } | Exclude<ClientHelloParse, ClientHello> {
  if (bytes.length > 0 && bytes[0] !== HANDSHAKE_RECORD) return NOT_TLS;
  if (bytes.length > 1 && bytes[1] !== 3) return NOT_TLS;
  const pieces: Bytes[] = [];
  let gathered = 0;
  let offset = 0;
  let wanted = 4; // type and length, until the length is known
  while (gathered < wanted) {
    if (offset + 5 > MAX_CLIENT_HELLO || pieces.length >= MAX_CLIENT_HELLO_RECORDS) return TOO_BIG;
    if (bytes.length < offset + 5) return { kind: "needMore", atLeast: offset + 5 };
    if (bytes[offset] !== HANDSHAKE_RECORD || bytes[offset + 1] !== 3) return MALFORMED;
    const size = bytes[offset + 3]! << 8 | bytes[offset + 4]!;
    if (size === 0 || size > MAX_RECORD) return offset === 0 ? NOT_TLS : MALFORMED;
    const start = offset + 5;
    if (start + size > MAX_CLIENT_HELLO) return TOO_BIG;
    if (offset === 0 && bytes.length > start && bytes[start] !== CLIENT_HELLO) return NOT_TLS;
    if (bytes.length < start + size) return { kind: "needMore", atLeast: start + size };
    pieces.push(bytes.subarray(start, start + size));
    gathered += size;
    offset = start + size;
    if (wanted === 4 && gathered >= 4) {
      const head = headOf(pieces);
      wanted = 4 + (head[1]! << 16 | head[2]! << 8 | head[3]!);
      if (wanted > MAX_CLIENT_HELLO) return TOO_BIG;
    }
  }
  // A ClientHello is the last thing in its record.
  if (gathered !== wanted) return MALFORMED;
  const message = new Uint8Array(gathered);
  let filled = 0;
  for (const piece of pieces) {
    message.set(piece, filled);
    filled += piece.length;
  }
  return { kind: "message", message };
}

/** The first four bytes of what lies in `pieces`, which hold at least four. */
function headOf(pieces: readonly Bytes[]): number[] {
  const head: number[] = [];
  for (const piece of pieces) {
    for (let i = 0; i < piece.length && head.length < 4; i++) head.push(piece[i]!);
  }
  return head;
}

/** The message after its type and length; undefined when malformed. */
function parseBody(body: Bytes): ClientHello | undefined {
  const cursor = new Cursor(body);
  cursor.skip(2 + 32); // legacy version, random
  cursor.vector(1); // session id
  cursor.vector(2); // cipher suites
  cursor.vector(1); // compression methods
  let sni: string | undefined;
  let alpn: string[] = [];
  if (!cursor.failed && !cursor.isAtEnd) {
    const extensions = new Cursor(cursor.vector(2));
    while (!extensions.failed && !extensions.isAtEnd) {
      const type = extensions.number(2);
      const data = new Cursor(extensions.vector(2));
      if (type === EXTENSION_SNI) sni = parseServerName(data);
      if (type === EXTENSION_ALPN) alpn = parseProtocols(data);
      if (data.failed) return undefined;
    }
    if (extensions.failed || !cursor.isAtEnd) return undefined;
  }
  return cursor.failed ? undefined : { kind: "hello", sni, alpn };
}

/** The first host name of a server_name extension, when it looks like one. */
function parseServerName(data: Cursor): string | undefined {
  const names = data.within(2);
  let found: string | undefined;
  while (!names.failed && !names.isAtEnd) {
    const type = names.number(1);
    const name = decodeLatin1(names.vector(2)).toLowerCase().replace(/\.$/, "");
    if (type === 0 && found === undefined && /^[a-z0-9_.-]{1,253}$/.test(name)) found = name;
  }
  if (names.failed) data.fail();
  return found;
}

/** RFC 7301 3.1: names of 1 to 255 bytes, at least one. */
function parseProtocols(data: Cursor): string[] {
  const list = data.within(2);
  const protocols: string[] = [];
  while (!list.failed && !list.isAtEnd) {
    const name = list.vector(1);
    if (name.length === 0) list.fail();
    else protocols.push(decodeLatin1(name));
  }
  if (list.failed || protocols.length === 0) data.fail();
  return protocols;
}
