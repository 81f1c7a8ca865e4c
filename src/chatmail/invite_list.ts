import { createHash, timingSafeEqual } from "node:crypto";
import { MAX_INVITE_FILE_BYTES } from "./limits.ts";

/** Tokens that let somebody have an account, one on each line of a file; "#" begins a comment. */
export class InviteList {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Whether the token is on the list as it is now. Rejects when the file cannot be read. */
  async has(token: string): Promise<boolean> {
    const { size } = await Deno.stat(this.#file);
    if (size > MAX_INVITE_FILE_BYTES) throw new Error(`${this.#file} is too large`);
    const lines = (await Deno.readTextFile(this.#file)).split("\n").map((line) => line.trim());
    const given = digest(token);
    // Each is compared, and wholly: the time says nothing about which one is nearly right.
    return lines.filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => timingSafeEqual(digest(line), given)).includes(true);
  }
}

function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
