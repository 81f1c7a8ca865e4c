import { createHash } from "node:crypto";
import { join } from "node:path";
import { type Clock, logger, metrics } from "../base/mod.ts";
import { Certificate, type CertificatePair, NetError } from "../net/mod.ts";
import type { Challenges, ChallengeWay } from "./challenges.ts";
import { failureReason } from "./failure_reason.ts";
import { LOOK_EVERY_MS } from "./limits.ts";
import { makeKey, orderCertificate, sleep } from "./order.ts";
import { renewalTimeMs, retryDelayMs } from "./schedule.ts";
import { AcmeState } from "./state.ts";

const log = logger("acme");

/** What is fetched, from whom, and how names can be validated. */
export interface RenewerOptions {
  /** Address of the authority's directory (RFC 8555 7.1.1). */
  readonly directory: string;
  readonly email: string;
  /** In lower case. */
  readonly names: readonly string[];
  /** Ways of validation that are open here, the preferred one first; at least one. */
  readonly ways: readonly ChallengeWay[];
  readonly challenges: Challenges;
  /** Folder of what is kept, of all authorities. */
  readonly folder: string;
  /** PEM of authorities to trust for the directory's HTTPS instead of the public ones. */
  readonly caCertificates: string | undefined;
  readonly clock: Clock;
  /** Whether a certificate for the name is wanted now. */
  isWanted(name: string): Promise<boolean>;
  /** Called after each new certificate. */
  onChange(): void;
}

/** Keeps a certificate for each name, fetched in time. */
export class Renewer {
  readonly #options: RenewerOptions;
  readonly #state: AcmeState;
  readonly #pairs = new Map<string, CertificatePair>();
  /** What the last attempt failed with, since the start. */
  readonly #reasons = new Map<string, string>();
  readonly #httpClient: Deno.HttpClient | undefined;
  readonly #stop = new AbortController();
  #wake = new AbortController();
  #running: Promise<void> | undefined;

  private constructor(options: RenewerOptions, state: AcmeState) {
    const { caCertificates } = options;
    this.#options = options;
    this.#state = state;
    if (caCertificates !== undefined) {
      this.#httpClient = Deno.createHttpClient({ caCerts: [caCertificates] });
    }
  }

  /** Reads what is kept; asks nobody yet. */
  static async open(options: RenewerOptions): Promise<Renewer> {
    const { directory, folder, names } = options;
    const renewer = new Renewer(options, await AcmeState.open(join(folder, folderOf(directory))));
    for (const name of names) {
      const pair = await renewer.#state.readPair(name);
      if (pair !== undefined && certificateOf(pair) !== undefined) renewer.#keep(name, pair);
    }
    return renewer;
  }

  /** The certificates that there are, in the order of the names. */
  get pairs(): CertificatePair[] {
    return this.#options.names.flatMap((name) => this.#pairs.get(name) ?? []);
  }

