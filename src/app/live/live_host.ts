import { type AccountId, type Clock, metrics } from "../../base/mod.ts";
import { HOST, type Notifier } from "../../notify/mod.ts";
import type { HistoryLog, MailQueue, Quota, Store } from "../../store/mod.ts";
import type {
  Finding,
  Host,
  HostLogLevel,
  HostStatus,
  ListenerStatus,
  LiveConnection,
  LogLevels,
} from "../../web/mod.ts";
import type { ServerCertificates } from "../certificates.ts";
import type { Config, ListenerConfig } from "../config/config.ts";
import { diskOf } from "../gauges.ts";
import type { LogControl } from "../log.ts";
import { versionFacts } from "../version.ts";
import type { Connections } from "./connections.ts";
import { findFindings, MAX_FULL_ACCOUNTS, QUOTA_WARNING_SHARE } from "./findings.ts";
import { hasPages, offersTls, openMetrics, routesOf } from "./listener_facts.ts";

const ENDED = "Ended by the administrator or the owner of the account";

/** How far back the event loop's delay is looked at. */
const DELAY_SECONDS = 900;

/** The parts of a running server that can be looked at. */
export interface HostParts {
  readonly config: Config;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  readonly store: Store;
  readonly connections: Connections;
  readonly certificates: Pick<ServerCertificates, "status" | "unusable">;
  readonly notifier: Notifier;
  readonly logControl: LogControl;
  /** What is listened on, in the order of the configuration. */
  listeners(): readonly { readonly config: ListenerConfig; readonly address: string }[];
  /** Names that no certificate could be fetched for lately, and why. */
  renewing(): ReadonlyMap<string, string>;
  readonly queue: MailQueue;
  /** Whether this process sends what is queued. */
  readonly runsQueue: boolean;
  /** What accounts hold, as far as that is known. */
  quotas(): ReadonlyMap<AccountId, Quota>;
  /** Has what an account holds looked at anew: it may be gone. */
  noteChange(account: AccountId): void;
  readonly history: HistoryLog | undefined;
  /** Connections that there is room for, where that is fewer than are wanted. */
  connectionRoom(): number | undefined;
  countBans(): Promise<number>;
}

/** A running server in the eyes of an admin. */
export class LiveHost implements Host {
  readonly #parts: HostParts;

  constructor(parts: HostParts) {
    this.#parts = parts;
  }

  async status(): Promise<HostStatus> {
    const { config, startedMs, store, queue } = this.#parts;
    const { version, deno, sqlite } = versionFacts();
    const { accounts, domains } = await store.directory.count();
    const { messages, oldest } = await queue.summary();
    return {
      hostname: config.hostname,
      version,
      deno,
      sqlite,
      startedMs,
      processId: Deno.pid,
      memoryBytes: Deno.memoryUsage().rss,
      listeners: this.#listeners(),
      certificates: this.#parts.certificates.status(this.#parts.renewing()),
      accounts,
      domains,
      idleSessions: this.connections().filter(({ activity }) => activity === "IDLE").length,
      disk: diskOf(config.dataDir),
      queue: { messages, oldestMs: oldest === undefined ? undefined : oldest * 1000 },
    };
  }

  connections(): LiveConnection[] {
    return Array.from(this.#parts.connections.all(), (connection) => connection.facts());
  }

  endConnection(id: number): boolean {
    return this.#parts.connections.end(id, ENDED);
  }

  async findings(): Promise<Finding[]> {
    const { config, clock, store, queue, runsQueue, certificates, renewing } = this.#parts;
    const { messages, oldest } = await queue.summary();
    const room = this.#parts.connectionRoom();
    return findFindings({
      nowMs: clock.now(),
      hostname: config.hostname,
      offersTls: offersTls(config),
      certificates: certificates.status(renewing()),
      unusable: certificates.unusable,
      renewing: renewing(),
      disk: diskOf(config.dataDir),
      queue: { messages, oldestMs: oldest === undefined ? undefined : oldest * 1000 },
      hasRelay: config.relay !== undefined,
      isQueueElsewhere: !runsQueue,
      fullAccounts: await this.#fullAccounts(),
      connectionRoom: room === undefined ? undefined : { room, wanted: config.maxConnections },
      lacksAdminPassword: hasPages(config) && !await store.directory.adminVerifier(),
      allowsPlaintext: config.allowPlaintext,
      openMetrics: openMetrics(config),
      bans: await this.#parts.countBans(),
      panics: metrics.sum("postern_panic_total"),
      loopDelaySeconds: await this.#loopDelay(),
    });
  }

  logLevels(): LogLevels {
    return this.#parts.logControl.levels;
  }

  async setLogLevel(level: HostLogLevel | undefined, room?: string): Promise<void> {
    await this.#parts.logControl.setLevel(level, room);
  }

  tellSecurity(account: AccountId): void {
    this.#parts.notifier.nudge(account, "security");
    this.#parts.noteChange(account);
  }

  tellNetworks(): void {
    this.#parts.notifier.nudge(HOST, "security");
  }

  tellQueue(): void {
    this.#parts.notifier.nudge(HOST, "changed");
  }

  #listeners(): ListenerStatus[] {
    const open = this.#parts.connections.countByListener();
    return this.#parts.listeners().map(({ config, address }) => ({
      kind: config.kind,
      address,
      routes: routesOf(config),
      connections: open.get(config) ?? 0,
    }));
  }

  async #fullAccounts(): Promise<{ address: string; share: number }[]> {
    const full: { id: AccountId; share: number }[] = [];
    for (const [id, { usedBytes, limitBytes }] of this.#parts.quotas()) {
      const share = limitBytes === undefined ? 0 : usedBytes / Math.max(1, limitBytes);
      if (share >= QUOTA_WARNING_SHARE) full.push({ id, share });
    }
    full.sort((a, b) => b.share - a.share);
    const named = full.slice(0, MAX_FULL_ACCOUNTS).map(async ({ id, share }) => {
      const account = await this.#parts.store.directory.getAccount(id);
      return account ? [{ address: account.address, share }] : [];
    });
    return (await Promise.all(named)).flat();
  }

  async #loopDelay(): Promise<number | undefined> {
    const to = Math.ceil(this.#parts.clock.now() / 1000);
    const columns = await this.#parts.history?.read({
      from: to - DELAY_SECONDS,
      to,
      series: ["eventLoopDelayP99"],
      step: DELAY_SECONDS,
    });
    const delays = columns?.values[0]?.filter((value) => value !== null) ?? [];
    return delays.length === 0 ? undefined : Math.max(...delays);
  }
}
