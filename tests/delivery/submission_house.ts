import assert from "node:assert/strict";
import { RangeSet } from "../../src/base/mod.ts";
import { Authenticator, type AuthenticatorOptions, makeVerifier } from "../../src/auth/mod.ts";
import {
  Outbox,
  QueueRunner,
  Relay,
  type RelayOptions,
  type SendingRate,
  type SubmissionPolicy,
  SubmissionServer,
  type SubmissionServices,
} from "../../src/delivery/mod.ts";
import {
  type CertificatePair,
  CertificateStore,
  listen,
  type Listener,
  makeSelfSigned,
  type TlsOptions,
  type Transport,
} from "../../src/net/mod.ts";
import type { Account, MailQueue, Store } from "../../src/store/mod.ts";
import { ModelQueue } from "../store/model_queue.ts";
import { ModelStore } from "../store/model_store.ts";
import { TEST_COSTS } from "../support/server.ts";
import { messagesOf, NOW } from "./house.ts";
import { RawClient } from "./raw_client.ts";

export const PASSWORD = 'correct "horse" \\ battery';
export const MAX_SUBMITTED_BYTES = 600_000;

let certificate: Promise<CertificatePair> | undefined;
let verifier: Promise<string> | undefined;

export function testCertificate(): Promise<CertificatePair> {
  return certificate ??= makeSelfSigned(["localhost", "127.0.0.1"], Date.now());
}

export interface SubmissionHouseOptions {
  readonly policy?: SubmissionPolicy;
  readonly rate?: SendingRate;
  readonly relay?: RelayOptions;
  /** Without one, and without `relay`, mail for others is refused. */
  readonly hasRelay?: boolean;
  readonly authenticator?: Partial<AuthenticatorOptions>;
  readonly clientCertificates?: boolean;
  readonly wrap?: (store: Store) => Store;
  readonly queue?: MailQueue;
  readonly watchAccount?: SubmissionServices["watchAccount"];
}

/** Submission for alice, with an alias, and bob; NOW stands still unless `time` is set. */
export class SubmissionHouse {
  time = NOW;
  readonly store: Store = new ModelStore({ now: () => this.time });
  readonly queue: MailQueue;
  readonly server: SubmissionServer;
  readonly runner: QueueRunner;
  readonly spoolFolder: string;
  readonly #listeners = new Map<string, Listener>();
  readonly #served = new Set<Promise<void>>();
  readonly #accounts = new Map<string, Account>();
  #tls: TlsOptions | undefined;

  private constructor(options: SubmissionHouseOptions, spoolFolder: string) {
    this.spoolFolder = spoolFolder;
    this.queue = options.queue ?? new ModelQueue();
    const clock = { now: () => this.time };
    const store = options.wrap?.(this.store) ?? this.store;
    const services = { store, clock, hostname: "mail.example.org" };
    const relay = options.relay && new Relay(options.relay);
    this.runner = new QueueRunner(services, this.queue, relay);
    const outbox = new Outbox(services, this.queue, {
      hasRelay: options.hasRelay ?? relay !== undefined,
      onQueued: () => this.runner.wake(),
    });
    this.server = new SubmissionServer({
      ...services,
      outbox,
      policy: options.policy ?? {},
      maxMessageBytes: MAX_SUBMITTED_BYTES,
      spoolFolder,
      rate: options.rate ?? { messagesPerMinute: 0, burst: 1 },
      ...(options.watchAccount ? { watchAccount: options.watchAccount } : {}),
      authenticator: new Authenticator(this.store.directory, clock, {
        allowPlaintext: false,
        costs: TEST_COSTS,
        sleep: async () => {},
        ...options.authenticator,
      }),
    });
  }

  static async open(options: SubmissionHouseOptions = {}): Promise<SubmissionHouse> {
    const folder = await Deno.makeTempDir({ prefix: "postern-spool-" });
    const house = new SubmissionHouse(options, folder);
    const { directory } = house.store;
    await directory.addDomain("example.org");
    verifier ??= makeVerifier(PASSWORD, TEST_COSTS);
    for (const name of ["alice", "bob"]) {
      const address = `${name}@example.org`;
      house.#accounts.set(name, await directory.addAccount(address, await verifier));
    }
    await directory.addAddress("sales@example.org", house.account("alice").id);
    const tls = house.#tls = {
      certificates: new CertificateStore([await testCertificate()]),
      requestClientCertificate: options.clientCertificates ?? false,
    };
    for (const kind of ["submission", "submissions"] as const) {
      const listener = await listen({
        kind,
        address: "127.0.0.1:0",
        ...(kind === "submissions" ? { tls } : {}),
        onConnection: (transport) => void house.serve(transport),
      });
      house.#listeners.set(kind, listener);
    }
    return house;
  }

  /** Speaks with a client until it is gone. */
  async serve(transport: Transport): Promise<void> {
    assert.ok(this.#tls);
    const done = this.server.serve(transport, this.#tls)
      .finally(() => this.#served.delete(done));
    this.#served.add(done);
    await done;
  }

  account(name: string): Account {
    const account = this.#accounts.get(name);
    assert.ok(account, `no account ${name}`);
    return account;
  }

  port(kind: "submission" | "submissions"): number {
    return Number(this.#listeners.get(kind)?.address.split(":").at(-1));
  }

  /** Messages of INBOX, oldest first; "" for a large one. */
  async inbox(name: string): Promise<string[]> {
    return await messagesOf(await this.store.openAccount(this.account(name).id));
  }

  /** Octets of the messages of INBOX, oldest first, trace fields included. */
  async sizes(name: string): Promise<number[]> {
    const account = await this.store.openAccount(this.account(name).id);
    const inbox = await account.findMailbox("INBOX");
    assert.ok(inbox);
    const sizes: number[] = [];
    const all = RangeSet.range(1, 0xffff_ffff);
    for await (const rows of account.fetchMessages(inbox.id, all, [])) {
      sizes.push(...rows.map(({ size }) => size));
    }
    return sizes;
  }

  /** A connection in clear, greeted. */
  async connect(): Promise<RawClient> {
    const client = await RawClient.connect(`127.0.0.1:${this.port("submission")}`);
    assert.match(await client.reply(), /^220 mail\.example\.org ESMTP/);
    return client;
  }

  /** A connection with TLS; logged in when there is a name. */
  async connectTls(name?: string): Promise<RawClient> {
    const client = await RawClient.connectTls(this.port("submissions"));
    assert.match(await client.reply(), /^220 /);
    assert.match(await client.ask("EHLO client.example"), /^250/);
    if (name !== undefined) assert.match(await client.ask(`AUTH PLAIN ${plain(name)}`), /^235 /);
    return client;
  }

  /** Waits until the queue is as it should be. */
  async until(condition: () => Promise<boolean> | boolean): Promise<void> {
    const end = performance.now() + 10_000;
    while (!await condition()) {
      assert.ok(performance.now() < end, "it did not come to that in time");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const listener of this.#listeners.values()) listener.close();
    await this.server.close(1000);
    await Promise.all(this.#served);
    await this.runner.stop();
    // A file is removed after the reply, which its client need not wait for.
    const left = () => [...Deno.readDirSync(this.spoolFolder)].map(({ name }) => name);
    const end = performance.now() + 2_000;
    while (left().length > 0 && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const files = left();
    await Deno.remove(this.spoolFolder, { recursive: true });
    assert.deepEqual(files, [], "files are left in the spool");
  }
}

/** The message of PLAIN. */
export function plain(name: string, password = PASSWORD): string {
  return btoa(`\0${name}@example.org\0${password}`);
}
