import type { LoginAttempt } from "../../auth/mod.ts";
import { type AccountId, accountId, type Bytes } from "../../base/mod.ts";
import type { TransportTap } from "../../net/mod.ts";
import type { Connection, Connections } from "./connections.ts";
import { ImapMask, SmtpMask, type TraceMask } from "./trace_mask.ts";

/** Lines of a connection on which nobody has logged in yet that are kept for the case. */
const MAX_HELD_LINES = 100;

/** One line of a trace. */
export interface TraceLine {
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly connection: number;
  /** From the client, to the client, or about the connection. */
  readonly direction: "<" | ">" | "*";
  readonly text: string;
}

type Listener = (line: TraceLine) => void;

/**
 * Shows what accounts say and hear on all their connections. While nobody traces, no connection is
 * looked into; while somebody does, what is said before a login is kept until it is known whose.
 */
export class Tracer {
  readonly #now: () => number;
  /** Names of IMAP commands. */
  readonly #commands: { has(name: string): boolean };
  readonly #listeners = new Map<AccountId, Set<Listener>>();
  /** By the remote end, an object that each connection has of its own. */
  readonly #taps = new WeakMap<object, ConnectionTap>();

  constructor(now: () => number, commands: { has(name: string): boolean }) {
    this.#now = now;
    this.#commands = commands;
  }

  /** Traces an account on the connections there are and all new ones, until what it gives is called. */
  trace(account: AccountId, connections: Connections, listener: Listener): () => void {
    const listeners = this.#listeners.get(account) ?? new Set();
    this.#listeners.set(account, listeners.add(listener));
    for (const connection of connections.all()) {
      if (connection.transport.tap === undefined) this.#watch(connection, false);
      if (connection.party?.account?.id !== account) continue;
      listener(this.#line(connection, "*", describe(connection)));
      const { tap } = connection.transport;
      if (tap instanceof ConnectionTap) tap.announcedTo = account;
    }
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(account) === listeners) {
        this.#listeners.delete(account);
      }
      if (this.#listeners.size > 0) return;
      for (const { transport } of connections.all()) transport.tap = undefined;
    };
  }

  /** To be told of each connection that begins. */
  begun(connection: Connection): void {
    if (this.#listeners.size > 0) this.#watch(connection, true);
  }

  /** To be told of each attempt to log in that failed: it is the account's, too. */
  failed({ accountId: id, facts }: LoginAttempt): void {
    if (this.#listeners.size === 0 || id === undefined) return;
    this.#taps.get(facts.remote)?.showTo(accountId(id));
  }

  /** To be told of each connection that is gone. */
  ended(connection: Connection): void {
    if (connection.transport.tap instanceof ConnectionTap) connection.transport.tap.end();
  }

  #watch(connection: Connection, isNew: boolean): void {
    if (connection.protocol === "web" || connection.protocol === "metrics") return;
    const tap = new ConnectionTap(connection, isNew, {
      newMask: () => connection.protocol === "imap" ? new ImapMask(this.#commands) : new SmtpMask(),
      listenersOf: (account) => this.#listeners.get(account),
      line: (direction, text) => this.#line(connection, direction, text),
    });
    connection.transport.tap = tap;
    this.#taps.set(connection.transport.facts.remote, tap);
  }

  #line(connection: Connection, direction: TraceLine["direction"], text: string): TraceLine {
    return { timeMs: this.#now(), connection: connection.id, direction, text };
  }
}

interface TapServices {
  newMask(): TraceMask;
  listenersOf(account: AccountId): ReadonlySet<Listener> | undefined;
  line(direction: TraceLine["direction"], text: string): TraceLine;
}

/** Looks into one connection. */
class ConnectionTap implements TransportTap {
  readonly #connection: Connection;
  readonly #services: TapServices;
  /** The account whose listeners know of the connection. */
  announcedTo: AccountId | undefined;
  #mask: TraceMask | undefined;
  /** Who is logged in, or was when something was said last. */
  #account: AccountId | undefined;
  /** What was said before anybody logged in. */
  #held: TraceLine[] = [];
  #omitted = 0;

  constructor(connection: Connection, isNew: boolean, services: TapServices) {
    this.#connection = connection;
    this.#services = services;
    this.#account = connection.party?.account?.id;
    // Between two commands all that was to be said has been said.
    if (isNew || connection.party?.activity === "") this.#mask = services.newMask();
  }

  received(bytes: Bytes): void {
    this.#see("<", bytes);
  }

  sent(bytes: Bytes): void {
    this.#see(">", bytes);
  }

  /** Shows what was said so far, since it was about this account, and what is answered now. */
  showTo(account: AccountId): void {
    const listeners = this.#listenersOf(account);
    if (!listeners) return;
    this.#account = account;
    this.#show(listeners, []);
  }

  end(): void {
    const listeners = this.#listenersOf(this.announcedTo);
    if (!listeners) return;
    for (const listener of listeners) listener(this.#services.line("*", "the connection ended"));
  }

  #see(direction: "<" | ">", bytes: Bytes): void {
    // What is said after a login ended, such as BYE, still belongs to it.
    const account = this.#connection.party?.account?.id;
    if (account !== undefined || direction === "<") this.#account = account;
    const listeners = this.#listenersOf(this.#account);
    if (this.#account !== undefined && !listeners) {
      // Somebody else's: whoever may follow on the connection begins anew.
      this.#mask = undefined;
      this.#forget();
      this.announcedTo = undefined;
      return;
    }
    this.#mask ??= this.#join(direction);
    if (!this.#mask) return;
    const texts = direction === "<" ? this.#mask.received(bytes) : this.#mask.sent(bytes);
    const lines = texts.map((text) => this.#services.line(direction, text));
    if (listeners) this.#show(listeners, lines);
    else this.#hold(lines);
  }

  #listenersOf(account: AccountId | undefined): ReadonlySet<Listener> | undefined {
    return account === undefined ? undefined : this.#services.listenersOf(account);
  }

  /** Joins a conversation where a line begins; undefined while that is not sure. */
  #join(direction: "<" | ">"): TraceMask | undefined {
    const activity = this.#connection.party?.activity;
    const isBetween = activity === "IDLE" || (activity === "" && direction === "<");
    return isBetween ? this.#services.newMask() : undefined;
  }

  #hold(lines: readonly TraceLine[]): void {
    for (const line of lines) {
      if (this.#held.length < MAX_HELD_LINES) this.#held.push(line);
      else this.#omitted++;
    }
  }

  /** Shows what is held, and then `now`, to those who trace who is, or was, logged in. */
  #show(listeners: ReadonlySet<Listener>, now: readonly TraceLine[]): void {
    const lines = [...this.#held];
    if (this.announcedTo !== this.#account) {
      const about = this.#services.line("*", describe(this.#connection));
      lines.unshift({ ...about, timeMs: (lines[0] ?? now[0] ?? about).timeMs });
    }
    if (this.#omitted > 0) {
      lines.push(this.#services.line("*", `${this.#omitted} lines before the login were left out`));
    }
    lines.push(...now);
    this.announcedTo = this.#account;
    this.#forget();
    for (const listener of listeners) for (const line of lines) listener(line);
  }

  #forget(): void {
    this.#held = [];
    this.#omitted = 0;
  }
}

function describe(connection: Connection): string {
  const { protocol, listener, remote, tls, isCompressed, client } = connection.facts();
  const facts = [
    `${protocol} from ${remote} by ${listener}`,
    tls ?? "in clear",
    ...(isCompressed ? ["compressed"] : []),
    ...(client ? [client] : []),
  ];
  return facts.join(", ");
}
