/**
 * `deno task bench`: how fast the server is, in a process of its own, and where Debian's Dovecot is
 * installed, how fast that is at the same work. It asserts nothing.
 *
 *     deno task bench [--quick] [--only fetch,search] [--target postern] [--run-flags=--cpu-prof]
 *     deno task bench --phones [5000]
 *
 * `--only`: groups of `cases.ts` ("fill" always runs) and "door". `--run-flags`: flags of `deno run` for the
 * server, to profile it. `--phones`: nothing but so many connections of as many accounts.
 */
import { parseArgs } from "node:util";
import { makeSelfSigned } from "../../src/net/mod.ts";
import { FULL, groups, QUICK, type Scale } from "./cases.ts";
import { measureDoor } from "./door.ts";
import { startDovecot } from "./dovecot_target.ts";
import type { Measurement } from "./measure.ts";
import { measurePhones } from "./phones.ts";
import { startPostern } from "./postern_target.ts";
import { printTable } from "./table.ts";
import type { Target } from "./target.ts";

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string", default: [...Object.keys(groups), "door"].join() },
      target: { type: "string", default: "postern,dovecot" },
      "run-flags": { type: "string", default: "" },
      phones: { type: "boolean", default: false },
    },
    allowPositionals: true,
  });
  const scale = values.quick ? QUICK : FULL;
  const wanted = new Set(["fill", ...values.only.split(",")]);
  const runFlags = values["run-flags"].split(" ").filter((flag) => flag !== "");
  if (values.phones) {
    return await inFolder(
      "phones",
      (folder) => measurePhones(folder, Number(positionals[0] ?? 5_000), runFlags, say),
    );
  }
  const started = performance.now();
  const columns: { target: Target; measurements: Measurement[] }[] = [];
  for (const name of values.target.split(",")) {
    const folder = await Deno.makeTempDir({ prefix: `postern-bench-${name}-` });
    try {
      await writeCertificate(folder);
      const target = name === "dovecot"
        ? await startDovecot(folder)
        : await startPostern(folder, { runFlags });
      if (!target) {
        say("Dovecot is not installed, or this is not root: no comparison");
        continue;
      }
      try {
        columns.push({ target, measurements: await run(target, scale, wanted) });
      } finally {
        await target.stop();
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
  for (const line of printTable(columns)) say(line);
  if (wanted.has("door")) {
    await inFolder("door", async (folder) => {
      for (const line of printTable(await measureDoor(folder, scale))) say(line);
    });
  }
  say(`${((performance.now() - started) / 1000).toFixed(0)} s in all`);
}

async function run(
  target: Target,
  scale: Scale,
  wanted: ReadonlySet<string>,
): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (const [name, group] of Object.entries(groups)) {
    if (!wanted.has(name)) continue;
    const started = performance.now();
    for await (const measurement of group(target, scale)) measurements.push(measurement);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    say(`${target.name}: ${name}, ${seconds} s`);
  }
  return measurements;
}

/** Has a folder with a certificate, for as long as `work` takes. */
async function inFolder(name: string, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: `postern-bench-${name}-` });
  try {
    await writeCertificate(folder);
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The same certificate kind for each target. */
async function writeCertificate(folder: string): Promise<void> {
  const made = await makeSelfSigned(["localhost", "127.0.0.1"], Date.now());
  await Deno.writeTextFile(`${folder}/certificate.pem`, made.certificate);
  await Deno.writeTextFile(`${folder}/key.pem`, made.privateKey);
}

function say(line: string): void {
  // deno-lint-ignore no-console -- a program for the terminal
  console.log(line);
}

if (import.meta.main) await main(Deno.args);
