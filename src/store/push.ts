import type { AccountId } from "../base/mod.ts";

/** A device that waits to be woken up. Times in seconds since 1970. */
export interface WaitingPush {
  readonly id: number;
  readonly token: string;
  readonly queued: number;
  /** How often it was tried. */
  readonly attempts: number;
}

/** What came of an attempt. */
export type PushOutcome =
  | { readonly kind: "done" }
  /** The device is no more: the token goes too. */
  | { readonly kind: "gone" }
  | { readonly kind: "postponed"; readonly due: number };

/**
 * Devices to wake up when mail came, by tokens that mean something to others only, and which of them
 * are still to be woken up. One for the host; every method is one durable transaction. Times in
 * seconds since 1970.
 */
export interface PushStore {
  /** Keeps the token, or notes that it was named again; beyond `limit` tokens the oldest goes. */
  addToken(account: AccountId, token: string, now: number, limit: number): Promise<void>;
  /** Those named since `since`, the newest last. */
  listTokens(account: AccountId, since: number): Promise<string[]>;
  removeTokens(account: AccountId): Promise<void>;
  /** Has each device of the account woken up, at once; gives how many there are. */
  enqueue(account: AccountId, now: number, since: number): Promise<number>;
  /** The longest due first. */
  listDue(now: number, limit: number): Promise<WaitingPush[]>;
  nextDue(): Promise<number | undefined>;
  /** Nothing happens when the device was enqueued again meanwhile. */
  settle(id: number, outcome: PushOutcome): Promise<void>;
  /** Drops tokens that were last named before this. */
  dropBefore(time: number): Promise<void>;
  close(): Promise<void>;
}
