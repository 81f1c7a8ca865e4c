import { join } from "node:path";
import { Challenges, Renewer } from "../acme/mod.ts";
import { Authenticator, type LoginAttempt, type OAuthOptions } from "../auth/mod.ts";
import { accountId, logger, systemClock } from "../base/mod.ts";
import { Expiry, type HostFacts } from "../chatmail/mod.ts";
import { LmtpServer } from "../delivery/mod.ts";
import { createRegistry } from "../imap/mod.ts";
import {
  CertificateStore,
  ConnectionBudget,
  listen,
  type Listener,
  type ListenOptions,
  MAX_HANDSHAKES,
  NetError,
  type TlsOptions,
  type Transport,
} from "../net/mod.ts";
import { createNotifier, type NudgeListener, openNudgeListener } from "../notify/mod.ts";
import { DEFAULT_TIMES, serveConnection, type SessionServices } from "../session/mod.ts";
import type { HistoryLog, Store } from "../store/mod.ts";
import { ChatmailPages, handleMetricsRequest, handleWebRequest } from "../web/mod.ts";
import { Chatmail, readHostFacts } from "./chatmail.ts";
import { ServerCertificates } from "./certificates.ts";
import {
  type AcmeConfig,
  type Config,
  isServedKind,
  type ListenerConfig,
} from "./config/config.ts";
import { nudgeSocketPath, openStore } from "./data.ts";
import { Failure } from "./failure.ts";
import { GateKeeper } from "./gate_keeper.ts";
import { serveHttp } from "./http_connection.ts";
import { mailServices } from "./mail_services.ts";
import { isReachedByStrangers } from "./metrics_reach.ts";
import { readOAuth } from "./oauth.ts";
import { openBudget } from "./open_files.ts";
import { OutgoingMail } from "./outgoing_mail.ts";
import { buildRouteTable } from "./routes.ts";
import { SelfWatch } from "./self_watch.ts";

const log = logger("app");

/** How long connections may go on with what is under way after the server was told to stop. */
export const STOP_TIMEOUT_MS = 3_000;

