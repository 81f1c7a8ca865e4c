import type { Bytes } from "../../src/base/mod.ts";
import { concatBytes } from "../../src/base/mod.ts";
import type { ParsedMessage } from "../../src/message/mod.ts";
import { encodeParts, parseMessage } from "../../src/message/mod.ts";
import type { ContentColumn, MessageStage, StagedMessage } from "../../src/store/mod.ts";

const CR = 13;
const LF = 10;

interface Field {
  readonly name: string;
  readonly value: string;
}

function fieldsOf(text: string): Field[] {
  return text.split("\n").filter((line) => line !== "").map((line) => {
    const colon = line.indexOf(":");
    return { name: line.slice(0, colon), value: line.slice(colon + 1).trimStart() };
  });
}

/** What is kept of a message apart from its place in a mailbox; copies share it. */
export class ModelContent {
  static #made = 0;
  readonly emailId = `E${++ModelContent.#made}`;
  readonly threadId = `T${ModelContent.#made}`;

  constructor(readonly raw: Bytes, readonly parsed: ParsedMessage) {}

  get bodyText(): string {
    return this.parsed.bodyText;
  }

  get sentDay(): number | undefined {
    return this.parsed.sentDay;
  }

  /** Fields of the message's own header, then those of its parts. */
  get fields(): { own: readonly Field[]; parts: readonly Field[] } {
    return { own: fieldsOf(this.parsed.headerText), parts: fieldsOf(this.parsed.partHeaderText) };
  }

  column(column: ContentColumn): Bytes | string {
    switch (column) {
      case "raw":
        return this.raw;
      case "header":
        return this.raw.slice(0, this.parsed.headerSize);
      case "parts":
        return encodeParts(this.parsed.root);
      default:
        return this.parsed[column];
    }
  }
}

/** Gathers everything and converts it in one go, unlike an engine that must do so by pieces. */
export class ModelStage implements MessageStage {
  readonly #chunks: Bytes[] = [];

  get size(): number {
    return toCrlf(concatBytes(this.#chunks)).length;
  }

  async write(chunk: Bytes): Promise<void> {
    this.#chunks.push(chunk.slice());
  }

  async finish(): Promise<StagedMessage> {
    const raw = toCrlf(concatBytes(this.#chunks));
    return new ModelStagedMessage(new ModelContent(raw, parseMessage(raw)));
  }

  async discard(): Promise<void> {}
}

export class ModelStagedMessage implements StagedMessage {
  readonly size: number;
  readonly parsed: ParsedMessage;

  constructor(readonly content: ModelContent) {
    this.size = content.raw.length;
    this.parsed = content.parsed;
  }

  async park(): Promise<ModelStagedMessage> {
    return this;
  }

  async discard(): Promise<void> {}
}

/** Bare CR and bare LF become CRLF. */
export function toCrlf(bytes: Bytes): Bytes {
  const out: number[] = [];
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    if (byte !== CR && byte !== LF) out.push(byte);
    else {
      out.push(CR, LF);
      if (byte === CR && bytes[i + 1] === LF) i++;
    }
  }
  return Uint8Array.from(out);
}
