import type { LiveSubmission } from "../../delivery/mod.ts";
import type { Transport } from "../../net/mod.ts";
import type { LiveSession } from "../../session/mod.ts";
import type { Account } from "../../store/mod.ts";
import type { LiveConnection } from "../../web/mod.ts";
import type { Party } from "./connections.ts";

/** An IMAP session in the eyes of those who watch. */
export class ImapParty implements Party {
  readonly #session: LiveSession;

  constructor(session: LiveSession) {
    this.#session = session;
  }

  get account(): LiveConnection["account"] {
    return accountOf(this.#session.login?.account);
  }

  get client(): string {
    return this.#session.client;
  }

  get activity(): string {
    return this.#session.activity;
  }

  get mailbox(): string {
    return this.#session.view?.name ?? "";
  }

  end(reason: string): void {
    this.#session.end(`[UNAVAILABLE] ${reason}`);
  }
}

/** A connection by which mail comes in; where nobody logs in, nobody is. */
export class SmtpParty implements Party {
  readonly #connection: Omit<LiveSubmission, "user"> & Partial<LiveSubmission>;

  constructor(connection: Omit<LiveSubmission, "user"> & Partial<LiveSubmission>) {
    this.#connection = connection;
  }

  get account(): LiveConnection["account"] {
    return accountOf(this.#connection.user?.account);
  }

  get client(): string {
    return "";
  }

  get mailbox(): string {
    return "";
  }

  get activity(): string {
    return this.#connection.activity;
  }

  end(reason: string): void {
    this.#connection.end(reason);
  }
}

/** A browser's connection, one request after the other. */
export class WebParty implements Party {
  /** Pages ask who it is with each request, and a connection may have requests of several. */
  readonly account = undefined;
  activity = "";
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  get client(): string {
    return "";
  }

  get mailbox(): string {
    return "";
  }

  end(): void {
    this.#transport.destroy();
  }

  /** Has the request known by its method, since a path may have a secret in it, until it is answered. */
  async during<T>({ method }: Request, answer: () => Promise<T>): Promise<T> {
    this.activity = method;
    try {
      return await answer();
    } finally {
      this.activity = "";
    }
  }
}

function accountOf(account: Account | undefined): LiveConnection["account"] {
  return account && { id: account.id, address: account.address };
}
