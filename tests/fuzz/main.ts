/**
 * `deno task fuzz [--seconds 60] [--seed N] [--target NAME] [--cases N]`: throws changed inputs at
 * everything that takes bytes of strangers, for so many seconds in all. Each finding is printed with
 * the command that tries that input again. Ends with 1 when there is a finding.
 */
import { Buffer } from "node:buffer";
import { cpuUsage } from "node:process";
import { parseArgs } from "node:util";
import { messageTargets } from "./message_targets.ts";
import { mutate, Random } from "./mutate.ts";
import { netTargets } from "./net_targets.ts";
import { FaultLog } from "./fault_log.ts";
import { openHttpTarget } from "./http_target.ts";
import { openSessionTargets } from "./session_targets.ts";
import { openSmtpTargets } from "./smtp_targets.ts";
import type { Target } from "./target.ts";
import { wireTargets } from "./wire_targets.ts";

/** Findings of one target after which it is left alone. */
const MAX_FINDINGS = 5;

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: "string", default: "60" },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      target: { type: "string" },
      cases: { type: "string" },
    },
  });
  const seed = Number(values.seed);
  const faults = await FaultLog.open();
  const all = [
    ...wireTargets,
    ...messageTargets,
    ...netTargets,
    ...await openSmtpTargets(faults),
    await openHttpTarget(faults),
    ...await openSessionTargets(faults),
  ];
  const targets = all.filter(({ name }) => values.target === undefined || name === values.target);
  if (targets.length === 0) {
    say(`no such target; there are ${all.map(({ name }) => name).join(", ")}`);
  }
  say(`seed ${seed}`);
  const total = { tried: 0, findings: 0 };
  try {
    for (const target of targets) {
      const milliseconds = Number(values.seconds) * 1000 / targets.length;
      const cases = values.cases === undefined ? Infinity : Number(values.cases);
      const { tried, findings } = await fuzz(target, seed, milliseconds, cases);
      total.tried += tried;
      total.findings += findings;
    }
  } finally {
    for (const target of all) await target.close?.();
  }
  say(`${total.tried} inputs for ${targets.length} targets, ${total.findings} findings`);
  return total.findings;
}

async function fuzz(
  target: Target,
  seed: number,
  milliseconds: number,
  cases: number,
): Promise<{ readonly tried: number; readonly findings: number }> {
  const started = performance.now();
  let tried = 0;
  let findings = 0;
  let longest = 0;
  const isDone = () => tried >= cases || performance.now() - started >= milliseconds;
  while (findings < MAX_FINDINGS && !isDone()) {
    // Each input has a seed of its own, so that it can be tried again alone.
    const caseSeed = seed + tried++;
    const random = new Random(caseSeed);
    const input = mutate(random, target.corpus, target.tokens);
    try {
      let took = await timeOf(target, input, random);
      // A collection of garbage may have come between: what is slow is slow again.
      if (took > target.maxMs) took = await timeOf(target, input, random);
      longest = Math.max(longest, took);
      if (took > target.maxMs) throw new Error(`took ${took.toFixed(0)} ms`);
    } catch (error) {
      findings++;
      say(`FINDING in ${target.name}: --target ${target.name} --seed ${caseSeed} --cases 1`);
      say(error instanceof Error ? error.stack ?? error.message : String(error));
      say(`input (${input.length} octets): ${shown(input)}`);
    }
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(
    `${target.name.padEnd(14)} ${String(tried).padStart(8)} inputs in ${seconds.padStart(6)} s, ` +
      `longest ${longest.toFixed(0).padStart(5)} ms, ${findings} findings, ` +
      `${(Deno.memoryUsage().rss / 1e6).toFixed(0)} MB`,
  );
  return { tried, findings };
}

/** Milliseconds of processor time that an input takes. */
async function timeOf(target: Target, input: Uint8Array, random: Random): Promise<number> {
  const before = cpuMs();
  await target.run(input, random);
  return cpuMs() - before;
}

/** Processor time of this process: a machine that is busy otherwise is no finding. */
function cpuMs(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
}

function shown(input: Uint8Array): string {
  const text = Buffer.from(input).toString("latin1");
  return JSON.stringify(text.length > 2000 ? `${text.slice(0, 2000)}…` : text);
}

function say(line: string): void {
  // deno-lint-ignore no-console -- a program for the terminal
  console.log(line);
}

if (import.meta.main) Deno.exit(await main(Deno.args) > 0 ? 1 : 0);
