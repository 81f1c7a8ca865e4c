import { Challenges, type Renewer } from "../acme/mod.ts";
import { Authenticator, type LoginAttempt, type OAuthOptions } from "../auth/mod.ts";
import { accountId, logger, systemClock } from "../base/mod.ts";
import { Expiry, type HostFacts } from "../chatmail/mod.ts";
import { LmtpServer } from "../delivery/mod.ts";
import { createRegistry } from "../imap/mod.ts";
import { CertificateStore, ConnectionBudget, type Listener, type TlsOptions } from "../net/mod.ts";
import { createNotifier, HOST, type NudgeListener } from "../notify/mod.ts";
import { DEFAULT_TIMES, serveConnection, type SessionServices } from "../session/mod.ts";
import type { HistoryLog, Store } from "../store/mod.ts";
import { handleMetricsRequest, type Host } from "../web/mod.ts";
import { openRenewer } from "./acme_renewal.ts";
import { changedKeys } from "./changed_keys.ts";
import { Chatmail, readHostFacts } from "./chatmail.ts";
import { ServerCertificates } from "./certificates.ts";
import type { Config, ListenerConfig } from "./config/config.ts";
import { type ControlServer, listenForCommands } from "./control/server.ts";
import { listenForNudges, openStore } from "./data.ts";
import { GateKeeper } from "./gate_keeper.ts";
import { serveHttp } from "./http_connection.ts";
import { type Connection, Connections } from "./live/connections.ts";
import { LiveHost } from "./live/live_host.ts";
import { ImapParty, SmtpParty, WebParty } from "./live/parties.ts";
import { Tracer } from "./live/tracer.ts";
import type { LogControl } from "./log.ts";
import { readOAuth } from "./oauth.ts";
import { openBudget } from "./open_files.ts";
import { openListener } from "./open_listener.ts";
import { OutgoingMail } from "./outgoing_mail.ts";
import { SelfWatch } from "./self_watch.ts";
import { Website } from "./website.ts";

const log = logger("app");

/** How long connections may go on with what is under way after the server was told to stop. */
export const STOP_TIMEOUT_MS = 3_000;

/**
 * Starts everything that the configuration asks for; `configText` is how its admin is shown it.
 * Throws Failure, with nothing left running.
 */
