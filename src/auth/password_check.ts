import { createHmac, timingSafeEqual } from "node:crypto";
import { type Bytes, type Clock, randomBytes } from "../base/mod.ts";
import type { PasswordVerifier } from "../store/mod.ts";
import { FairPool } from "./fair_pool.ts";
import {
  MAX_QUEUED_HASHES,
  MAX_QUEUED_HASHES_PER_NETWORK,
  MAX_REMEMBERED_PASSWORDS,
  REMEMBER_PASSWORD_MS,
} from "./limits.ts";
import { deriveSlowKey, makeVerifier, parseVerifier, type VerifierCosts } from "./verifier.ts";

/** Whose password is checked: an account's or the admin's, or nobody's under some name. */
export type PasswordOwner =
  | { readonly id: number | "admin"; readonly verifier: PasswordVerifier }
  | { readonly unknownName: string };

/**
 * Checks clear passwords against the slow hash. A password that proved right is remembered for 15
 * minutes as a MAC under a key that only this process has and never writes down; the MAC covers the
 * stored verifier, so that a changed password is forgotten by itself. Hashing is bounded and fair
 * between networks; equal checks under way at the same time share one computation.
 */
export class PasswordCheck {
  #clock: Clock;
  #costs: VerifierCosts;
  #pool: FairPool;
  #macKey = randomBytes(32);
  /** MAC -> end of its time, in the order of use. */
  #remembered = new Map<string, number>();
  #underWay = new Map<string, Promise<boolean>>();
  #nobody: { salt: Bytes; iterations: number; key: Bytes };

  constructor(clock: Clock, costs: VerifierCosts, concurrency: number) {
    this.#clock = clock;
    this.#costs = costs;
    this.#pool = new FairPool({
      running: concurrency,
      // All processors after a restart, when everybody comes back; but who tries passwords leaves
      // one to those who are in.
      runningPerOwner: Math.max(1, concurrency - 1),
      queued: MAX_QUEUED_HASHES,
      queuedPerOwner: MAX_QUEUED_HASHES_PER_NETWORK,
    });
    this.#nobody = { salt: randomBytes(16), iterations: costs.slow, key: randomBytes(32) };
  }

  /**
   * Whether a prepared password is the owner's; for nobody, false at the same cost. `network` is
   * whose turn it takes in the queue. Rejects with PoolFullError when too many wait, and with
   * StoreError when the verifier cannot be read.
   */
  async verify(owner: PasswordOwner, password: string, network: string): Promise<boolean> {
    const mac = this.#mac(owner, password);
    if (this.#recall(mac)) return true;
    const sharing = this.#underWay.get(mac);
    if (sharing !== undefined) return await sharing;
    const computing = this.#pool.run(network, () => this.#compute(owner, password));
    this.#underWay.set(mac, computing);
    try {
      const isRight = await computing;
      if (isRight) this.#remember(mac);
      return isRight;
    } finally {
      this.#underWay.delete(mac);
    }
  }

  /** Makes the verifier of a newcomer's password, which then waits its turn like all the others. */
  async make(password: string, network: string): Promise<PasswordVerifier> {
    return await this.#pool.run(network, () => makeVerifier(password, this.#costs));
  }

  async #compute(owner: PasswordOwner, password: string): Promise<boolean> {
    const isSomebody = "verifier" in owner;
    const { salt, iterations, key } = isSomebody
      ? parseVerifier(owner.verifier).slow
      : this.#nobody;
    const isEqual = timingSafeEqual(await deriveSlowKey(password, salt, iterations), key);
    return isSomebody && isEqual;
  }

  #mac(owner: PasswordOwner, password: string): string {
    const text = "verifier" in owner
      ? [owner.id, owner.verifier, password]
      : [owner.unknownName, password];
    return createHmac("sha256", this.#macKey).update(JSON.stringify(text)).digest("base64");
  }

  #recall(mac: string): boolean {
    const until = this.#remembered.get(mac);
    if (until === undefined) return false;
    this.#remembered.delete(mac);
    if (until <= this.#clock.now()) return false;
    this.#remembered.set(mac, until);
    return true;
  }

  #remember(mac: string): void {
    this.#remembered.set(mac, this.#clock.now() + REMEMBER_PASSWORD_MS);
    if (this.#remembered.size > MAX_REMEMBERED_PASSWORDS) {
      const [oldest] = this.#remembered.keys();
      if (oldest !== undefined) this.#remembered.delete(oldest);
    }
  }
}
