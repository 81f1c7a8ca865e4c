import { createHash } from "node:crypto";
import type { Authenticator, AuthSuccess } from "../auth/mod.ts";
import { type Clock, randomHex } from "../base/mod.ts";
import type { Account, Directory, PasswordVerifier } from "../store/mod.ts";
import { MAX_WEB_SESSIONS, WEB_IDLE_MS, WEB_SESSION_MS } from "./limits.ts";

/** Whose pages a browser may see: those of one account, or the admin's. */
export type Visitor =
  | { readonly kind: "account"; readonly login: Pick<AuthSuccess, "account" | "credential"> }
  | { readonly kind: "admin"; readonly verifier: PasswordVerifier };

interface WebSession {
  visitor: Visitor;
  readonly begun: number;
  lastSeen: number;
}

/**
 * Browsers that are logged in: in memory, so that a restart ends them all. Of a cookie only the
 * hash is kept. Who logged in by what is no longer good is out at the next request.
 */
export class WebSessions {
  readonly #directory: Directory;
  readonly #authenticator: Authenticator;
  readonly #clock: Clock;
  readonly #sessions = new Map<string, WebSession>();

  constructor(directory: Directory, authenticator: Authenticator, clock: Clock) {
    this.#directory = directory;
    this.#authenticator = authenticator;
    this.#clock = clock;
  }

  /** Lets a visitor in; gives what its cookie has to say. */
  begin(visitor: Visitor): string {
    const now = this.#clock.now();
    for (const [key, session] of this.#sessions) {
      if (!isCurrent(session, now)) this.#sessions.delete(key);
    }
    if (this.#sessions.size >= MAX_WEB_SESSIONS) this.#dropIdlest();
    const token = randomHex(32);
    this.#sessions.set(hashOf(token), { visitor, begun: now, lastSeen: now });
    return token;
  }

  /** The account that the cookie is good for, as it is now. */
  async account(token: string): Promise<Account | undefined> {
    const visitor = this.#find(token, "account");
    if (visitor === undefined) return undefined;
    const { account, credential } = visitor.login;
    const isWelcome = await this.#authenticator.mayStay(account, credential);
    const now = isWelcome ? await this.#directory.getAccount(account.id) : undefined;
    if (now === undefined) this.end(token);
    return now;
  }

  /** Whether the cookie is the admin's. */
  async isAdmin(token: string): Promise<boolean> {
    const visitor = this.#find(token, "admin");
    if (visitor === undefined) return false;
    const isAdmin = await this.#directory.adminVerifier() === visitor.verifier;
    if (!isAdmin) this.end(token);
    return isAdmin;
  }

  /** Has a browser stay although what it logged in by changed, since it changed that itself. */
  renew(token: string, visitor: Visitor): void {
    const session = this.#sessions.get(hashOf(token));
    if (session) session.visitor = visitor;
  }

  end(token: string): void {
    this.#sessions.delete(hashOf(token));
  }

  #find<Kind extends Visitor["kind"]>(
    token: string,
    kind: Kind,
  ): Extract<Visitor, { kind: Kind }> | undefined {
    const now = this.#clock.now();
    const session = this.#sessions.get(hashOf(token));
    if (session === undefined || session.visitor.kind !== kind) return undefined;
    if (!isCurrent(session, now)) {
      this.end(token);
      return undefined;
    }
    session.lastSeen = now;
    return session.visitor as Extract<Visitor, { kind: Kind }>;
  }

  #dropIdlest(): void {
    const [idlest] = [...this.#sessions].sort(([, a], [, b]) => a.lastSeen - b.lastSeen);
    if (idlest) this.#sessions.delete(idlest[0]);
  }
}

function isCurrent({ begun, lastSeen }: WebSession, now: number): boolean {
  return now - begun < WEB_SESSION_MS && now - lastSeen < WEB_IDLE_MS;
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}
