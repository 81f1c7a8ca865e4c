import assert from "node:assert/strict";
import { configure } from "@logtape/logtape";

/** What the program logs as its own errors, all of which are findings. */
export class FaultLog {
  readonly #errors: string[] = [];

  private constructor() {}

  static async open(): Promise<FaultLog> {
    const log = new FaultLog();
    await configure({
      reset: true,
      sinks: {
        errors: ({ message, properties }) =>
          void log.#errors.push(`${message.join("")} ${Deno.inspect(properties)}`),
      },
      loggers: [
        { category: "postern", lowestLevel: "error", sinks: ["errors"] },
        { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["errors"] },
      ],
    });
    return log;
  }

  /** Throws the first error since the last call. */
  check(): void {
    const error = this.#errors.shift();
    this.#errors.length = 0;
    assert.equal(error, undefined);
  }
}
