import { statfsSync } from "node:fs";
import type { AccountId, Clock } from "../base/mod.ts";
import {
  HostEntries,
  type HostFacts,
  InviteList,
  PushNotifier,
  Registration,
  type Resources,
} from "../chatmail/mod.ts";
import type { DeliveryServices, SubmissionPolicy } from "../delivery/mod.ts";
import { type Directory, type PushStore, StoreError } from "../store/mod.ts";
import { openSqlitePush } from "../store/sqlite/engine.ts";
import type { ChatmailConfig } from "./config/chatmail.ts";
import { EncryptionPolicy } from "./encryption_policy.ts";
import { readSecret } from "./oauth.ts";

/** Recipients of one message, as clients are told: what submission takes. */
const MAX_RECIPIENTS = 1000;

/** What the host says of itself. Throws Failure when the secret cannot be read. */
export async function readHostFacts(config: ChatmailConfig): Promise<HostFacts> {
  const { domain, admin, irohRelay, turn, appVersions } = config;
  return {
    domain,
    admin,
    irohRelay,
    turn: turn && {
      host: turn.host,
      port: turn.port,
      secret: await readSecret("chatmail.turn_secret_file", turn.secretFile),
    },
    maxRecipients: MAX_RECIPIENTS,
    appVersions,
  };
}

type IncomingHooks = Pick<DeliveryServices, "inspect" | "removed">;

/** What the domain has done to each message that comes in for its accounts. */
export function incomingHooks(config: ChatmailConfig): IncomingHooks {
  const { domain, requiresEncryption, removedFields } = config;
  const policy = requiresEncryption ? new EncryptionPolicy(config) : undefined;
  return {
    ...(policy ? { inspect: () => policy.inspectIncoming() } : {}),
    removed: { names: removedFields, isFor: ({ address }) => address.endsWith(`@${domain}`) },
  };
}

/** The chatmail domain of a running server. */
export class Chatmail {
  readonly registration: Registration;
  readonly entries: HostEntries;
  /** What submission leaves out, so that nobody learns where a sender is and with what. */
  readonly submissionPolicy: SubmissionPolicy;
  readonly #directory: Directory;
  readonly #domain: string;
  readonly #incoming: IncomingHooks;
  readonly #push: PushStore | undefined;
  readonly #notifier: PushNotifier | undefined;

  constructor(
    config: ChatmailConfig,
    facts: HostFacts,
    services: {
      readonly directory: Directory;
      readonly dataDir: string;
      readonly clock: Clock;
    },
  ) {
    const { directory, dataDir, clock } = services;
    const { inviteTokensFile, pushUrl } = config;
    this.#directory = directory;
    this.#domain = config.domain;
    this.#incoming = incomingHooks(config);
    this.submissionPolicy = config.requiresEncryption
      ? new EncryptionPolicy(config).submission
      : { hidesClient: true };
    this.registration = new Registration(config, {
      directory,
      resources: machine(dataDir),
      invites: inviteTokensFile === undefined ? undefined : new InviteList(inviteTokensFile),
      clock,
    });
    if (pushUrl !== undefined) {
      this.#push = openSqlitePush(dataDir);
      this.#notifier = new PushNotifier(this.#push, pushUrl, clock);
    }
    this.entries = new HostEntries(facts, this.#push, clock);
  }

  /** What delivery tells this domain of. */
  get deliveryHooks(): Pick<DeliveryServices, "onDelivered"> & IncomingHooks {
    return {
      ...this.#incoming,
      onDelivered: (account, from) => {
        // What an account sends itself is for its other devices, which are awake.
        if (from?.toLowerCase() !== account.address) void this.#notifier?.notify(account);
      },
    };
  }

  /** Makes the domain when it is not there, and goes on with what waits. */
  async start(): Promise<void> {
    try {
      await this.#directory.addDomain(this.#domain);
    } catch (error) {
      if (!(error instanceof StoreError && error.code === "already-exists")) throw error;
    }
    this.#notifier?.start();
  }

  /** Forgets the devices of an account that was removed. */
  forget(account: AccountId): void {
    void this.#push?.removeTokens(account);
  }

  async stop(): Promise<void> {
    await this.#notifier?.stop();
    await this.#push?.close();
  }
}

function machine(dataDir: string): Resources {
  return {
    availableMemoryBytes: () => Deno.systemMemoryInfo().available,
    freeDiskBytes: () => {
      const { bavail, bsize } = statfsSync(dataDir);
      return bavail * bsize;
    },
  };
}
