import { type Bytes, concatBytes, decodeLatin1, encodeLatin1 } from "../base/mod.ts";
import {
  createTransferDecoder,
  type MimePart,
  parameterText,
  parseAddresses,
  parseHeader,
  parseMessage,
  type TransferDecoder,
} from "../message/mod.ts";
import {
  MAX_CHECKED_HEADER_BYTES,
  MAX_CHECKED_LINE,
  MAX_PREAMBLE_BYTES,
  MAX_SECURE_JOIN_BYTES,
} from "./limits.ts";
import { LineReader } from "./line_reader.ts";
import { ArmorReader } from "./openpgp.ts";

/** What a message is, as far as it matters to who may read it. */
export type MessageKind =
  /** OpenPGP in MIME (multipart/encrypted), by its structure. */
  | "encrypted"
  /** The first message of a secure join, before there are keys. */
  | "secure-join"
  /** A report of failed delivery. */
  | "report"
  /** Anything else. */
  | "clear";

type State =
  | { readonly kind: "header" }
  | { readonly kind: "encrypted"; readonly body: EncryptedBody }
  | { readonly kind: "secure-join" }
  | { readonly kind: "report" }
  | { readonly kind: "clear" };

/** Looks at a message that comes in any split, and keeps next to nothing of it. */
export class MessageCheck {
  readonly #lines = new LineReader(MAX_CHECKED_LINE, (line) => this.#takeLine(line));
  #state: State = { kind: "header" };
  /** The header, or the whole of a message that must be small. */
  #kept: Bytes[] = [];
  #keptBytes = 0;

