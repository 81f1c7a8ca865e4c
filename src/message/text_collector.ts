import { type Bytes, concatBytes } from "../base/mod.ts";
import { decodeCharset } from "./charset.ts";
import { htmlToText } from "./html_text.ts";
import { MAX_TEXT_BYTES } from "./limits.ts";
import type { MimePart } from "./mime_part.ts";
import { parameterText } from "./parameters.ts";
import { makePreview } from "./preview.ts";
import { createTransferDecoder, type TransferDecoder } from "./transfer_decoder.ts";

/** Gathers the text that search and previews see while a message is scanned. */
export class TextCollector {
  readonly #texts: string[] = [];
  #preview = "";
  #budget = MAX_TEXT_BYTES;
  #chunks: Bytes[] = [];
  #decoder: TransferDecoder | undefined;
  #isPreviewSource = false;

  /** Text that is not a part's content, such as the header of an embedded message. */
  add(text: string): void {
    const kept = text.slice(0, this.#budget);
    this.#budget -= kept.length;
    if (kept !== "") this.#texts.push(kept);
  }

  /** Gives whether the leaf's bytes are wanted. `parents` are outermost first. */
  beginLeaf(part: MimePart, parents: readonly MimePart[]): boolean {
    // Bounces and receipts are text in all but name.
    const isText = part.type === "text" ||
      part.mediaType === "message/delivery-status" ||
      part.mediaType === "message/disposition-notification";
    this.#decoder = isText && this.#budget > 0 ? createTransferDecoder(part.encoding) : undefined;
    this.#isPreviewSource = isText && this.#preview === "" && isPreviewable(part, parents);
    return this.#decoder !== undefined;
  }

  leafData(bytes: Bytes): void {
    if (this.#decoder === undefined || this.#budget <= 0) return;
    this.#keep(this.#decoder.write(bytes), bytes);
  }

  endLeaf(part: MimePart): void {
    if (this.#decoder === undefined) return;
    this.#keep(this.#decoder.end(), undefined);
    this.#decoder = undefined;
    const bytes = concatBytes(this.#chunks);
    this.#chunks = [];
    const decoded = decodeCharset(bytes, parameterText(part.parameters, "charset") ?? "");
    const text = part.subtype === "html" ? htmlToText(decoded) : decoded;
    this.#texts.push(text);
    if (this.#isPreviewSource) this.#preview = makePreview(text);
  }

  finish(): { bodyText: string; preview: string } {
    const bodyText = this.#texts.join("\n").replaceAll("\0", "");
    return { bodyText, preview: this.#preview.replaceAll("\0", "") };
  }

  /** Keeps decoded bytes within the budget, copied when they share the caller's memory. */
  #keep(decoded: Bytes, source: Bytes | undefined): void {
    const length = Math.min(decoded.length, this.#budget);
    if (length === 0) return;
    this.#budget -= length;
    const kept = decoded.subarray(0, length);
    this.#chunks.push(kept.buffer === source?.buffer ? kept.slice() : kept);
  }
}

/** Whether a preview may be made of the part: shown text, and not what signs or encrypts. */
function isPreviewable(part: MimePart, parents: readonly MimePart[]): boolean {
  const isShown = part.mediaType === "text/plain" || part.mediaType === "text/html";
  if (!isShown || part.disposition?.value === "attachment") return false;
  return parents.every((parent) =>
    parent.mediaType !== "multipart/encrypted" &&
    (parent.mediaType !== "multipart/signed" || parent.children.length <= 1)
  );
}
