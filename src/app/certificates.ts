import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { type Bytes, type Clock, logger, metrics, writePrivateFile } from "../base/mod.ts";
import {
  Certificate,
  type CertificatePair,
  type CertificateStore,
  makeSelfSigned,
  NetError,
} from "../net/mod.ts";
import type { CertificateStatus } from "../web/mod.ts";
import type { CertificateFiles, Config } from "./config/config.ts";
import { whyUnreadable } from "./config/load.ts";
import { Failure } from "./failure.ts";

const log = logger("app");

/** Before a self-signed certificate ends, another is made this long. */
const RENEW_BEFORE_MS = 30 * 86_400_000;

/** How often it is looked whether a file changed. One that is the same twice is not being written. */
const LOOK_AT_FILES_MS = 2_000;

/** In the place of the issuer of a certificate that signed itself. */
export const SELF_ISSUED = "itself";

/** The two files of one certificate, and what was last taken from them. */
interface Source {
  readonly files: CertificateFiles;
  /** The state in which they were last read. */
  readState: string;
  /** A later state that was seen once. */
  newState: string | undefined;
  /** Why they could not be used when they were last read, "" when they could. */
  problem: string;
  pair: CertificatePair | undefined;
}

/** Where a certificate in use is from. */
type Origin = Source | "acme" | "self-signed";

/**
 * The certificates of a server: those of the files that the configuration names, then those that
 * `fetched` gives, or, when there is none at all, a self-signed one. Files are read again when they
 * change; one that cannot be used leaves the certificate that there was.
 */
