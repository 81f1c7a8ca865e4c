/**
 * `deno task kill [--rounds 50] [--seed N]`: kills a server under load so often, and checks after
 * each time that all it acknowledged is there. Ends with 1 when something is not.
 */
import { parseArgs } from "node:util";
import { KillRounds } from "./rounds.ts";

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "50" },
      seed: { type: "string", default: String(Date.now() % 1e6) },
    },
  });
  const seed = Number(values.seed);
  say(`seed ${seed}`);
  const started = performance.now();
  const rounds = await KillRounds.open(seed);
  try {
    for (let round = 1; round <= Number(values.rounds); round++) {
      const { acknowledged, loadMs, restartMs } = await rounds.round();
      say(
        `round ${round}: killed after ${loadMs.toFixed(0)} ms, ready again in ` +
          `${restartMs.toFixed(0)} ms, ${acknowledged} acknowledged in all`,
      );
    }
  } finally {
    await rounds.close();
  }
  say(`nothing lost; ${((performance.now() - started) / 1000).toFixed(0)} s`);
}

function say(line: string): void {
  // deno-lint-ignore no-console -- a program for the terminal
  console.log(line);
}

if (import.meta.main) await main(Deno.args);
