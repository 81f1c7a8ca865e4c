/**
 * `deno task kill [--rounds 50] [--power 500] [--seed N]`: kills a server under load so often, and
 * checks after each time that all it acknowledged is there; then lets the power fail so often in a
 * recorded run (needs strace). Ends with 1 when something is lost.
 */
import { parseArgs } from "node:util";
import { failPower, record } from "./power.ts";
import { KillRounds } from "./rounds.ts";

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "50" },
      power: { type: "string", default: "500" },
      seed: { type: "string", default: String(Date.now() % 1e6) },
    },
  });
  const seed = Number(values.seed);
  say(`seed ${seed}`);
  const started = performance.now();
  await kill(Number(values.rounds), seed);
  await cutPower(Number(values.power), seed);
  say(`nothing lost; ${((performance.now() - started) / 1000).toFixed(0)} s`);
}

async function kill(count: number, seed: number): Promise<void> {
  const rounds = await KillRounds.open(seed);
  try {
    for (let round = 1; round <= count; round++) {
      const { acknowledged, loadMs, restartMs, relayed, twice, putOff } = await rounds.round();
      say(
        `round ${round}: killed after ${loadMs.toFixed(0)} ms, ready again in ` +
          `${restartMs.toFixed(0)} ms, ${acknowledged} acknowledged in all, ` +
          `${relayed} relayed, ${twice} of them twice`,
      );
      for (const queue of putOff) say(`put off:\n${queue}`);
    }
  } finally {
    await rounds.close();
  }
}

async function cutPower(count: number, seed: number): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "postern-power-" });
  try {
    const events = await record(folder);
    await failPower(events, folder, count, seed);
    say(`the power failed ${count} times among ${events.length} events`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function say(line: string): void {
  // deno-lint-ignore no-console -- a program for the terminal
  console.log(line);
}

if (import.meta.main) await main(Deno.args);