export class ServerCertificates {
  readonly #store: CertificateStore;
  readonly #clock: Clock;
  readonly #fetched: () => readonly CertificatePair[];
  readonly #lookEveryMs: number;
  #config: Config;
  #sources: Source[] = [];
  /** Of each certificate in the store, in its order. */
  #origins: readonly Origin[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(
    config: Config,
    store: CertificateStore,
    clock: Clock,
    fetched: () => readonly CertificatePair[],
    lookEveryMs = LOOK_AT_FILES_MS,
  ) {
    this.#config = config;
    this.#store = store;
    this.#clock = clock;
    this.#fetched = fetched;
    this.#lookEveryMs = lookEveryMs;
  }

  /**
   * Reads all files and watches them from then on. Throws Failure, which names the file, when one
   * cannot be used; a certificate that has ended is used nonetheless, since refusing to start would
   * help nobody.
   */
  async open(): Promise<void> {
    for (const files of this.#config.tls.certificates) {
      const readState = await stateOf(files);
      const pair = await readPair(files);
      const problem = timeProblem(pair, this.#clock.now());
      if (problem) noteUnusable(`${files.certificateFile}: ${problem}`, "it is used all the same");
      this.#sources.push({ files, readState, newState: undefined, problem: "", pair });
    }
    await this.apply();
    this.#watch();
  }

  /** Reads everything anew for a configuration. What cannot be used is logged, and counted. */
  async reread(config: Config): Promise<void> {
    const old = this.#sources;
    this.#config = config;
    this.#sources = [];
    for (const files of config.tls.certificates) {
      const known = old.find((source) => isSame(source.files, files));
      const source = { files, readState: "", newState: undefined, problem: "", pair: known?.pair };
      await this.#read(source, await stateOf(files));
      this.#sources.push(source);
    }
    await this.apply();
  }

  /** Gives the store what there is now. */
  async apply(): Promise<void> {
    const fromFiles = this.#sources.flatMap(({ pair }) => pair ?? []);
    const pairs = [...fromFiles, ...this.#fetched()];
    const isMade = pairs.length === 0;
    if (isMade) pairs.push(await selfSigned(this.#config, this.#clock));
    this.#store.replace(pairs);
    const origins: Origin[] = this.#sources.filter(({ pair }) => pair);
    while (origins.length < pairs.length) origins.push(isMade ? "self-signed" : "acme");
    this.#origins = origins;
    metrics.clear("postern_certificate_expiry_timestamp_seconds");
    for (const { names, notAfterMs } of this.#store.certificates) {
      const labels = { name: names[0] ?? "" };
      metrics.set("postern_certificate_expiry_timestamp_seconds", labels, notAfterMs / 1000);
    }
  }

  /** Those in use, the default one first; `renewing` has what keeps names from being renewed. */
  status(renewing: ReadonlyMap<string, string> = new Map()): CertificateStatus[] {
    return this.#store.certificates.map(({ names, notBeforeMs, notAfterMs, der }, i) => {
      const origin = this.#origins[i] ?? "self-signed";
      return {
        names,
        source: typeof origin === "string" ? origin : origin.files.certificateFile,
        issuer: issuerOf(der),
        notBeforeMs,
        notAfterMs,
        problem: typeof origin === "string"
          ? names.flatMap((name) => renewing.get(name) ?? []).join("; ")
          : origin.problem,
      };
    });
  }

  /** Files that nothing usable was ever read from, and why. */
  get unusable(): { readonly file: string; readonly problem: string }[] {
    return this.#sources.filter(({ pair }) => !pair)
      .map(({ files, problem }) => ({ file: files.certificateFile, problem }));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #watch(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(async () => {
      try {
        await this.#look();
      } catch (error) {
        log.error("certificates could not be looked at: {error}", { error });
      }
      this.#watch();
    }, this.#lookEveryMs);
  }

  async #look(): Promise<void> {
    let isChanged = false;
    for (const source of this.#sources) {
      const state = await stateOf(source.files);
      if (state !== source.readState && state === source.newState) {
        isChanged = await this.#read(source, state) || isChanged;
      }
      source.newState = state;
    }
    if (isChanged) await this.apply();
  }

  /** Takes what the files have; false, when it cannot be used. */
  async #read(source: Source, state: string): Promise<boolean> {
    const { certificateFile } = source.files;
    source.readState = state;
    try {
      const pair = await readPair(source.files);
      const problem = timeProblem(pair, this.#clock.now());
      if (problem) throw new Failure(`${certificateFile}: ${problem}`);
      source.pair = pair;
      source.problem = "";
      log.info("took the certificate of {certificateFile} into use", { certificateFile });
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      source.problem = reason;
      noteUnusable(reason, source.pair ? "the old certificate stays" : "it is left out");
      return false;
    }
  }
}

/** Reads the certificates that a configuration names, to check them. Throws Failure. */
export async function checkCertificates(config: Config, clock: Clock): Promise<void> {
  for (const files of config.tls.certificates) {
    const problem = timeProblem(await readPair(files), clock.now());
    if (problem) throw new Failure(`${files.certificateFile}: ${problem}`);
  }
}

/** The certificates that a server would start with, as far as files tell; changes nothing. */
export async function readCertificateStatus(
  config: Config,
): Promise<{ certificates: CertificateStatus[]; unusable: { file: string; problem: string }[] }> {
  const certificates: CertificateStatus[] = [];
  const unusable: { file: string; problem: string }[] = [];
  const add = (source: string, pair: CertificatePair) => {
    const { names, notBeforeMs, notAfterMs, der } = new Certificate(pair, "1.2");
    certificates.push({
      names,
      source,
      issuer: issuerOf(der),
      notBeforeMs,
      notAfterMs,
      problem: "",
    });
  };
  for (const files of config.tls.certificates) {
    try {
      add(files.certificateFile, await readPair(files));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      unusable.push({ file: files.certificateFile, problem: error.message });
    }
  }
  if (config.tls.certificates.length > 0 || config.tls.acme) return { certificates, unusable };
  const { certificateFile, privateKeyFile } = selfSignedFiles(config);
  const kept = await readKept(certificateFile, privateKeyFile);
  if (kept && isReadable(kept)) add("self-signed", kept);
  return { certificates, unusable };
}