export async function startServer(
  config: Config,
  logControl: LogControl,
  configText?: string,
): Promise<Server> {
  const oauth = await readOAuth(config);
  const chatmailFacts = config.chatmail && await readHostFacts(config.chatmail);
  const store = await openStore(config);
  const certificates = new CertificateStore([], { minVersion: config.tls.minVersion });
  const server = new Server(config, logControl, store, certificates, oauth, chatmailFacts);
  try {
    await server.start(configText);
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
  #outgoing: OutgoingMail | undefined;
  #watch: SelfWatch | undefined;
  #isStarted = false;
  #budget = new ConnectionBudget(0);
  #renewer: Renewer | undefined;
  readonly #listeners: Listener[] = [];
  /** Of each listener, what it was opened by. */
  readonly #listening: ListenerConfig[] = [];
  readonly #tracer: Tracer;
  readonly #connections: Connections;
  readonly #logControl: LogControl;
  readonly #startedMs = systemClock.now();
  #host: LiveHost | undefined;
  #website: Website | undefined;
  #control: ControlServer | undefined;
  #nudges: NudgeListener | undefined;

  constructor(
    config: Config,
    logControl: LogControl,
    store: Store,
    certificates: CertificateStore,
    oauth: OAuthOptions | undefined,
    chatmailFacts: HostFacts | undefined,
  ) {
    const { hostname, maxMessageBytes, allowPlaintext, channelBinding } = config;
    const clock = systemClock;
    this.#config = config;
    this.#logControl = logControl;
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
    const note = (attempt: LoginAttempt) => {
      if (config.log.addresses) recorder.add(attempt);
      if (attempt.result !== "ok") this.#tracer.failed(attempt);
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
    this.#tracer = new Tracer(() => clock.now(), this.#sessions.registry.commands);
    this.#connections = new Connections(() => clock.now(), this.#tracer);
    this.#expiry = new Expiry(config, {
      store,
      clock,
      isInUse: (account) => authenticator.hasSession(account),
      removed: (account) => {
        this.#notifier.nudge(account, "security");
        this.#chatmail?.forget(account);
        this.#watch?.usage.noteChange(account);
      },
    });
    store.onCommit((account) => this.#notifier.nudge(account, "changed"));
    this.#notifier.subscribe(HOST, (kind) => kind === "changed" && this.#outgoing?.wake());
  }

  /** What is listened on, in the order of the configuration. */
  get listeners(): readonly { readonly kind: string; readonly address: string }[] {
    return this.#listeners;
  }

  /** What it tells of itself; there once it is started. */
  get host(): Host {
    if (!this.#host) throw new Error("the server is not started");
    return this.#host;
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

  async start(configText: string | undefined): Promise<void> {
    this.#nudges = await listenForNudges(this.#config.dataDir, this.#notifier);
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
    if (acme) {
      this.#renewer = await openRenewer(acme, {
        dataDir,
        directory: this.#store.directory,
        challenges: this.#challenges,
        onChange: () => {
          this.#files.apply().catch((error) =>
            log.error("a certificate was not taken into use: {error}", { error })
          );
        },
      });
    }
    await this.#files.open();
    const { listeners } = this.#config;
    this.#budget = openBudget(this.#config.maxConnections, listeners.length);
    this.#host = this.#openHost(this.#outgoing, this.#watch);
    this.#website = await Website.open(this.#config, {
      challenges: this.#challenges,
      newcomers: this.#chatmail?.registration,
      host: this.#host,
      store: this.#store,
      authenticator,
      gate: this.#keeper.gate,
      loginLog: this.#keeper.log,
      queue,
      clock,
      history: this.#watch.history,
      quotas: () => this.#watch?.usage.quotas ?? new Map(),
      configuration: configText,
    });
    this.#control = await listenForCommands(dataDir, {
      host: this.#host,
      trace: (account, listener) => this.#tracer.trace(account, this.#connections, listener),
    });
    for (const config of listeners) {
      this.#listeners.push(await this.#open(config));
      this.#listening.push(config);
    }
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
    const gone = this.#connections.close(STOP_TIMEOUT_MS);
    await Promise.all([
      this.#website?.close(),
      this.#lmtp.close(STOP_TIMEOUT_MS / 2),
      this.#outgoing?.closeConnections(STOP_TIMEOUT_MS / 2),
    ]);
    await gone;
    await this.#expiry.stop();
    await this.#chatmail?.stop();
    await this.#watch?.stop();
    await this.#outgoing?.close();
    await this.#renewer?.stop();
    await this.#control?.close();
    await this.#nudges?.close();
    await this.#keeper.close();
    await this.#store.close();
    for (const listener of this.#listeners) listener.close();
  }

  #openHost(outgoing: OutgoingMail, watch: SelfWatch): LiveHost {
    return new LiveHost({
      config: this.#config,
      clock: systemClock,
      startedMs: this.#startedMs,
      store: this.#store,
      connections: this.#connections,
      certificates: this.#files,
      notifier: this.#notifier,
      logControl: this.#logControl,
      listeners: () =>
        this.#listening.map((config, i) => ({
          config,
          address: this.#listeners[i]?.address ?? config.address,
        })),
      renewing: () => this.#renewer?.problems ?? new Map(),
      queue: outgoing.queue,
      runsQueue: outgoing.runsQueue,
      quotas: () => watch.usage.quotas,
      noteChange: (account) => watch.usage.noteChange(account),
      history: watch.history,
      connectionRoom: () => this.#budget.isShort ? this.#budget.room : undefined,
      countBans: () => this.#keeper.countBans(),
    });
  }

  #tls(requestClientCertificate: boolean): TlsOptions {
    return { certificates: this.#certificates, alpn: ["imap"], requestClientCertificate };
  }

  async #open(config: ListenerConfig): Promise<Listener> {
    const tls = this.#tls(config.clientCertificates);
    const sessions = { ...this.#sessions, tls };
    return await openListener(config, {
      budget: this.#budget,
      keeper: this.#keeper,
      challenges: this.#challenges,
      tls,
      onConnection: (transport, target) =>
        this.#connections.add(
          transport,
          target,
          config,
          (connection) => this.#speak(connection, target, sessions),
        ),
    });
  }

  async #speak(
    connection: Connection,
    target: string,
    sessions: SessionServices,
  ): Promise<void> {
    const { transport } = connection;
    switch (target) {
      case "web": {
        const party = connection.party = new WebParty(transport);
        const website = this.#website;
        return website && await serveHttp(
          transport,
          (request) => party.during(request, () => website.answer(request, transport)),
          { shutdown: this.#shutdown.signal },
        );
      }
      case "metrics":
        return await serveHttp(transport, (request) => handleMetricsRequest(request, this), {
          shutdown: this.#shutdown.signal,
        });
      case "lmtp":
        return await this.#lmtp.serve(transport, (live) => connection.party = new SmtpParty(live));
      case "submission":
      case "submissions":
        return await this.#outgoing?.submission.serve(transport, {
          certificates: this.#certificates,
          requestClientCertificate: sessions.tls?.requestClientCertificate ?? false,
        }, (live) => connection.party = new SmtpParty(live));
      default:
        return await serveConnection(transport, sessions, undefined, (session) => {
          connection.party = new ImapParty(session);
        });
    }
  }
}
