import { logger } from "../../base/mod.ts";
import type { WatchedTransport } from "../../net/mod.ts";
import type { ListenerConfig } from "../config/config.ts";
import type { LiveConnection } from "../../web/mod.ts";

/** How long a connection that was told to end may go on with what is under way. */
const END_TIMEOUT_MS = 3_000;

/** What those who speak on a connection tell of it. */
export interface Party extends Pick<LiveConnection, "account" | "client" | "activity" | "mailbox"> {
  /** Ends the connection with a farewell. */
  end(reason: string): void;
}

/** A connection that is open, and what is known of it: facts are made when somebody asks. */
export class Connection {
  readonly id: number;
  readonly transport: WatchedTransport;
  readonly protocol: LiveConnection["protocol"];
  /** What it came in by. */
  readonly listener: ListenerConfig;
  readonly sinceMs: number;
  /** Undefined before it spoke, and where nothing is to be told. */
  party: Party | undefined;
  /** Resolves when it is gone. */
  done: Promise<void> = Promise.resolve();

  constructor(
    id: number,
    transport: WatchedTransport,
    protocol: LiveConnection["protocol"],
    listener: ListenerConfig,
    sinceMs: number,
  ) {
    this.id = id;
    this.transport = transport;
    this.protocol = protocol;
    this.listener = listener;
    this.sinceMs = sinceMs;
  }

  facts(): LiveConnection {
    const { id, protocol, listener, sinceMs, party, transport } = this;
    const { remote, tls, compressed } = transport.facts;
    return {
      id,
      protocol,
      listener: listener.kind,
      remote: remote.address,
      tls: tls?.version,
      isCompressed: compressed,
      sinceMs,
      account: party?.account,
      client: party?.client ?? "",
      activity: party?.activity ?? "",
      mailbox: party?.mailbox ?? "",
      bytesIn: transport.bytesIn,
      bytesOut: transport.bytesOut,
    };
  }
}

/** Is told of each connection before anything is said on it, and when it is gone. */
export interface ConnectionWatcher {
  begun(connection: Connection): void;
  ended(connection: Connection): void;
}

/** All connections of a server that are open. */
export class Connections {
  readonly #now: () => number;
  readonly #watcher: ConnectionWatcher | undefined;
  readonly #open = new Map<number, Connection>();
  #lastId = 0;

  constructor(now: () => number, watcher?: ConnectionWatcher) {
    this.#now = now;
    this.#watcher = watcher;
  }

  /** Keeps a connection until what `speak` does on it is over. */
  add(
    transport: WatchedTransport,
    target: string,
    listener: ListenerConfig,
    speak: (connection: Connection) => Promise<void>,
  ): void {
    const id = ++this.#lastId;
    const connection = new Connection(
      id,
      transport,
      protocolOf(target),
      listener,
      this.#now(),
    );
    this.#open.set(id, connection);
    this.#watcher?.begun(connection);
    connection.done = speak(connection)
      .catch((error) =>
        logger("app").error("a {target} connection failed: {error}", { target, error })
      )
      .finally(() => {
        this.#open.delete(id);
        this.#watcher?.ended(connection);
      });
  }

  /** The oldest first. */
  all(): Iterable<Connection> {
    return this.#open.values();
  }

  /** How many came in by each listener. */
  countByListener(): Map<ListenerConfig, number> {
    const counts = new Map<ListenerConfig, number>();
    for (const { listener } of this.#open.values()) {
      counts.set(listener, (counts.get(listener) ?? 0) + 1);
    }
    return counts;
  }

  /** Ends one: politely where it can be, in a moment in any case. False when there is none. */
  end(id: number, reason: string): boolean {
    const connection = this.#open.get(id);
    if (connection === undefined) return false;
    const { transport, party, done } = connection;
    if (party === undefined) {
      transport.destroy();
      return true;
    }
    party.end(reason);
    const timer = setTimeout(() => transport.destroy(), END_TIMEOUT_MS);
    void done.finally(() => clearTimeout(timer));
    return true;
  }

  /** Waits until all are gone; after `graceMs` they are ended. */
  async close(graceMs: number): Promise<void> {
    const timer = setTimeout(() => {
      for (const { transport } of this.#open.values()) transport.destroy();
    }, graceMs);
    // Listeners for the admin may still let somebody in meanwhile.
    while (this.#open.size > 0) {
      await Promise.allSettled([...this.#open.values()].map(({ done }) => done));
    }
    clearTimeout(timer);
  }
}

/** What is spoken, whether TLS began at once or not. */
function protocolOf(target: string): LiveConnection["protocol"] {
  switch (target) {
    case "submission":
    case "submissions":
      return "submission";
    case "lmtp":
    case "web":
    case "metrics":
      return target;
    default:
      return "imap";
  }
}
