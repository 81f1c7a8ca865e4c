import { createHmac } from "node:crypto";
import { accountId, type Bytes, logger } from "../base/mod.ts";
import { type Account, type AppPassword, type Directory, StoreError } from "../store/mod.ts";
import { appScramVerifier, findAppPassword, isAppPassword, isInScope } from "./app_password.ts";
import type { Credential } from "./credential.ts";
import { PoolFullError } from "./fair_pool.ts";
import { IssuerUnreachable } from "./issuer.ts";
import type { ConnectionFacts } from "./login_attempt.ts";
import type { AdminVerdict, KeyOwner, Refused, ScramCandidate, Verdict } from "./mechanism.ts";
import type { NewcomerPolicy } from "./newcomer.ts";
import type { PasswordCheck, PasswordOwner } from "./password_check.ts";
import { normaliseUsername, preparePassword } from "./precis.ts";
import {
  parseVerifier,
  type ScramHash,
  type ScramVerifier,
  type VerifierCosts,
} from "./verifier.ts";

/** An id that no account has, to ask the directory as often for nobody as for somebody. */
const NOBODY = accountId(Number.MAX_SAFE_INTEGER);

const NO_NEW_ACCOUNTS = "Authentication is not possible: no new accounts are made at present.";

const log = logger("auth");

/** An account and what its password is checked with; both undefined when there is none. */
interface Found {
  readonly username: string;
  readonly account: Account | undefined;
  readonly verifier: string | undefined;
}

/** Asks the directory about those who want to come in, and answers alike for those it has not. */
export class AccountLookup {
  #directory: Directory;
  #passwords: PasswordCheck;
  #costs: VerifierCosts;
  #newcomers: NewcomerPolicy | undefined;

  constructor(
    directory: Directory,
    passwords: PasswordCheck,
    costs: VerifierCosts,
    newcomers?: NewcomerPolicy,
  ) {
    this.#directory = directory;
    this.#passwords = passwords;
    this.#costs = costs;
    this.#newcomers = newcomers;
  }

  /** The account that a username leads to; a username is any address of the account. */
  async find(username: string): Promise<Found> {
    const account = await this.#resolve(username);
    const verifier = await this.#directory.passwordVerifier(account?.id ?? NOBODY);
    return verifier === undefined
      ? { username, account: undefined, verifier }
      : { username, account, verifier };
  }

  /**
   * Checks a clear password: an app password, or the account's own. `network` is whose turn in the
   * queue it takes.
   */
  async verifyPassword(
    found: Found,
    password: string,
    facts: ConnectionFacts,
    network: string,
  ): Promise<Verdict> {
    const prepared = preparePassword(password);
    if (prepared === undefined) return { result: "badcreds" };
    const { username, account, verifier } = found;
    if (isAppPassword(prepared)) {
      const app = findAppPassword(await this.#appPasswords(account, facts), prepared);
      if (account && app) {
        return await this.admit(account, username, { kind: "appPassword", id: app.id });
      }
    }
    const owner: PasswordOwner = account && verifier
      ? { id: account.id, verifier }
      : { unknownName: username };
    const isRight = await this.#passwords.verify(owner, prepared, network);
    if (account === undefined) return await this.#welcome(username, prepared, facts, network);
    return isRight
      ? await this.admit(account, username, ownPassword(account))
      : { result: "badpassword" };
  }

  /** Checks the admin's password; without one, at the same cost. */
  async verifyAdmin(password: string, network: string): Promise<AdminVerdict> {
    const prepared = preparePassword(password);
    if (prepared === undefined) return { result: "badcreds" };
    const verifier = await this.#directory.adminVerifier();
    const owner: PasswordOwner = verifier === undefined
      ? { unknownName: "admin" }
      : { id: "admin", verifier };
    const isRight = await this.#passwords.verify(owner, prepared, network);
    if (verifier === undefined) return { result: "baduser" };
    return isRight ? { result: "ok", verifier } : { result: "badpassword" };
  }

  /** Makes the account of somebody who may have one. Of several at once the first wins. */
  async #welcome(
    username: string,
    password: string,
    facts: ConnectionFacts,
    network: string,
  ): Promise<Verdict> {
    const answer = await this.#newcomers?.mayJoin(username, password);
    if (answer === "later") return { result: "error", text: NO_NEW_ACCOUNTS };
    if (this.#newcomers === undefined || answer !== "yes") return { result: "baduser" };
    const verifier = await this.#passwords.make(password, network);
    try {
      const account = await this.#directory.addAccount(username, verifier);
      this.#newcomers.joined(account);
    } catch (error) {
      if (!(error instanceof StoreError && error.code === "already-exists")) throw error;
    }
    const found = await this.find(username);
    if (found.account === undefined) return { result: "baduser" };
    return await this.verifyPassword(found, password, facts, network);
  }

  async scramCandidate(
    found: Found,
    hash: ScramHash,
    facts: ConnectionFacts,
  ): Promise<ScramCandidate> {
    const { username: address, account } = found;
    const fake = await this.#fakeVerifier(address, hash);
    const apps = await this.#appPasswords(account, facts);
    const own = found.verifier && parseVerifier(found.verifier).scram[hash];
    const byVerifier = new Map<ScramVerifier, AppPassword>();
    for (const app of own ? apps : []) {
      const verifier = own && appScramVerifier(app, hash, own);
      if (verifier) byVerifier.set(verifier, app);
    }
    return {
      account: own ? account : undefined,
      address,
      verifiers: own ? [own, ...byVerifier.keys()] : [fake],
      credentialOf: (verifier) => {
        const app = byVerifier.get(verifier);
        return app ? { kind: "appPassword", id: app.id } : {
          kind: "password",
          passwordVersion: account?.passwordVersion ?? 0,
        };
      },
    };
  }

  /** Whose key it is; undefined for nobody's. */
  async findKey(fingerprint: string): Promise<KeyOwner | undefined> {
    const key = await this.#directory.credentials.findClientKey(fingerprint);
    const account = key && await this.#directory.getAccount(key.accountId);
    return key && account && {
      account,
      address: key.address,
      allowsPreauth: key.allowsPreauth,
      credential: { kind: "key", fingerprint },
    };
  }

  /** Whether the account may log in, and as it is now; `account` as it was when this began. */
  async admit(account: Account, address: string, credential: Credential): Promise<Verdict> {
    const now = await this.#directory.getAccount(account.id);
    if (
      !now || now.securityVersion !== account.securityVersion || !await this.#holds(now, credential)
    ) {
      return { result: "error", text: "The account has just been changed; try again." };
    }
    if (now.disabledMessage !== undefined) {
      return { result: "logindisabled", text: now.disabledMessage };
    }
    if (credential.kind === "appPassword") {
      await this.#directory.credentials.touchAppPassword(credential.id);
    }
    return { result: "ok", account: now, address, credential };
  }

  /**
   * Whether somebody who was admitted may stay: the account has been neither disabled nor removed,
   * and what the login rests on is still there.
   */
  async mayStay(account: Account, credential: Credential): Promise<boolean> {
    const now = await this.#directory.getAccount(account.id);
    return now?.securityVersion === account.securityVersion && await this.#holds(now, credential);
  }

  async #holds(account: Account, credential: Credential): Promise<boolean> {
    const { credentials } = this.#directory;
    switch (credential.kind) {
      case "password":
        return credential.passwordVersion === account.passwordVersion;
      case "key":
        return (await credentials.findClientKey(credential.fingerprint))?.accountId === account.id;
      case "appPassword":
        return (await credentials.listAppPasswords(account.id))
          .some(({ id }) => id === credential.id);
      case "token":
        return true;
    }
  }