  /** Names whose last attempt failed, and what with, as far as that is known. */
  get problems(): ReadonlyMap<string, string> {
    const failed = this.#options.names.filter((name) => this.#state.failuresOf(name));
    return new Map(
      failed.map((name) => [name, this.#reasons.get(name) ?? "it failed before the last restart"]),
    );
  }

  /** Begins to fetch what is missing and to renew what ends. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Tries at once what waits after a failure: the reason may be gone. */
  retryNow(): void {
    this.#wake.abort();
  }

  /** Ends what is under way. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake.abort();
    await this.#running;
    this.#httpClient?.close();
  }

  async #run(): Promise<void> {
    let isAsked = false;
    while (!this.#stop.signal.aborted) {
      const nextMs: number[] = [];
      for (const name of this.#options.names) nextMs.push(await this.#look(name, isAsked));
      const waitMs = Math.min(...nextMs) - this.#options.clock.now();
      try {
        await sleep(Math.max(0, Math.min(waitMs, LOOK_EVERY_MS)), this.#wake.signal);
        isAsked = false;
      } catch {
        this.#wake = new AbortController();
        isAsked = true;
      }
    }
  }

  /** Fetches a certificate for the name if one is due; gives when it is due next. Never rejects. */
  async #look(name: string, isAsked: boolean): Promise<number> {
    const { clock } = this.#options;
    try {
      const dueMs = this.#dueMs(name, isAsked);
      if (dueMs > clock.now()) return dueMs;
      // A domain may be enabled again at any time.
      if (!await this.#options.isWanted(name)) return clock.now() + LOOK_EVERY_MS;
      await this.#fetch(name);
      return this.#dueMs(name, false);
    } catch (error) {
      if (!this.#stop.signal.aborted) log.error("certificate for {name}: {error}", { name, error });
      return clock.now() + LOOK_EVERY_MS;
    }
  }

  #dueMs(name: string, isAsked: boolean): number {
    const pair = this.#pairs.get(name);
    const certificate = pair && certificateOf(pair);
    const dueMs = certificate === undefined ? 0 : renewalTimeMs(certificate);
    const retryMs = isAsked ? 0 : this.#state.failuresOf(name)?.notBeforeMs ?? 0;
    return Math.max(dueMs, retryMs);
  }

  async #fetch(name: string): Promise<void> {
    const { clock, onChange } = this.#options;
    const failures = this.#state.failuresOf(name)?.count ?? 0;
    const way = this.#wayAfter(failures);
    try {
      const pair = await this.#order(name, way);
      const certificate = certificateOf(pair);
      if (certificate === undefined || !certificate.names.includes(name)) {
        throw new Error("the authority issued a certificate for something else");
      }
      await this.#state.writePair(name, pair);
      if (failures > 0) await this.#state.setFailures(name, undefined);
      this.#keep(name, pair);
      metrics.add("postern_acme_orders_total", { result: "issued" });
      log.info("fetched a certificate for {name} ({way}), which holds until {until}", {
        name,
        way,
        until: new Date(certificate.notAfterMs).toISOString(),
      });
      onChange();
    } catch (error) {
      if (this.#stop.signal.aborted) throw error;
      const delayMs = retryDelayMs(failures + 1, Math.random());
      const reason = failureReason(error, clock.now());
      this.#reasons.set(name, reason);
      metrics.add("postern_acme_orders_total", { result: "failed" });
      log.error(
        "no certificate for {name} ({way}): {reason}; next attempt in {minutes} minutes, or on SIGHUP",
        {
          name,
          way,
          reason,
          minutes: Math.ceil(delayMs / 60_000),
        },
      );
      const notBeforeMs = clock.now() + delayMs;
      await this.#state.setFailures(name, { count: failures + 1, notBeforeMs });
    }
  }

  /** Another way than the one that failed last, where there are two. */
  #wayAfter(failures: number): ChallengeWay {
    const { ways } = this.#options;
    const way = ways[failures % ways.length];
    if (way === undefined) throw new TypeError("no way of validation was given");
    return way;
  }

  async #order(name: string, way: ChallengeWay): Promise<CertificatePair> {
    const { directory, email, challenges } = this.#options;
    let accountKey = await this.#state.readAccountKey();
    if (accountKey === undefined) {
      accountKey = await makeKey();
      await this.#state.writeAccountKey(accountKey);
    }
    const carrier = { signal: this.#stop.signal, httpClient: this.#httpClient };
    return await orderCertificate({
      directory,
      email,
      accountKey,
      name,
      way,
      challenges,
      carrier,
    });
  }

  #keep(name: string, pair: CertificatePair): void {
    this.#pairs.set(name, pair);
  }
}

/** A folder's name for an authority: readable, and different for different directories. */
function folderOf(directory: string): string {
  const host = new URL(directory).host.replaceAll(/[^\w.-]/g, "_");
  return `${host}-${createHash("sha256").update(directory).digest("hex").slice(0, 8)}`;
}

function certificateOf(pair: CertificatePair): Certificate | undefined {
  try {
    return new Certificate(pair, "1.2");
  } catch (error) {
    if (error instanceof NetError) return undefined;
    throw error;
  }
}
