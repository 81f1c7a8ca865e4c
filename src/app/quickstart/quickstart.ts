import { join, resolve } from "node:path";
import { generatePassword, makeVerifier } from "../../auth/mod.ts";
import { toConfig } from "../config/config.ts";
import { parseConfig } from "../config/load.ts";
import { openStore } from "../data.ts";
import { isSystemError } from "../describe_error.ts";
import { Failure, UsageError } from "../failure.ts";
import { type HostPlan, writeHostConfig } from "./config_text.ts";
import { type DnsRecord, dnsRecords } from "./dns.ts";
import { DEFAULT_DATA_DIR, DEFAULT_FOLDER } from "./places.ts";
import { thisProgram } from "./program.ts";
import { filesIn, nextSteps, type Step } from "./steps.ts";
import { writeSysusers, writeUnit } from "./unit.ts";

export interface QuickstartOptions {
  readonly dir?: string;
  readonly data?: string;
  readonly hostname?: string;
  readonly account?: string;
  readonly chatmail?: boolean;
}

/** What was made, and what is left to do. */
export interface Quickstart {
  readonly domain: string;
  readonly hostname: string;
  readonly files: readonly string[];
  readonly dataDir: string;
  readonly adminPassword: string;
  readonly account: { readonly address: string; readonly password: string } | undefined;
  readonly records: readonly DnsRecord[];
  readonly steps: readonly Step[];
}

/**
 * Writes configuration and service of a new host, and makes its data: the domain, the admin's
 * password, an account if one is asked for. All or nothing: when a file is in the way, nothing is
 * written. Throws UsageError and Failure.
 */
export async function quickstart(name: string, options: QuickstartOptions): Promise<Quickstart> {
  const domain = domainName(name, "DOMAIN");
  const isChatmail = options.chatmail ?? false;
  const folder = plainPath(options.dir ?? DEFAULT_FOLDER, "--dir");
  const plan: HostPlan = {
    domain,
    hostname: options.hostname === undefined
      ? isChatmail ? domain : `mail.${domain}`
      : domainName(options.hostname, "--hostname"),
    dataDir: options.data === undefined
      ? folder === DEFAULT_FOLDER ? DEFAULT_DATA_DIR : join(folder, "data")
      : plainPath(options.data, "--data"),
    isChatmail,
  };
  if (options.account !== undefined && isChatmail) {
    throw new UsageError("--account: accounts of a chatmail domain make themselves");
  }
  const localPart = options.account?.replace(new RegExp(`@${RegExp.escape(domain)}$`, "i"), "");
  if (localPart !== undefined && !/^[\w.+-]{1,64}$/.test(localPart)) {
    throw new UsageError(
      `--account: expected a name, such as "alice", or an address in ${domain}, found "${options.account}"`,
    );
  }
  const program = thisProgram();
  const files = filesIn(folder);
  const { configFile, unitFile, sysusersFile } = files;
  const { dataDir } = plan;
  const texts = new Map([
    [configFile, writeHostConfig(plan)],
    [unitFile, writeUnit({ program, configFile, dataDir })],
    [sysusersFile, writeSysusers(dataDir)],
  ]);
  await needFree([...texts.keys(), join(dataDir, "directory.db")]);

  const adminPassword = generatePassword();
  const account = localPart === undefined
    ? undefined
    : { address: `${localPart}@${domain}`, password: generatePassword() };
  await writeAll(folder, texts, async () => {
    const config = toConfig(parseConfig(writeHostConfig(plan), configFile));
    const store = await openStore(config);
    try {
      const { directory } = store;
      await directory.setAdminVerifier(await makeVerifier(adminPassword));
      await directory.addDomain(domain);
      if (account === undefined) return;
      const { id } = await directory.addAccount(
        account.address,
        await makeVerifier(account.password),
      );
      // RFC 5321 4.5.1: every domain with mail has this address.
      if (localPart?.toLowerCase() !== "postmaster") {
        await directory.addAddress(`postmaster@${domain}`, id);
      }
    } finally {
      await store.close();
    }
  });
  return {
    domain,
    hostname: plan.hostname,
    files: [...texts.keys()],
    dataDir,
    adminPassword,
    account,
    records: dnsRecords(plan),
    steps: nextSteps(plan, files, program, account !== undefined),
  };
}

/** Throws Failure, which names all that is in the way. */
async function needFree(files: readonly string[]): Promise<void> {
  const taken: string[] = [];
  for (const file of files) {
    try {
      await Deno.lstat(file);
      taken.push(file);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw cannotWrite(file, error);
    }
  }
  if (taken.length === 0) return;
  throw new Failure(
    `nothing was written, since there is already ${taken.join(" and ")}: move it away, or choose ` +
      "other folders with --dir and --data",
  );
}

/** Writes the files, then does `work`; takes the files away again when either fails. */
async function writeAll(
  folder: string,
  texts: ReadonlyMap<string, string>,
  work: () => Promise<void>,
): Promise<void> {
  const written: string[] = [];
  let file = folder;
  try {
    await Deno.mkdir(folder, { recursive: true });
    for (const [name, text] of texts) {
      file = name;
      await Deno.writeTextFile(name, text, { createNew: true, mode: 0o644 });
      written.push(name);
    }
  } catch (error) {
    await removeAll(written);
    throw cannotWrite(file, error);
  }
  try {
    await work();
  } catch (error) {
    await removeAll(written);
    throw error;
  }
}

async function removeAll(files: readonly string[]): Promise<void> {
  for (const file of files) await Deno.remove(file);
}

function cannotWrite(file: string, error: unknown): unknown {
  if (!isSystemError(error)) return error;
  const advice = error instanceof Deno.errors.PermissionDenied
    ? "no permission; run this as root, or choose other folders with --dir and --data"
    : error.message;
  return new Failure(`nothing was written, since ${file} cannot be: ${advice}`);
}

function domainName(text: string, what: string): string {
  if (/^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/i.test(text)) {
    return text.toLowerCase();
  }
  throw new UsageError(
    `${what}: expected a domain name, such as "example.org" (with other letters than ASCII in its ` +
      `form "xn--…"), found "${text}"`,
  );
}

/** Absolute; of characters that need no quotes, in a unit or in a shell. */
function plainPath(path: string, what: string): string {
  const absolute = resolve(path);
  if (/^[\w@+=:,./-]+$/.test(absolute)) return absolute;
  throw new UsageError(`${what}: expected a folder without spaces and quotes, found "${path}"`);
}
