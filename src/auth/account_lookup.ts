import { createHmac } from "node:crypto";
import { accountId, type Bytes, logger } from "../base/mod.ts";
import { type Account, type Directory, StoreError } from "../store/mod.ts";
import { PoolFullError } from "./fair_pool.ts";
import type { ScramCandidate, Verdict } from "./mechanism.ts";
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

  constructor(directory: Directory, passwords: PasswordCheck, costs: VerifierCosts) {
    this.#directory = directory;
    this.#passwords = passwords;
    this.#costs = costs;
  }

  /** The account that a username leads to; a username is any address of the account. */
  async find(username: string): Promise<Found> {
    const account = await this.#resolve(username);
    const verifier = await this.#directory.passwordVerifier(account?.id ?? NOBODY);
    return verifier === undefined
      ? { username, account: undefined, verifier }
      : { username, account, verifier };
  }

  /** Checks a clear password; `network` is whose turn in the queue it takes. */
  async verifyPassword(found: Found, password: string, network: string): Promise<Verdict> {
    const prepared = preparePassword(password);
    if (prepared === undefined) return { result: "badcreds" };
    const { username, account, verifier } = found;
    const owner: PasswordOwner = account && verifier
      ? { accountId: account.id, verifier }
      : { unknownName: username };
    const isRight = await this.#passwords.verify(owner, prepared, network);
    if (account === undefined) return { result: "baduser" };
    return isRight ? await this.admit(account, username) : { result: "badpassword" };
  }

  async scramCandidate(found: Found, hash: ScramHash): Promise<ScramCandidate> {
    const fake = await this.#fakeVerifier(found.username, hash);
    const verifier = found.verifier && parseVerifier(found.verifier).scram[hash];
    return verifier
      ? { account: found.account, address: found.username, verifier }
      : { account: undefined, address: found.username, verifier: fake };
  }

  async admit(account: Account, address: string): Promise<Verdict> {
    const now = await this.#directory.getAccount(account.id);
    if (now?.securityVersion !== account.securityVersion) {
      return { result: "error", text: "The account has just been changed; try again." };
    }
    return now.disabledMessage === undefined
      ? { result: "ok", account: now, address }
      : { result: "logindisabled", text: now.disabledMessage };
  }

  async authorise(verdict: Verdict, authzid: string): Promise<Verdict> {
    if (verdict.result !== "ok" || authzid === "") return verdict;
    const normal = normaliseUsername(authzid);
    if (normal === verdict.address) return verdict;
    const other = normal === undefined ? undefined : await this.#resolve(normal);
    return other?.id === verdict.account.id ? verdict : { result: "badauthzid" };
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

/** An address without "+detail", and without regard to case, as the directory looks for it. */
function plainAddress(username: string): string {
  return username.toLowerCase().replace(/\+[^@]*(?=@)/, "");
}

/** The verdict for an exception that is not a fault of this program; undefined for one that is. */
export function verdictOfError(error: unknown): Verdict | undefined {
  if (error instanceof PoolFullError) return { result: "error" };
  if (!(error instanceof StoreError)) return undefined;
  log.error("login failed: {error}", { error });
  return { result: "error" };
}