/** Starts everything that the configuration asks for. Throws Failure, with nothing left running. */
export async function startServer(config: Config): Promise<Server> {
  const oauth = await readOAuth(config);
  const chatmailFacts = config.chatmail && await readHostFacts(config.chatmail);
  const store = await openStore(config);
  const certificates = new CertificateStore([], { minVersion: config.tls.minVersion });
  const server = new Server(config, store, certificates, oauth, chatmailFacts);
  try {
    await server.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

/** A running server: store, sessions and listeners. */
export class Server {
  readonly #config: Config;
  readonly #store: Store;
  /** What clients are shown, kept up to date by `#files`. */
  readonly #certificates: CertificateStore;
  readonly #files: ServerCertificates;
  readonly #challenges = new Challenges();
  readonly #notifier = createNotifier();
  readonly #shutdown = new AbortController();
  readonly #keeper: GateKeeper;
  readonly #sessions: SessionServices;
  readonly #lmtp: LmtpServer;
  readonly #chatmail: Chatmail | undefined;
  readonly #expiry: Expiry;
  readonly #pages: ChatmailPages | undefined;
  #outgoing: OutgoingMail | undefined;
  #watch: SelfWatch | undefined;
  #isStarted = false;
  #budget = new ConnectionBudget(0);
  #renewer: Renewer | undefined;
  readonly #listeners: Listener[] = [];
  readonly #connections = new Map<Transport, Promise<void>>();
  #nudges: NudgeListener | undefined;

  constructor(
    config: Config,
    store: Store,
    certificates: CertificateStore,
    oauth: OAuthOptions | undefined,
    chatmailFacts: HostFacts | undefined,
  ) {
    const { hostname, maxMessageBytes, allowPlaintext, channelBinding } = config;
    const clock = systemClock;
    this.#config = config;
    this.#store = store;
    this.#certificates = certificates;
    this.#files = new ServerCertificates(
      config,
      certificates,
      clock,
      () => this.#renewer?.pairs ?? [],
    );
    this.#keeper = new GateKeeper(config, store.directory, this.#notifier, clock);
    const { gate, recorder } = this.#keeper;
    this.#chatmail = config.chatmail && chatmailFacts && new Chatmail(
      config.chatmail,
      chatmailFacts,
      { directory: store.directory, dataDir: config.dataDir, clock },
    );
    const newcomers = this.#chatmail?.registration;
    this.#pages = newcomers && new ChatmailPages(newcomers, mailServices(config.listeners), clock);
    const note = (attempt: LoginAttempt) => {
      if (config.log.addresses) recorder.add(attempt);
      if (attempt.result === "ok" && attempt.accountId !== undefined) {
        store.directory.noteLogin(accountId(attempt.accountId))
          .catch((error) => log.error("the day of a login was not kept: {error}", { error }));
      }
    };
    const authenticator = new Authenticator(store.directory, clock, {
      allowPlaintext,
      maxSessionsPerAccount: config.maxConnectionsPerUser,
      channelBinding,
      gate,
      onAttempt: note,
      waitForRoom: () => recorder.waitForRoom(),
      ...(oauth ? { oauth } : {}),
      ...(newcomers ? { newcomers } : {}),
    });
    this.#sessions = {
      registry: createRegistry(config.unauthenticate ? [] : ["UNAUTHENTICATE"]),
      store,
      authenticator,
      notifier: this.#notifier,
      clock,
      limits: {
        maxMessageBytes,
        ...(config.messageLimit > 0 ? { messageLimit: config.messageLimit } : {}),
        ...(config.saveLimit > 0 ? { saveLimit: config.saveLimit } : {}),
      },
      times: DEFAULT_TIMES,
      ...(this.#chatmail ? { serverEntries: this.#chatmail.entries } : {}),
      tls: this.#tls(false),
      shutdown: this.#shutdown.signal,
    };
    this.#lmtp = new LmtpServer({
      store,
      clock,
      hostname,
      maxMessageBytes,
      // It tells of networks, which chatmail hosts keep nothing of.
      isTraced: this.#chatmail === undefined,
      ...this.#chatmail?.deliveryHooks,
    });
    this.#expiry = new Expiry(config, {
      store,
      clock,
      isInUse: (account) => authenticator.hasSession(account),
      removed: (account) => {
        this.#notifier.nudge(account, "security");
        this.#chatmail?.forget(account);
      },
    });
    store.onCommit((account) => this.#notifier.nudge(account, "changed"));
  }

  /** What is listened on, in the order of the configuration. */
  get listeners(): readonly { readonly kind: string; readonly address: string }[] {
    return this.#listeners;
  }

  /** What it keeps of its own days, for charts; undefined when that cannot be used. */
  get history(): HistoryLog | undefined {
    return this.#watch?.history;
  }

  /** Brings the gauges of `metrics` up to date. */
  async measure(): Promise<void> {
    await this.#watch?.measure();
  }

  /** Why clients cannot be served now; undefined when they can. */
  async problem(): Promise<string | undefined> {
    if (this.#shutdown.signal.aborted) return "the server is stopping";
    if (!this.#isStarted) return "the server is starting";
    try {
      await this.#store.directory.findDomain(this.#config.hostname);
      return undefined;
    } catch (error) {
      return `the directory cannot be read: ${error instanceof Error ? error.message : error}`;
    }
  }

  async start(): Promise<void> {
    this.#nudges = await this.#listenForNudges();
    await this.#keeper.load();
    await this.#chatmail?.start();
    const { clock, authenticator } = this.#sessions;
    this.#outgoing = await OutgoingMail.open(this.#config, this.#store, clock, authenticator, {
      ...this.#chatmail?.deliveryHooks,
      ...(this.#chatmail ? { policy: this.#chatmail.submissionPolicy } : {}),
      watchAccount: (account, told) =>
        this.#notifier.subscribe(account, (kind) => kind === "security" && told()),
    });
    const { dataDir } = this.#config;
    const { queue } = this.#outgoing;
    this.#watch = await SelfWatch.open({ store: this.#store, queue, dataDir, clock });
    const { acme } = this.#config.tls;
    if (acme) this.#renewer = await this.#openRenewer(acme);
    await this.#files.open();
    const listeners = this.#config.listeners.filter(({ kind }) => isServedKind(kind));
    this.#budget = openBudget(this.#config.maxConnections, listeners.length);
    for (const listener of listeners) this.#listeners.push(await this.#open(listener));
    this.#renewer?.start();
    this.#expiry.start();
    this.#watch.start();
    this.#isStarted = true;
  }

  /**
   * Takes the certificates of a configuration into use, read anew; open connections keep theirs, and
   * one that cannot be used changes nothing. Certificates that could not be fetched are tried again.
   * Gives the keys of other settings that differ and need a restart.
   */
  async reload(config: Config): Promise<string[]> {
    await this.#files.reread(config);
    this.#renewer?.retryNow();
    return changedKeys(this.#config, config);
  }

  /**
   * Stops accepting, has every session say BYE and finish what is under way, at most three seconds,
   * then closes the store. Never rejects.
   */
  async stop(): Promise<void> {
    // Who asks whether the server is ready is answered until the end.
    for (const listener of this.#listeners) if (listener.kind !== "metrics") listener.close();
    this.#files.close();
    this.#shutdown.abort();
    const timer = setTimeout(() => {
      for (const transport of this.#connections.keys()) transport.destroy();
    }, STOP_TIMEOUT_MS);
    await Promise.all([
      this.#lmtp.close(STOP_TIMEOUT_MS / 2),
      this.#outgoing?.closeConnections(STOP_TIMEOUT_MS / 2),
    ]);
    await Promise.allSettled(this.#connections.values());
    clearTimeout(timer);
    await this.#expiry.stop();
    await this.#chatmail?.stop();
    await this.#watch?.stop();
    await this.#outgoing?.close();
    await this.#renewer?.stop();
    await this.#nudges?.close();
    await this.#keeper.close();
    await this.#store.close();
    for (const listener of this.#listeners) listener.close();
  }

  async #listenForNudges(): Promise<NudgeListener | undefined> {
    const path = nudgeSocketPath(this.#config.dataDir);
    try {
      return await openNudgeListener(path, this.#notifier);
    } catch (error) {
      if (error instanceof Deno.errors.AddrInUse) {
        throw new Failure(
          `another postern serves ${this.#config.dataDir}: stop it, or choose another data_dir`,
        );
      }
      // Windows, or a path too long for a socket: commands still work, and are noticed late.
      log.warn("other processes cannot tell this server of changes ({path}): {error}", {
        path,
        error,
      });
      return undefined;
    }
  }

  async #openRenewer(acme: AcmeConfig): Promise<Renewer> {
    const { caFile, ...options } = acme;
    return await Renewer.open({
      ...options,
      challenges: this.#challenges,
      folder: join(this.#config.dataDir, "acme"),
      caCertificates: caFile === undefined ? undefined : await readAcmeCa(caFile),
      clock: systemClock,
      isWanted: (name) => this.#isInService(name),
      onChange: () => {
        this.#files.apply()
          .catch((error) => log.error("a certificate was not taken into use: {error}", { error }));
      },
    });
  }

  /** Whether no domain that the host name lies in is disabled. */
  async #isInService(hostname: string): Promise<boolean> {
    const labels = hostname.split(".");
    for (let i = 0; i < labels.length; i++) {
      const domain = await this.#store.directory.findDomain(labels.slice(i).join("."));
      if (domain?.isDisabled) return false;
    }
    return true;
  }

  #tls(requestClientCertificate: boolean): TlsOptions {
    return { certificates: this.#certificates, alpn: ["imap"], requestClientCertificate };
  }

  async #open(config: ListenerConfig): Promise<Listener> {
    const { kind, address, trustedProxies } = config;
    const tls = this.#tls(config.clientCertificates);
    const sessions = { ...this.#sessions, tls };
    const { accept, closed } = this.#keeper;
    const options: ListenOptions = {
      kind,
      address,
      trustedProxies,
      budget: this.#budget,
      // A flood of half-open handshakes must leave room for those who are through.
      maxHandshakes: Math.min(MAX_HANDSHAKES, Math.ceil(this.#budget.max / 4)),
      onConnection: (transport, target) => this.#serve(transport, target, sessions),
    };
    try {
      switch (kind) {
        case "imap":
          return await listen({ ...options, accept, closed });
        case "imaps":
          return await listen({ ...options, accept, closed, tls });
        case "submission":
          return await listen({
            ...options,
            accept: (remote) => smtpRefusal(accept(remote)),
            closed,
          });
        case "submissions":
          return await listen({ ...options, accept, closed, tls: { ...tls, alpn: ["smtp"] } });
        case "alpn":
          return await listen({
            ...options,
            accept,
            closed,
            tls,
            routes: buildRouteTable(config, this.#challenges),
          });
        case "metrics":
          if (isReachedByStrangers(address)) log.warn(METRICS_REACH, { address });
          return await listen(options);
        default:
          return await listen(options);
      }
    } catch (error) {
      if (error instanceof NetError) throw new Failure(listenProblem(error, kind));
      throw error;
    }
  }

  #serve(transport: Transport, target: string, sessions: SessionServices): void {
    const done = this.#speak(transport, target, sessions)
      .catch((error) => log.error("a {target} connection failed: {error}", { target, error }))
      .finally(() => this.#connections.delete(transport));
    this.#connections.set(transport, done);
  }

  async #speak(transport: Transport, target: string, sessions: SessionServices): Promise<void> {
    const { hostname } = this.#config;
    switch (target) {
      case "web":
        return await serveHttp(
          transport,
          async (request) =>
            this.#challenges.answer(request) ??
              await this.#pages?.answer(request, transport.facts.remote.address) ??
              handleWebRequest(request, { hostname }),
          { shutdown: this.#shutdown.signal },
        );
      case "metrics":
        return await serveHttp(transport, (request) => handleMetricsRequest(request, this), {
          shutdown: this.#shutdown.signal,
        });
      case "lmtp":
        return await this.#lmtp.serve(transport);
      case "submission":
      case "submissions":
        return await this.#outgoing?.submission.serve(transport, {
          certificates: this.#certificates,
          requestClientCertificate: sessions.tls?.requestClientCertificate ?? false,
        });
      default:
        return await serveConnection(transport, sessions);
    }
  }
}

const METRICS_REACH =
  "listener metrics {address}: its numbers are for everybody who can reach it; a loopback or " +
  "private address is better, or a firewall";

/** The gate's answer as a greeting of SMTP (RFC 5321 3.1). */
function smtpRefusal(answer: boolean | string): boolean | string {
  return typeof answer === "string" ? answer.replace(/^\* BYE \[\w+\]/, "421 4.7.0") : answer;
}

async function readAcmeCa(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure(`tls.acme.ca_file: cannot read ${file}: ${why}`);
  }
}

function listenProblem({ code, message }: NetError, kind: string): string {
  const advice = code === "in_use"
    ? "stop it, or choose another address"
    : message.startsWith("not permitted")
    ? "ports below 1024 need root, or the capability CAP_NET_BIND_SERVICE"
    : "choose another address";
  return `listener ${kind}: ${message}; ${advice}`;
}

/** Keys that differ and that a running server does not follow. */
function changedKeys(old: Config, now: Config): string[] {
  const settings: [string, (config: Config) => unknown][] = [
    ["hostname", (config) => config.hostname],
    ["data_dir", (config) => config.dataDir],
    ["tls.min_version", (config) => config.tls.minVersion],
    ["tls.acme", (config) => config.tls.acme ?? null],
    [
      "listener",
      ({ listeners }) =>
        listeners.map((each) => ({
          ...each,
          routes: [...each.routes],
          namedRoutes: [...each.namedRoutes].map(([name, routes]) => [name, [...routes]]),
        })),
    ],
    ["auth.allow_plaintext", (config) => config.allowPlaintext],
    ["auth.channel_binding", (config) => config.channelBinding],
    ["auth.unauthenticate", (config) => config.unauthenticate],
    ["auth.oauth", (config) => config.oauth],
    ["limits.max_message_size", (config) => config.maxMessageBytes],
    ["limits.message_limit", (config) => config.messageLimit],
    ["limits.save_limit", (config) => config.saveLimit],
    ["limits.max_connections", (config) => config.maxConnections],
    ["limits.connections_per_address", ({ gate }) => gate.openConnections],
    ["limits.connections_per_minute", ({ gate }) => gate.connectionsPerMinute],
    ["limits.failed_logins_per_minute", ({ gate }) => gate.failuresPerMinute],
    ["limits.failed_logins_per_day", ({ gate }) => gate.failuresPerDay],
    ["limits.max_connections_per_user", (config) => config.maxConnectionsPerUser],
    ["limits.messages_per_minute", ({ sending }) => sending.messagesPerMinute],
    ["limits.messages_burst", ({ sending }) => sending.burst],
    ["relay", ({ relay }) => relay ?? null],
    ["quota.default", (config) => config.defaultQuotaBytes],
    ["retention.trash", ({ trashAfterMs }) => trashAfterMs ?? null],
    ["chatmail", (config) => config.chatmail ?? null],
  ];
  return settings
    .filter(([, get]) => JSON.stringify(get(old)) !== JSON.stringify(get(now)))
    .map(([key]) => key);
}
