import { Buffer } from "node:buffer";
import { type Bytes, concatBytes, decodeLatin1 } from "../base/mod.ts";
import type { ZonedTime } from "../store/mod.ts";
import { parseFromLine } from "./mbox_date.ts";

const CR = 13;
const LF = 10;
const QUOTE = 62; // >

/** A line of more octets is neither a separator nor one of the fields that are looked for. */
const MAX_LINE_BYTES = 64 * 1024;

/** Fields in which mail programs keep flags; the first of each is taken out of the message. */
const STATUS_FIELDS = ["status", "x-status", "x-keywords"] as const;
type StatusField = typeof STATUS_FIELDS[number];

/** Where the messages of an mbox go, one after the other. */
export interface MboxSink {
  begin(date: ZonedTime | undefined): Promise<void>;
  write(bytes: Bytes): Promise<void>;
  /** `status` has the values of the fields found; `isFolderData`: it is no mail but a program's. */
  end(status: ReadonlyMap<StatusField, string>, isFolderData: boolean): Promise<void>;
}

/**
 * Reads mboxrd and mboxo. A separator is a line that begins with "From " and ends with a date, after
 * an empty line or not; one ">" goes from lines that have it in front of "From ". What this program
 * wrote (it begins each header with its three fields) is given back exactly, also where the message
 * had no line end at its end; elsewhere a missing empty line before the next message is forgiven.
 */
export class MboxReader {
  readonly #sink: MboxSink;
  #tail: Bytes = new Uint8Array(0);
  #isMidLine = false;
  #isOpen = false;
  #isInHeader = false;
  #headerLines = 0;
  #ownFields = 0;
  #isFolderData = false;
  readonly #status = new Map<StatusField, string>();
  /** The field that a continuation line belongs to, if it was taken out. */
  #field: StatusField | undefined;
  /** A line end that is part of the message only if more follows. */
  #held: Bytes = new Uint8Array(0);
  #endsLine = true;

  constructor(sink: MboxSink) {
    this.#sink = sink;
  }

  async write(chunk: Bytes): Promise<void> {
    const bytes = this.#tail.length > 0 ? concatBytes([this.#tail, chunk]) : chunk;
    let end = bytes.lastIndexOf(LF) + 1;
    // A line without end goes on as it is, but for what may be half a line end.
    if (end === 0 && bytes.length > MAX_LINE_BYTES) end = bytes.length - 1;
    if (end > 0) await this.#take(bytes.subarray(0, end));
    this.#tail = bytes.slice(end);
  }

  /** Ends the file. */
  async end(): Promise<void> {
    if (this.#tail.length > 0) await this.#take(this.#tail);
    await this.#close();
  }

  async #take(bytes: Bytes): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at = this.#isMidLine || !this.#isOpen || this.#isInHeader
        ? await this.#takeLine(bytes, at)
        : await this.#takeBody(bytes, at);
    }
    this.#isMidLine = bytes[bytes.length - 1] !== LF;
  }

  async #takeLine(bytes: Bytes, at: number): Promise<number> {
    const lineEnd = bytes.indexOf(LF, at) + 1;
    const end = lineEnd === 0 ? bytes.length : lineEnd;
    const line = bytes.subarray(at, end);
    const wasMidLine = this.#isMidLine;
    this.#isMidLine = lineEnd === 0;
    if (wasMidLine) {
      await this.#emit(line);
      return end;
    }
    const text = decodeLatin1(line.subarray(0, MAX_LINE_BYTES));
    const date = parseFromLine(text);
    if (date || (!this.#isOpen && text.startsWith("From "))) {
      await this.#open(date);
      return end;
    }
    // Before the first separator there is at most empty space.
    if (!this.#isOpen) {
      if (text.trim() === "") return end;
      throw new TypeError('it does not begin with a line that begins with "From "');
    }
    if (this.#isInHeader && this.#takeField(text)) return end;
    await this.#emit(/^>+From /.test(text) ? line.subarray(1) : line);
    return end;
  }

  /** Whether the line of a header is taken out of the message. */
  #takeField(text: string): boolean {
    if (/^[ \t]/.test(text) && this.#field) {
      this.#status.set(this.#field, `${this.#status.get(this.#field)} ${text.trim()}`);
      return true;
    }
    this.#field = undefined;
    if (text.trim() === "") {
      this.#isInHeader = false;
      return false;
    }
    const [, name = "", value = ""] = /^([!-9;-~]+)[ \t]*:(.*)/s.exec(text) ?? [];
    const field = STATUS_FIELDS.find((each) => each === name.toLowerCase());
    const position = this.#headerLines++;
    if (name.toLowerCase() === "x-imap") this.#isFolderData = true;
    if (!field || this.#status.has(field)) return false;
    if (STATUS_FIELDS[position] === field) this.#ownFields++;
    this.#status.set(field, value.trim());
    // Behind the last of our own there is the message, whatever it begins with.
    this.#field = this.#isOwn ? undefined : field;
    return true;
  }

  async #takeBody(bytes: Bytes, at: number): Promise<number> {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let search = at;;) {
      const from = buffer.indexOf("From ", search, "latin1");
      if (from < 0) {
        await this.#emit(bytes.subarray(at));
        return bytes.length;
      }
      let start = from;
      while (start > at && bytes[start - 1] === QUOTE) start--;
      if (start > 0 && bytes[start - 1] !== LF) {
        search = from + 5;
        continue;
      }
      if (start > at) await this.#emit(bytes.subarray(at, start));
      return await this.#takeLine(bytes, start);
    }
  }

  async #open(date: ZonedTime | undefined): Promise<void> {
    await this.#close();
    this.#isOpen = true;
    this.#isInHeader = true;
    this.#headerLines = 0;
    this.#ownFields = 0;
    this.#isFolderData = false;
    this.#status.clear();
    this.#field = undefined;
    this.#held = new Uint8Array(0);
    this.#endsLine = true;
    await this.#sink.begin(date);
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (!this.#isOwn && !this.#endsLine && this.#held.length > 0) {
      await this.#sink.write(this.#held);
    }
    await this.#sink.end(this.#status, this.#isFolderData);
  }

  get #isOwn(): boolean {
    return this.#ownFields === STATUS_FIELDS.length;
  }

  /** Hands on all but the last line end. */
  async #emit(bytes: Bytes): Promise<void> {
    if (bytes.length === 0) return;
    if (this.#held.length > 0) {
      await this.#sink.write(this.#held);
      this.#endsLine = true;
    }
    let end = bytes.length;
    if (bytes[end - 1] === LF) end -= bytes[end - 2] === CR ? 2 : 1;
    this.#held = bytes.slice(end);
    if (end === 0) return;
    await this.#sink.write(bytes.subarray(0, end));
    this.#endsLine = bytes[end - 1] === LF;
  }
}