  async authorise(verdict: Verdict, authzid: string): Promise<Verdict> {
    if (verdict.result !== "ok" || authzid === "") return verdict;
    const normal = normaliseUsername(authzid);
    if (normal === verdict.address) return verdict;
    const other = normal === undefined ? undefined : await this.#resolve(normal);
    return other?.id === verdict.account.id ? verdict : { result: "badauthzid" };
  }

  /** Those that are good for the protocol; asked for nobody too. */
  async #appPasswords(
    account: Account | undefined,
    { protocol }: ConnectionFacts,
  ): Promise<AppPassword[]> {
    const all = await this.#directory.credentials.listAppPasswords(account?.id ?? NOBODY);
    return all.filter((app) => isInScope(app, protocol));
  }

  async #resolve(username: string): Promise<Account | undefined> {
    try {
      return await this.#directory.resolveAddress(username);
    } catch (error) {
      if (error instanceof StoreError && ["invalid-name", "not-found"].includes(error.code)) {
        return undefined;
      }
      throw error;
    }
  }

  /**
   * A verifier that looks like a real one, always the same for a name, and that no password fits:
   * the keys come from a secret of this host and not from a password. Other spellings that would
   * lead to the same account lead to the same salt.
   */
  async #fakeVerifier(username: string, hash: ScramHash): Promise<ScramVerifier> {
    const secret = await this.#directory.hostSecret("scram");
    const derive = (what: string): Bytes =>
      createHmac("sha256", secret).update(`${what} ${hash} ${plainAddress(username)}`).digest();
    const length = hash === "SHA-1" ? 20 : 32;
    return {
      salt: derive("salt").subarray(0, 16),
      iterations: this.#costs.scram[hash],
      storedKey: derive("stored").subarray(0, length),
      serverKey: derive("server").subarray(0, length),
    };
  }
}

function ownPassword({ passwordVersion }: Account): Credential {
  return { kind: "password", passwordVersion };
}

/** An address without "+detail", and without regard to case, as the directory looks for it. */
function plainAddress(username: string): string {
  return username.toLowerCase().replace(/\+[^@]*(?=@)/, "");
}

/** The verdict for an exception that is not a fault of this program; undefined for one that is. */
export function verdictOfError(error: unknown): Refused | undefined {
  if (error instanceof PoolFullError || error instanceof IssuerUnreachable) {
    return { result: "error" };
  }
  if (!(error instanceof StoreError)) return undefined;
  log.error("login failed: {error}", { error });
  return { result: "error" };
}
