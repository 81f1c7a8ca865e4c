import assert from "node:assert/strict";
import {
  Authenticator,
  type AuthenticatorOptions,
  makeVerifier,
  type VerifierCosts,
} from "../../src/auth/mod.ts";
import { type Clock, systemClock } from "../../src/base/mod.ts";
import { createRegistry, type ServerEntries, type SessionLimits } from "../../src/imap/mod.ts";
import {
  type CertificatePair,
  CertificateStore,
  listen,
  type Listener,
  makeSelfSigned,
  type TlsOptions,
} from "../../src/net/mod.ts";
import { createNotifier, type Notifier } from "../../src/notify/mod.ts";
import {
  DEFAULT_TIMES,
  serveConnection,
  type SessionServices,
  type SessionTimes,
} from "../../src/session/mod.ts";
import type { Account, AccountStore, Store } from "../../src/store/mod.ts";
import { openSqliteStore, SqliteStore, type TrimPolicy } from "../../src/store/sqlite/engine.ts";
import { TestClient } from "./client.ts";

/** Passwords in tests cost next to nothing to check: the documented option of `auth/`. */
export const TEST_COSTS: VerifierCosts = { slow: 1, scram: { "SHA-1": 4096, "SHA-256": 4096 } };

export const USER = "user@example.org";
export const PASSWORD = "correct horse";

export interface TestServerOptions {
  readonly times?: Partial<SessionTimes>;
  readonly limits?: Partial<SessionLimits>;
  readonly clock?: Clock;
  /** Allows LOGIN in clear, as most conversations want; true unless given. */
  readonly allowPlaintext?: boolean;
  readonly defaultQuotaBytes?: number;
  /** How long the store remembers what is gone; see `trim`. */
  readonly trim?: Partial<TrimPolicy>;
  readonly serverEntries?: ServerEntries;
  /** Asks TLS clients for a certificate. */
  readonly clientCertificates?: boolean;
  readonly authenticator?: Partial<AuthenticatorOptions>;
}

let certificate: Promise<CertificatePair> | undefined;
let verifier: Promise<string> | undefined;

/** A whole server in this process: store in a temporary folder, IMAP in clear and over TLS. */
export class TestServer {
  readonly store: Store;
  readonly notifier: Notifier;
  readonly dataDir: string;
  readonly #shutdown = new AbortController();
  readonly #listeners: Listener[] = [];
  readonly #sessions = new Set<Promise<void>>();
  readonly #clients: TestClient[] = [];
  #services: SessionServices | undefined;

  private constructor(store: Store, dataDir: string) {
    this.store = store;
    this.dataDir = dataDir;
    this.notifier = createNotifier();
    store.onCommit((account) => this.notifier.nudge(account, "changed"));
  }

  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const dataDir = await Deno.makeTempDir({ prefix: "postern-test-" });
    const { defaultQuotaBytes, trim = {} } = options;
    const store = await openSqliteStore({
      dataDir,
      trim,
      ...(defaultQuotaBytes === undefined ? {} : { defaultQuotaBytes }),
    });
    const server = new TestServer(store, dataDir);
    await store.directory.addDomain("example.org");
    await server.addAccount(USER);
    await server.#listen(options);
    return server;
  }

  async #listen(options: TestServerOptions): Promise<void> {
    certificate ??= makeSelfSigned(["localhost", "127.0.0.1"], Date.now());
    const tls: TlsOptions = {
      certificates: new CertificateStore([await certificate]),
      alpn: ["imap"],
      requestClientCertificate: options.clientCertificates ?? false,
    };
    const clock = options.clock ?? systemClock;
    this.#services = {
      registry: createRegistry(),
      store: this.store,
      authenticator: new Authenticator(this.store.directory, clock, {
        allowPlaintext: options.allowPlaintext ?? true,
        costs: TEST_COSTS,
        sleep: async () => {},
        ...options.authenticator,
      }),
      notifier: this.notifier,
      clock,
      limits: { maxMessageBytes: 50 * 1024 * 1024, ...options.limits },
      times: { ...DEFAULT_TIMES, ...options.times },
      tls,
      ...(options.serverEntries ? { serverEntries: options.serverEntries } : {}),
      shutdown: this.#shutdown.signal,
    };
    for (const kind of ["imap", "imaps"] as const) {
      this.#listeners.push(
        await listen({
          kind,
          address: "127.0.0.1:0",
          ...(kind === "imaps" ? { tls } : {}),
          onConnection: (transport) => {
            const session = serveConnection(transport, this.services);
            this.#sessions.add(session);
            session.then(() => this.#sessions.delete(session));
          },
        }),
      );
    }
  }

  get services(): SessionServices {
    assert.ok(this.#services);
    return this.#services;
  }

  /** Port of the listener in clear. */
  get port(): number {
    return portOf(this.#listeners[0]);
  }

  /** Port of the listener with TLS. */
  get tlsPort(): number {
    return portOf(this.#listeners[1]);
  }

  async addAccount(address: string): Promise<Account> {
    verifier ??= makeVerifier(PASSWORD, TEST_COSTS);
    return await this.store.directory.addAccount(address, await verifier);
  }

  /** The mail of an account, without a session in between. */
  async mail(address: string = USER): Promise<AccountStore> {
    const account = await this.store.directory.resolveAddress(address);
    assert.ok(account, `no account ${address}`);
    return await this.store.openAccount(account.id);
  }

  /** A connection, not logged in. */
  async connect(options: Parameters<typeof TestClient.connect>[1] = {}): Promise<TestClient> {
    const client = await TestClient.connect(options.tls ? this.tlsPort : this.port, options);
    this.#clients.push(client);
    return client;
  }

  /** A connection that is logged in, with `mailbox` selected if one is given. */
  async login(mailbox?: string, address: string = USER): Promise<TestClient> {
    const client = await this.connect();
    await client.ok(`LOGIN ${address} "${PASSWORD}"`);
    if (mailbox !== undefined) await client.ok(`SELECT ${mailbox}`);
    return client;
  }

  /** Has the store forget what its time is over for. */
  async trim(): Promise<void> {
    assert.ok(this.store instanceof SqliteStore);
    await this.store.trim();
  }

  /** Tells the sessions that the server stops. */
  shutDown(): void {
    this.#shutdown.abort();
  }

  /** Ends all sessions, checks every account's store, and removes the folder. */
  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    this.#shutdown.abort();
    for (const listener of this.#listeners) await listener.close();
    await Promise.all(this.#sessions);
    try {
      for (const { id, address } of await this.store.directory.listAccounts()) {
        const account = await this.store.openAccount(id);
        for await (const breach of account.check()) assert.fail(`${address}: ${breach}`);
      }
    } finally {
      await this.store.close();
      await Deno.remove(this.dataDir, { recursive: true });
    }
  }
}

/** Runs `body` against a server of its own, and the store's consistency check after it. */
export async function withServer(
  body: (server: TestServer) => Promise<void>,
  options: TestServerOptions = {},
): Promise<void> {
  const server = await TestServer.start(options);
  try {
    await body(server);
  } finally {
    await server.stop();
  }
}

function portOf(listener: Listener | undefined): number {
  assert.ok(listener);
  return Number(listener.address.slice(listener.address.lastIndexOf(":") + 1));
}
