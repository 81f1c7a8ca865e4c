/**
 * `deno task release [--target TARGET ...] [--output DIR]`: binaries for all targets, each in an
 * archive with README, license and what systemd needs, and the checksums of the archives. A target
 * whose runtime is not at hand is left out, and said so; 1 is returned when that leaves none.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { parseArgs } from "node:util";
import project from "../deno.json" with { type: "json" };
import { DEFAULT_DATA_DIR, DEFAULT_FOLDER } from "../src/app/quickstart/places.ts";
import { printError, printLine } from "../src/app/terminal.ts";
import { writeSysusers, writeUnit } from "../src/app/quickstart/unit.ts";
import { type ArchiveFile, writeTarGz, writeZip } from "./archive.ts";
import { bundle, compile, sourceDate, type Target, TARGETS } from "./compile.ts";

/** What archives are called: the names that people look for. */
const NAMES: Readonly<Record<Target, string>> = {
  "x86_64-unknown-linux-gnu": "linux-x64",
  "aarch64-unknown-linux-gnu": "linux-arm64",
  "x86_64-apple-darwin": "macos-x64",
  "aarch64-apple-darwin": "macos-arm64",
  "x86_64-pc-windows-msvc": "windows-x64",
};

export interface Release {
  readonly archives: readonly string[];
  /** By target, why there is no archive. */
  readonly skipped: ReadonlyMap<Target, string>;
}

/** Makes the archives and `SHA256SUMS` in `folder`. */
export async function release(targets: readonly Target[], folder: string): Promise<Release> {
  const date = await sourceDate();
  const archives: string[] = [];
  const skipped = new Map<Target, string>();
  const sums: string[] = [];
  await Deno.mkdir(folder, { recursive: true });
  const work = await Deno.makeTempDir();
  try {
    const bundleFile = join(work, "postern.js");
    await bundle(bundleFile, date);
    for (const target of targets) {
      const program = target.includes("windows") ? "postern.exe" : "postern";
      const problem = await compile(bundleFile, target, join(work, program));
      if (problem !== undefined) {
        skipped.set(target, problem);
        continue;
      }
      const name = `postern-${project.version}-${NAMES[target]}`;
      const files = [
        { name: program, bytes: await Deno.readFile(join(work, program)), isProgram: true },
        ...await companions(target),
      ];
      const isZip = target.includes("windows");
      const archive = isZip ? await writeZip(name, files, date) : writeTarGz(name, files, date);
      const file = `${name}.${isZip ? "zip" : "tar.gz"}`;
      await Deno.writeFile(join(folder, file), archive);
      archives.push(file);
      sums.push(`${createHash("sha256").update(archive).digest("hex")}  ${file}\n`);
    }
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  if (archives.length > 0) await Deno.writeTextFile(join(folder, "SHA256SUMS"), sums.join(""));
  return { archives, skipped };
}

/** What lies beside the program in an archive. */
async function companions(target: Target): Promise<ArchiveFile[]> {
  const file = (name: string, text: string) => ({
    name,
    bytes: new TextEncoder().encode(text),
    isProgram: false,
  });
  const own = ["README.md", "LICENSE"].map(async (name) =>
    file(name, await Deno.readTextFile(new URL(`../${name}`, import.meta.url)))
  );
  const unit = writeUnit({
    program: {
      command: ["/usr/local/bin/postern"],
      commandAsUser: "sudo -u postern postern",
      unitLines: [],
      isAtHome: false,
    },
    configFile: `${DEFAULT_FOLDER}/postern.toml`,
    dataDir: DEFAULT_DATA_DIR,
  });
  const systemd = [
    file("postern.service", unit),
    file("postern.sysusers", writeSysusers(DEFAULT_DATA_DIR)),
  ];
  return [...await Promise.all(own), ...target.includes("linux") ? systemd : []];
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      target: { type: "string", multiple: true, default: [...TARGETS] },
      output: { type: "string", default: "dist" },
    },
  });
  const unknown = values.target.find((name) => !TARGETS.some((target) => target === name));
  if (unknown !== undefined) {
    printError(`--target: expected one of ${TARGETS.join(", ")}, found ${unknown}`);
    return 2;
  }
  const targets = TARGETS.filter((target) => values.target.includes(target));
  const { archives, skipped } = await release(targets, values.output);
  for (const archive of archives) printLine(join(values.output, archive));
  for (const [target, why] of skipped) printError(`skipped ${target}: ${why}`);
  return archives.length > 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
