import { join } from "node:path";
import type { Authenticator } from "../auth/mod.ts";
import { type Clock, logger } from "../base/mod.ts";
import {
  type DeliveryServices,
  Outbox,
  QueueRunner,
  Relay,
  type RelayOptions,
  type SubmissionPolicy,
  SubmissionServer,
  type SubmissionServices,
  sweepSpool,
} from "../delivery/mod.ts";
import type { MailQueue, RunnerClaim, Store } from "../store/mod.ts";
import { openSqliteQueue } from "../store/sqlite/engine.ts";
import type { Config, RelayConfig } from "./config/config.ts";
import { whyUnreadable } from "./config/load.ts";
import { Failure } from "./failure.ts";
import { readSecret } from "./oauth.ts";

/** What a host wants of outgoing mail, and to be told of that which stays here. */
export interface OutgoingHooks
  extends Pick<DeliveryServices, "onDelivered" | "inspect" | "removed"> {
  readonly policy?: SubmissionPolicy;
  readonly watchAccount?: SubmissionServices["watchAccount"];
}

/** Everything by which mail leaves a running server: submission, queue, relay. */
export class OutgoingMail {
  readonly submission: SubmissionServer;
  readonly queue: MailQueue;
  readonly #runner: QueueRunner;
  readonly #claim: RunnerClaim | undefined;

  private constructor(
    submission: SubmissionServer,
    queue: MailQueue,
    runner: QueueRunner,
    claim: RunnerClaim | undefined,
  ) {
    this.submission = submission;
    this.queue = queue;
    this.#runner = runner;
    this.#claim = claim;
  }

  /** Opens the queue and goes on with what is in it. Throws Failure for the relay's files. */
  static async open(
    config: Config,
    store: Store,
    clock: Clock,
    authenticator: Authenticator,
    { policy = {}, watchAccount, ...hooks }: OutgoingHooks = {},
  ): Promise<OutgoingMail> {
    const { hostname, dataDir, maxMessageBytes, sending } = config;
    const relay = config.relay && new Relay(await readRelay(config.relay, hostname));
    const spoolFolder = join(dataDir, "spool");
    await sweepSpool(spoolFolder);
    const services = { store, clock, hostname, ...hooks };
    const queue = openSqliteQueue(dataDir);
    // Chatmail clients make nothing of it, and it is mail in clear.
    const tellsOfDelays = config.chatmail === undefined;
    const runner = new QueueRunner(services, queue, relay, { tellsOfDelays });
    const claim = await queue.claimRunner();
    if (claim) runner.wake();
    else logger("app").warn("another process sends what is queued in {dataDir}", { dataDir });
    const outbox = new Outbox(services, queue, {
      hasRelay: relay !== undefined,
      onQueued: () => claim && runner.wake(),
    });
    const submission = new SubmissionServer({
      ...services,
      authenticator,
      outbox,
      policy,
      maxMessageBytes,
      spoolFolder,
      rate: sending,
      ...(watchAccount ? { watchAccount } : {}),
    });
    return new OutgoingMail(submission, queue, runner, claim);
  }

  /** Whether this process is the one that sends what is queued. */
  get runsQueue(): boolean {
    return this.#claim !== undefined;
  }

  /** Looks for what is due, since another process changed the queue. */
  wake(): void {
    if (this.#claim) this.#runner.wake();
  }

  /** Ends the connections of those who send, after the messages that are under way. */
  async closeConnections(graceMs: number): Promise<void> {
    await this.submission.close(graceMs);
  }

  /** Ends what is being sent on, which is tried again later, and closes the queue. */
  async close(): Promise<void> {
    await this.#runner.stop();
    this.#claim?.release();
    await this.queue.close();
  }
}

/** The relay of the configuration with its files read. Throws Failure, which names the file. */
export async function readRelay(config: RelayConfig, hostname: string): Promise<RelayOptions> {
  const { host, port, tls, login, caFile } = config;
  return {
    host,
    port,
    tls,
    hostname,
    credentials: login && {
      username: login.username,
      password: await readSecret("relay.password_file", login.passwordFile),
    },
    caCertificates: caFile && await readCertificates(caFile),
  };
}

async function readCertificates(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    throw new Failure(`relay.ca_file: cannot read ${file}: ${whyUnreadable(error)}`);
  }
}
