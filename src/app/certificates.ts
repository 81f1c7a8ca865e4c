import { join } from "node:path";
import { type Clock, logger } from "../base/mod.ts";
import { Certificate, type CertificatePair, makeSelfSigned, NetError } from "../net/mod.ts";
import type { CertificateFiles, Config } from "./config/config.ts";
import { Failure } from "./failure.ts";

/** Before a self-signed certificate ends, another is made this long. */
const RENEW_BEFORE_MS = 30 * 86_400_000;

/**
 * The certificates that the configuration names, or the self-signed one of the data directory, made
 * when it is missing, about to end, or for another host name. Throws Failure, which names the file.
 */
export async function readCertificates(config: Config, clock: Clock): Promise<CertificatePair[]> {
  const { certificates } = config.tls;
  if (certificates.length > 0) return await Promise.all(certificates.map(readPair));
  return [await selfSigned(config, clock)];
}

async function readPair({ certificateFile, privateKeyFile }: CertificateFiles) {
  const pair = {
    certificate: await readPem(certificateFile, "certificate_file"),
    privateKey: await readPem(privateKeyFile, "private_key_file"),
  };
  try {
    new Certificate(pair, "1.2");
  } catch (error) {
    if (!(error instanceof NetError)) throw error;
    throw new Failure(`${certificateFile} and ${privateKeyFile}: ${error.message}`);
  }
  return pair;
}

async function readPem(file: string, key: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new Failure(`tls.${key}: there is no file ${file}`);
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new Failure(`tls.${key}: no permission to read ${file}`);
    }
    throw error;
  }
}

async function selfSigned(config: Config, clock: Clock): Promise<CertificatePair> {
  const certificateFile = join(config.dataDir, "self-signed.pem");
  const privateKeyFile = join(config.dataDir, "self-signed.key.pem");
  const kept = await readKept(certificateFile, privateKeyFile);
  if (kept && isUsable(kept, config, clock)) return kept;
  const made = await makeSelfSigned([config.hostname, ...listenedAddresses(config)], clock.now());
  await writeWhole(privateKeyFile, made.privateKey);
  await writeWhole(certificateFile, made.certificate);
  logger("app").warn(
    "made a self-signed certificate, {certificateFile}: clients will warn about it; " +
      "give a real one in [tls]",
    { certificateFile },
  );
  return made;
}

function isUsable(pair: CertificatePair, config: Config, clock: Clock): boolean {
  try {
    const { names, notAfterMs } = new Certificate(pair, "1.2");
    return names.includes(config.hostname.toLowerCase()) &&
      notAfterMs - clock.now() > RENEW_BEFORE_MS;
  } catch (error) {
    // Half written before a crash: made anew.
    if (error instanceof NetError) return false;
    throw error;
  }
}

async function readKept(certificateFile: string, privateKeyFile: string) {
  try {
    const certificate = await Deno.readTextFile(certificateFile);
    return { certificate, privateKey: await Deno.readTextFile(privateKeyFile) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Numeric addresses that clients connect to, so that the certificate can be for them too. */
function listenedAddresses(config: Config): string[] {
  const hosts = config.listeners.flatMap(({ address }) => {
    const [, v6, v4] = /^(?:\[(.+)\]|([\d.]+)):\d+$/.exec(address) ?? [];
    return v6 ?? v4 ?? [];
  });
  return [...new Set(hosts)].filter((host) => host !== "0.0.0.0" && host !== "::");
}

/** Leaves either the old file or the whole new one, for its owner only. */
async function writeWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.new`;
  await Deno.remove(temporary).catch(() => undefined);
  await Deno.writeTextFile(temporary, text, { mode: 0o600, createNew: true });
  await Deno.rename(temporary, file);
}
