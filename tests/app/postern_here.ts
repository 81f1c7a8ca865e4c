import { run } from "../../src/app/mod.ts";
import type { Result } from "./postern_process.ts";

/**
 * Runs a command in this process, for what does not depend on a process, its permissions or its
 * environment: starting one costs half a second of processor time. One at a time.
 */
export async function runHere(args: readonly string[]): Promise<Result> {
  const [stdout, stderr] = [new Captured(Deno.stdout), new Captured(Deno.stderr)];
  try {
    return { code: await run(args), stdout: stdout.text, stderr: stderr.text };
  } finally {
    stdout.restore();
    stderr.restore();
  }
}

/** What is written to a stream until it is restored. */
class Captured {
  text = "";
  readonly #decoder = new TextDecoder();
  readonly #stream: { writeSync(bytes: Uint8Array): number };
  readonly #writeSync: (bytes: Uint8Array) => number;

  constructor(stream: { writeSync(bytes: Uint8Array): number }) {
    this.#stream = stream;
    this.#writeSync = stream.writeSync;
    stream.writeSync = (bytes) => {
      this.text += this.#decoder.decode(bytes, { stream: true });
      return bytes.length;
    };
  }

  restore(): void {
    this.#stream.writeSync = this.#writeSync;
  }
}
