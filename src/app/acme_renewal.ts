import { join } from "node:path";
import { type Challenges, Renewer } from "../acme/mod.ts";
import { systemClock } from "../base/mod.ts";
import type { Directory } from "../store/mod.ts";
import type { AcmeConfig } from "./config/config.ts";
import { whyUnreadable } from "./config/load.ts";
import { Failure } from "./failure.ts";

export interface RenewalServices {
  readonly dataDir: string;
  readonly directory: Directory;
  readonly challenges: Challenges;
  /** Called after each new certificate. */
  onChange(): void;
}

/** The renewer of a configuration; asks nobody yet. Throws Failure, which names the file. */
export async function openRenewer(
  { caFile, ...options }: AcmeConfig,
  { dataDir, directory, challenges, onChange }: RenewalServices,
): Promise<Renewer> {
  return await Renewer.open({
    ...options,
    challenges,
    folder: join(dataDir, "acme"),
    caCertificates: caFile === undefined ? undefined : await readCa(caFile),
    clock: systemClock,
    isWanted: (name) => isInService(directory, name),
    onChange,
  });
}

/** Whether no domain that the host name lies in is disabled. */
async function isInService(directory: Directory, hostname: string): Promise<boolean> {
  const labels = hostname.split(".");
  for (let i = 0; i < labels.length; i++) {
    const domain = await directory.findDomain(labels.slice(i).join("."));
    if (domain?.isDisabled) return false;
  }
  return true;
}

async function readCa(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    throw new Failure(`tls.acme.ca_file: cannot read ${file}: ${whyUnreadable(error)}`);
  }
}