  write(bytes: Bytes): void {
    const { kind } = this.#state;
    if (kind !== "clear" && kind !== "report" && !this.#lines.write(bytes)) this.#give("clear");
  }

  end(): MessageKind {
    if (!this.#lines.end()) this.#give("clear");
    const state = this.#state;
    switch (state.kind) {
      case "encrypted":
        return state.body.end() ? "encrypted" : "clear";
      case "secure-join":
        return isSecureJoin(concatBytes(this.#kept)) ? "secure-join" : "clear";
      case "report":
        return "report";
      default:
        return "clear";
    }
  }

  #give(kind: "clear" | "report"): void {
    this.#state = { kind };
    this.#kept = [];
  }

  #takeLine(line: Bytes): void {
    const { kind } = this.#state;
    if (this.#state.kind === "encrypted") return this.#state.body.takeLine(line);
    if (kind !== "header" && kind !== "secure-join") return;
    this.#kept.push(line.slice(), CRLF);
    this.#keptBytes += line.length + 2;
    const max = kind === "header" ? MAX_CHECKED_HEADER_BYTES : MAX_SECURE_JOIN_BYTES;
    if (this.#keptBytes > max) return this.#give("clear");
    if (kind === "header" && line.length === 0) this.#readHeader();
  }

  #readHeader(): void {
    const bytes = concatBytes(this.#kept);
    const header = parseHeader(decodeLatin1(bytes));
    const { root } = parseMessage(bytes);
    const type = `${root.type}/${root.subtype}`.toLowerCase();
    if (header.all("content-type").length > 1) return this.#give("clear");
    if (type === "multipart/encrypted") {
      const boundary = parameterText(root.parameters, "boundary");
      if (!boundary) return this.#give("clear");
      this.#kept = [];
      this.#state = { kind: "encrypted", body: new EncryptedBody(boundary) };
    } else if (isSecureJoinWord(header.first("secure-join"))) {
      this.#state = { kind: "secure-join" };
    } else if (type === "multipart/report" && isAutomatic(header)) {
      this.#give("report");
    } else {
      this.#give("clear");
    }
  }
}

const CRLF: Bytes = encodeLatin1("\r\n");

/** From a mail system, which has nobody's keys, and says so. */
function isAutomatic(header: ReturnType<typeof parseHeader>): boolean {
  const [author] = parseAddresses(header.first("from") ?? "", 2);
  const submitted = header.first("auto-submitted")?.trim().toLowerCase() ?? "no";
  return author?.mailbox?.toLowerCase() === "mailer-daemon" && !/^no\b/.test(submitted);
}

function isSecureJoinWord(text: string | undefined): boolean {
  return /^v[cg]-request$/i.test(text?.trim() ?? "");
}

/** One text that says what the header says, alone or as the only part. */
function isSecureJoin(bytes: Bytes): boolean {
  const { root } = parseMessage(bytes);
  const [only, ...more] = root.children;
  const part: MimePart = only ?? root;
  if (more.length > 0 || part.children.length > 0 || part.mediaType !== "text/plain") return false;
  if (!["7bit", "8bit"].includes(part.encoding)) return false;
  const isAlone = part === root ||
    /^\s*--[^\r\n]*\s*$/.test(decodeLatin1(bytes.subarray(root.bodyStart, part.headerStart)));
  const text = decodeLatin1(bytes.subarray(part.bodyStart, part.bodyEnd)).trim().toLowerCase();
  return isAlone && /^secure-join: v[cg]-request$/.test(text);
}

/**
 * The body of a multipart/encrypted message: a part that says "Version: 1" and one with an armored
 * message; no other parts, and nothing to read behind them.
 */
class EncryptedBody {
  readonly #delimiter: string;
  readonly #armor = new ArmorReader();
  #at: "preamble" | "header" | "body" | "epilogue" | "wrong" = "preamble";
  #part = 0;
  #header: string[] = [];
  #text = "";
  #decoder: TransferDecoder | undefined;
  #preamble = 0;

  constructor(boundary: string) {
    this.#delimiter = `--${boundary}`;
  }

  takeLine(bytes: Bytes): void {
    if (this.#at === "wrong") return;
    if (bytes[0] === 0x2d && this.#takeDelimiter(decodeLatin1(bytes).trimEnd())) return;
    switch (this.#at) {
      case "preamble":
        // Some programs tell others here what this is.
        this.#preamble += bytes.length;
        if (this.#preamble > MAX_PREAMBLE_BYTES) this.#at = "wrong";
        return;
      case "header":
        this.#takeHeader(decodeLatin1(bytes));
        return;
      case "body":
        this.#takeBody(bytes);
        return;
      case "epilogue":
        if (decodeLatin1(bytes).trim() !== "") this.#at = "wrong";
    }
  }

  end(): boolean {
    return this.#at === "epilogue";
  }

  #takeDelimiter(line: string): boolean {
    const isEnd = line === `${this.#delimiter}--`;
    if (!isEnd && line !== this.#delimiter) return false;
    const isPartWhole = this.#part === 0
      ? this.#at === "preamble"
      : this.#at === "body" && this.#endPart();
    if (!isPartWhole || isEnd !== (this.#part === 2)) {
      this.#at = "wrong";
    } else if (isEnd) {
      this.#at = "epilogue";
    } else {
      this.#part++;
      this.#at = "header";
      this.#header = [];
    }
    return true;
  }

  #takeHeader(line: string): void {
    this.#header.push(line);
    if (this.#header.length > 100) {
      this.#at = "wrong";
    } else if (line === "") {
      const { root } = parseMessage(encodeLatin1(this.#header.join("\r\n") + "\r\n"));
      const expected = this.#part === 1 ? "application/pgp-encrypted" : "application/octet-stream";
      this.#decoder = createTransferDecoder(root.encoding);
      const type = `${root.type}/${root.subtype}`.toLowerCase();
      this.#at = type === expected && this.#decoder ? "body" : "wrong";
    }
  }

  #takeBody(line: Bytes): void {
    const bytes = this.#decoder?.write(concatBytes([line, CRLF])) ?? CRLF;
    if (this.#part === 2) {
      this.#armor.write(bytes);
    } else {
      this.#text += decodeLatin1(bytes);
      if (this.#text.length > MAX_PREAMBLE_BYTES) this.#at = "wrong";
    }
  }

  #endPart(): boolean {
    const rest = this.#decoder?.end();
    if (this.#part === 1) {
      return (this.#text + (rest ? decodeLatin1(rest) : "")).trim() === "Version: 1";
    }
    if (rest) this.#armor.write(rest);
    return this.#armor.end();
  }
}
