import { Gate, type GateRefusal, LoginRecorder } from "../auth/mod.ts";
import { type Clock, logger } from "../base/mod.ts";
import { contains, type Endpoint, type Network, parseNetwork } from "../net/mod.ts";
import { HOST, type Notifier } from "../notify/mod.ts";
import type { Directory, LoginLog } from "../store/mod.ts";
import { openSqliteLoginLog } from "../store/sqlite/engine.ts";
import type { Config } from "./config/config.ts";

/** Sent in clear to who may not connect now. */
const REFUSALS: Readonly<Record<GateRefusal, string>> = {
  failures: "* BYE [UNAVAILABLE] Too many failed logins from your network; try later.",
  rate: "* BYE [LIMIT] Too many connections from your network in a short time; slow down.",
  open: "* BYE [LIMIT] Too many open connections from your network; close some.",
};

/** The gate of a running server, with what it remembers and whom it never counts. */
export class GateKeeper {
  readonly gate: Gate;
  readonly recorder: LoginRecorder;
  readonly #clock: Clock;
  /** Who tried to log in. */
  readonly log: LoginLog;
  readonly #directory: Directory;
  readonly #proxies: readonly Network[];
  #allowed: readonly Network[] = [];

  constructor(config: Config, directory: Directory, notifier: Notifier, clock: Clock) {
    this.#clock = clock;
    this.#directory = directory;
    this.#proxies = config.listeners.flatMap(({ trustedProxies }) => trustedProxies);
    this.log = openSqliteLoginLog({ dataDir: config.dataDir, clock });
    this.gate = new Gate(clock, {
      limits: config.gate,
      // A proxy speaks for others: what they do is held against their own addresses.
      isExempt: (address) =>
        [this.#proxies, this.#allowed].some((list) =>
          list.some((network) => contains(network, address))
        ),
    });
    this.recorder = new LoginRecorder(this.log, this.gate, clock);
    notifier.subscribe(HOST, (kind) => {
      if (kind !== "security") return;
      this.load().catch((error) =>
        logger("app").error("bans and allowed networks could not be read: {error}", { error })
      );
    });
  }

  /** Reads what other processes, or this one before a restart, wrote. */
  async load(): Promise<void> {
    this.#allowed = (await this.#directory.listAllowedNetworks()).map(parseNetwork);
    await this.recorder.reloadGate();
  }

  /** Networks that must wait now. */
  async countBans(): Promise<number> {
    const now = this.#clock.now();
    const networks = await this.log.listNetworks();
    return networks.filter(({ ban }) => ban && ban.untilMs > now).length;
  }

  readonly accept = ({ address }: Endpoint): boolean | string => {
    const refusal = this.gate.enter(address);
    return refusal === undefined || REFUSALS[refusal];
  };

  readonly closed = ({ address }: Endpoint): void => this.gate.leave(address);

  /** Waits for what is to be written. */
  async close(): Promise<void> {
    await this.recorder.close();
    await this.log.close();
  }
}
