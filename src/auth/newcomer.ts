import type { Account } from "../store/mod.ts";

/** Who may have an account that there is none of yet, made by logging in for the first time. */
export interface NewcomerPolicy {
  /**
   * Asked when an address leads nowhere. "no": it stays a name without an account; "later": it might
   * have one, but not now.
   */
  mayJoin(address: string, password: string): Promise<"yes" | "no" | "later">;
  /** Told of each account that was made. */
  joined(account: Account): void;
}
