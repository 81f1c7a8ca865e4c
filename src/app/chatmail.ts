import { statfsSync } from "node:fs";
import { InviteList, Registration, type Resources } from "../chatmail/mod.ts";
import type { Clock } from "../base/mod.ts";
import { type Directory, StoreError } from "../store/mod.ts";
import type { ChatmailConfig } from "./config/chatmail.ts";

/** The chatmail domain of a running server. */
export class Chatmail {
  readonly registration: Registration;
  readonly #directory: Directory;
  readonly #domain: string;

  constructor(
    config: ChatmailConfig,
    services: {
      readonly directory: Directory;
      readonly dataDir: string;
      readonly clock: Clock;
    },
  ) {
    const { directory, dataDir, clock } = services;
    const { inviteTokensFile } = config;
    this.#directory = directory;
    this.#domain = config.domain;
    this.registration = new Registration(config, {
      directory,
      resources: machine(dataDir),
      invites: inviteTokensFile === undefined ? undefined : new InviteList(inviteTokensFile),
      clock,
    });
  }

  /** Makes the domain when it is not there. */
  async start(): Promise<void> {
    try {
      await this.#directory.addDomain(this.#domain);
    } catch (error) {
      if (!(error instanceof StoreError && error.code === "already-exists")) throw error;
    }
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