function noteUnusable(reason: string, effect: string): void {
  metrics.add("postern_certificate_failures_total");
  log.error("{reason}; {effect}", { reason, effect });
}

/** The common name, or all of the name, of who issued it; "itself" for one that nobody else did. */
function issuerOf(der: Bytes): string {
  const { issuer, subject } = new X509Certificate(der);
  if (issuer === subject) return SELF_ISSUED;
  return /(?:^|\n)CN=(.+)/.exec(issuer)?.[1] ?? issuer.replaceAll("\n", ", ");
}

function isSame(a: CertificateFiles, b: CertificateFiles): boolean {
  return a.certificateFile === b.certificateFile && a.privateKeyFile === b.privateKeyFile;
}

/** Differs whenever another file, or another content, is under one of the names. */
async function stateOf({ certificateFile, privateKeyFile }: CertificateFiles): Promise<string> {
  const states = [certificateFile, privateKeyFile].map(async (file) => {
    try {
      // Follows links: tools exchange files by switching one.
      const { dev, ino, size, mtime } = await Deno.stat(file);
      return [dev, ino, size, mtime?.getTime()].join(" ");
    } catch (error) {
      return error instanceof Error ? error.name : "unknown";
    }
  });
  return (await Promise.all(states)).join("\n");
}

/** What is wrong with the certificate at this time, if anything. */
function timeProblem(pair: CertificatePair, nowMs: number): string | undefined {
  const { notBeforeMs, notAfterMs } = new Certificate(pair, "1.2");
  if (nowMs > notAfterMs) {
    return `the certificate ended on ${dateOf(notAfterMs)}: put a new one in its place`;
  }
  if (nowMs < notBeforeMs) {
    return `the certificate does not hold before ${
      dateOf(notBeforeMs)
    }, and this machine's clock ` +
      `says ${dateOf(nowMs)}: is that right?`;
  }
  return undefined;
}

function dateOf(timeMs: number): string {
  return new Date(timeMs).toISOString();
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
    throw new Failure(
      `tls.${key}: cannot read ${file}: ${whyUnreadable(error)}; give a PEM file that the ` +
        "server's user may read",
    );
  }
}

async function selfSigned(config: Config, clock: Clock): Promise<CertificatePair> {
  const { certificateFile, privateKeyFile } = selfSignedFiles(config);
  const kept = await readKept(certificateFile, privateKeyFile);
  if (kept && isUsable(kept, config, clock)) return kept;
  const made = await makeSelfSigned([config.hostname, ...listenedAddresses(config)], clock.now());
  await writePrivateFile(privateKeyFile, made.privateKey);
  await writePrivateFile(certificateFile, made.certificate);
  const advice = config.tls.acme === undefined
    ? "give a real one in [tls]"
    : "it is used until the first one is fetched";
  log.warn(
    "made a self-signed certificate, {certificateFile}: clients will warn about it; {advice}",
    {
      certificateFile,
      advice,
    },
  );
  return made;
}

function selfSignedFiles({ dataDir }: Config): CertificateFiles {
  return {
    certificateFile: join(dataDir, "self-signed.pem"),
    privateKeyFile: join(dataDir, "self-signed.key.pem"),
  };
}

function isReadable(pair: CertificatePair): boolean {
  try {
    return new Certificate(pair, "1.2").names.length > 0;
  } catch (error) {
    // Half written before a crash: made anew at the next start.
    if (error instanceof NetError) return false;
    throw error;
  }
}

function isUsable(pair: CertificatePair, config: Config, clock: Clock): boolean {
  if (!isReadable(pair)) return false;
  const { names, notAfterMs } = new Certificate(pair, "1.2");
  return names.includes(config.hostname.toLowerCase()) &&
    notAfterMs - clock.now() > RENEW_BEFORE_MS;
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
