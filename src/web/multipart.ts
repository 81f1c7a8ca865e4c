import { Buffer } from "node:buffer";
import { type Bytes, concatBytes, EMPTY_BYTES } from "../base/mod.ts";
import { MAX_FIELD_BYTES, MAX_FIELDS, MAX_PART_HEAD_BYTES } from "./limits.ts";

/** A form whose file is read as it comes. */
export interface UploadedForm {
  /** Texts of the fields that stand before the file. */
  readonly fields: ReadonlyMap<string, string>;
  /** As the browser calls it, path and all; undefined when the form has no file. */
  readonly fileName: string | undefined;
  /** The octets of the file, to be read once. Throws MultipartError when they break off. */
  readonly file: AsyncIterable<Bytes>;
}

/** A body that is no form; `message` says why. */
export class MultipartError extends Error {
  override readonly name = "MultipartError";
}

/**
 * Reads a form up to its first file, which is then read piece by piece; what stands behind it is
 * ignored. Throws MultipartError.
 */
export async function readUpload(
  contentType: string,
  body: AsyncIterable<Bytes>,
): Promise<UploadedForm> {
  const [, quoted, token] =
    /^multipart\/form-data\s*;.*?\bboundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i
      .exec(contentType) ?? [];
  const boundary = quoted ?? token;
  if (boundary === undefined) throw new MultipartError("The form is not of the type expected.");
  const input = new Input(body);
  try {
    return await readFields(input, Buffer.from(`\r\n--${boundary}`, "latin1"));
  } catch (error) {
    await input.close();
    throw error;
  }
}

async function readFields(input: Input, delimiter: Buffer): Promise<UploadedForm> {
  // The first delimiter has no line end in front of it.
  input.push(Buffer.from("\r\n"));
  await input.skipTo(delimiter);
  const fields = new Map<string, string>();
  while (await input.isPartNext()) {
    const { name, fileName } = parseHead(await input.takeLine(HEAD_END, MAX_PART_HEAD_BYTES));
    if (fileName !== undefined) return { fields, fileName, file: input.last(delimiter) };
    const value = await input.takeLine(delimiter, MAX_FIELD_BYTES);
    if (fields.size >= MAX_FIELDS) throw new MultipartError("The form has too many fields.");
    fields.set(name, new TextDecoder().decode(value));
  }
  return { fields, fileName: undefined, file: input.last(delimiter) };
}

const HEAD_END = Buffer.from("\r\n\r\n");

function parseHead(head: Bytes): { name: string; fileName: string | undefined } {
  const text = new TextDecoder().decode(head);
  const disposition = /^content-disposition:\s*form-data\s*;(.*)$/im.exec(text)?.[1] ?? "";
  // Browsers write quotes and line ends as in URLs.
  const parameter = (name: string) =>
    new RegExp(`(?:^|;)\\s*${name}="([^"]*)"`, "i").exec(disposition)?.[1]
      ?.replace(/%(22|0D|0A)/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  const name = parameter("name");
  if (name === undefined) throw new MultipartError("A field of the form has no name.");
  return { name, fileName: parameter("filename") };
}

/** Octets that come in, as far as they were not taken. */
class Input {
  readonly #pieces: AsyncIterator<Bytes>;
  #buffer: Bytes = EMPTY_BYTES;

  constructor(body: AsyncIterable<Bytes>) {
    this.#pieces = body[Symbol.asyncIterator]();
  }

  push(bytes: Bytes): void {
    this.#buffer = concatBytes([this.#buffer, bytes]);
  }

  async skipTo(delimiter: Buffer): Promise<void> {
    for await (const _ of this.upTo(delimiter));
  }

  /** Behind a delimiter: whether another part begins there, or the end. */
  async isPartNext(): Promise<boolean> {
    while (this.#buffer.length < 2) await this.#readMore();
    const isNext = this.#buffer[0] === 13 && this.#buffer[1] === 10;
    // What has no header at all begins with an empty line.
    if (isNext) this.#buffer = this.#buffer.subarray(2);
    return isNext;
  }

  /** What stands before `end`, which is taken too. */
  async takeLine(end: Buffer, maxBytes: number): Promise<Bytes> {
    const pieces: Bytes[] = [];
    let length = 0;
    for await (const piece of this.upTo(end)) {
      length += piece.length;
      if (length > maxBytes) throw new MultipartError("A field of the form is too long.");
      pieces.push(piece.slice());
    }
    return concatBytes(pieces);
  }

  /** The octets before the next `delimiter`, piece by piece; it is taken too. */
  async *upTo(delimiter: Buffer): AsyncGenerator<Bytes> {
    for (;;) {
      const { buffer, byteOffset, length } = this.#buffer;
      const at = Buffer.from(buffer, byteOffset, length).indexOf(delimiter);
      // The delimiter may have begun at the end of what is here.
      const safe = at >= 0 ? at : Math.max(0, length - delimiter.length + 1);
      const piece = this.#buffer.subarray(0, safe);
      this.#buffer = this.#buffer.subarray(at >= 0 ? at + delimiter.length : safe);
      if (piece.length > 0) yield piece;
      if (at >= 0) return;
      await this.#readMore();
    }
  }

  /** As `upTo`; nothing behind it is read. */
  async *last(delimiter: Buffer): AsyncGenerator<Bytes> {
    try {
      yield* this.upTo(delimiter);
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    await this.#pieces.return?.();
  }

  async #readMore(): Promise<void> {
    const { done, value } = await this.#pieces.next();
    if (done) throw new MultipartError("The form was cut off.");
    this.push(value);
  }
}
