import { type Bytes, decodeLatin1 } from "../base/mod.ts";
import { MAX_ARMOR_LINE } from "./limits.ts";
import { LineReader } from "./line_reader.ts";

/** Packet types of OpenPGP that an encrypted message is made of. */
const PUBLIC_KEY_SESSION_KEY = 1;
const SYMMETRIC_SESSION_KEY = 3;
const PROTECTED_DATA = 18;

/**
 * Walks over the packets of an OpenPGP message without looking into them, and says whether they are
 * those of an encrypted one: session keys, then protected data, and nothing else.
 */
export class PacketWalker {
  #isWrong = false;
  #hasData = false;
  /** Octets of the present packet that are still to come. */
  #left = 0;
  /** How the number of octets comes: not at all now, in the new format, or in so many octets. */
  #length: "none" | "new" | number = "none";
  #value = 0;
  /** Added to the value when it is complete. */
  #base = 0;
  /** The packet goes on behind this piece. */
  #isPartial = false;

  write(bytes: Bytes): void {
    for (let i = 0; i < bytes.length && !this.#isWrong;) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, bytes.length - i);
        this.#left -= skipped;
        i += skipped;
        continue;
      }
      const byte = bytes[i++]!;
      if (this.#isPartial) {
        this.#isPartial = false;
        this.#length = "new";
      }
      if (this.#length === "none") this.#takeTag(byte);
      else if (this.#length === "new") this.#takeNewLength(byte);
      else this.#takeLengthOctet(byte);
    }
  }

  /** Whether what was written is a whole encrypted message. */
  end(): boolean {
    return !this.#isWrong && this.#hasData && this.#left === 0 && this.#length === "none" &&
      !this.#isPartial;
  }

  #takeTag(byte: number): void {
    const isNew = (byte & 0x40) !== 0;
    const type = isNew ? byte & 0x3f : (byte >> 2) & 0x0f;
    const isKey = type === PUBLIC_KEY_SESSION_KEY || type === SYMMETRIC_SESSION_KEY;
    // Of the old format, a length of 3 is "to the end", behind which nothing can be told apart.
    if (
      (byte & 0x80) === 0 || this.#hasData || !(isKey || type === PROTECTED_DATA) ||
      (!isNew && (byte & 3) === 3)
    ) {
      this.#isWrong = true;
      return;
    }
    this.#hasData = type === PROTECTED_DATA;
    this.#value = this.#base = 0;
    this.#length = isNew ? "new" : 1 << (byte & 3);
  }

  #takeNewLength(byte: number): void {
    this.#value = this.#base = 0;
    if (byte < 192) {
      this.#begin(byte);
    } else if (byte < 224) {
      this.#value = byte - 192;
      this.#base = 192;
      this.#length = 1;
    } else if (byte === 255) {
      this.#length = 4;
    } else {
      // Keys come whole.
      if (!this.#hasData) this.#isWrong = true;
      this.#begin(2 ** (byte & 0x1f));
      this.#isPartial = true;
    }
  }

  #takeLengthOctet(byte: number): void {
    this.#value = this.#value * 256 + byte;
    const left = Number(this.#length) - 1;
    if (left > 0) this.#length = left;
    else this.#begin(this.#value + this.#base);
  }

  #begin(octets: number): void {
    this.#left = octets;
    this.#length = "none";
  }
}

/** Reads ASCII armor, in any split, and says whether it holds an encrypted message and no more. */
export class ArmorReader {
  readonly #packets = new PacketWalker();
  readonly #lines = new LineReader(MAX_ARMOR_LINE, (line) => this.#takeLine(line));
  #at: "before" | "headers" | "data" | "checksum" | "after" | "wrong" = "before";
  /** Fewer than four characters that are not decoded yet. */
  #rest = "";

  write(bytes: Bytes): void {
    if (this.#at !== "wrong" && !this.#lines.write(bytes)) this.#at = "wrong";
  }

  end(): boolean {
    if (!this.#lines.end()) this.#at = "wrong";
    return this.#at === "after" && this.#packets.end();
  }

  #takeLine(bytes: Bytes): void {
    const line = decodeLatin1(bytes).trimEnd();
    switch (this.#at) {
      case "before":
        if (line === "-----BEGIN PGP MESSAGE-----") this.#at = "headers";
        else if (line !== "") this.#at = "wrong";
        return;
      case "headers":
        // Text for people could stand here.
        if (line === "") this.#at = "data";
        else if (!/^(?:Version|Comment|Charset|Hash|MessageID): [!-~ ]{0,80}$/.test(line)) {
          this.#at = "wrong";
        }
        return;
      case "data":
      case "checksum":
        if (line === "-----END PGP MESSAGE-----") {
          this.#at = this.#rest === "" ? "after" : "wrong";
        } else if (this.#at === "data" && /^=[A-Za-z0-9+/]{4}$/.test(line)) {
          this.#at = "checksum";
        } else if (this.#at === "checksum" || !this.#decode(line)) {
          this.#at = "wrong";
        }
        return;
      case "after":
        if (line !== "") this.#at = "wrong";
    }
  }

  #decode(line: string): boolean {
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(line) || this.#rest.endsWith("=")) return false;
    const text = this.#rest + line;
    const whole = text.length - text.length % 4;
    this.#rest = text.slice(whole);
    try {
      const bytes = Uint8Array.fromBase64(text.slice(0, whole));
      this.#packets.write(bytes);
      // Padding ends the data.
      if (line.endsWith("=")) this.#at = this.#rest === "" ? "data" : "wrong";
      return true;
    } catch {
      return false;
    }
  }
}
