import { type AccountId, accountId, logger } from "../base/mod.ts";

/**
 * In the place of an account: `security` says that who may connect changed, bans and the list of
 * networks that are always let in; `changed`, that something in the queue may be due.
 */
export const HOST: AccountId = accountId(Number.MAX_SAFE_INTEGER);

/**
 * `changed`: the account's mail or mailboxes changed, read the change log. `security`: its password,
 * keys or status changed, so a session must ask again whether it may go on (and end if not).
 */
export type NudgeKind = "changed" | "security";

/** One nudge, as it travels between processes. */
export interface Nudge {
  readonly account: AccountId;
  readonly kind: NudgeKind;
}

/** Who wants to hear of an account. */
export interface Notifier {
  /**
   * Has `onNudge` called for each nudge to the account, until the function returned is called
   * (more than once is harmless). It runs inside `nudge`, so it sets a latch and returns.
   */
  subscribe(account: AccountId, onNudge: (kind: NudgeKind) => void): () => void;
  /** Tells every subscriber of the account. Never throws; a subscriber that throws is logged. */
  nudge(account: AccountId, kind: NudgeKind): void;
}

/** The notifier of one process. */
export function createNotifier(): Notifier {
  return new ProcessNotifier();
}

class ProcessNotifier implements Notifier {
  #subscribers = new Map<AccountId, Set<(kind: NudgeKind) => void>>();

  subscribe(account: AccountId, onNudge: (kind: NudgeKind) => void): () => void {
    // Each call subscribes anew, also when the same function is given twice.
    const entry = (kind: NudgeKind) => onNudge(kind);
    let subscribers = this.#subscribers.get(account);
    if (!subscribers) this.#subscribers.set(account, subscribers = new Set());
    subscribers.add(entry);
    return () => {
      const present = this.#subscribers.get(account);
      if (present?.delete(entry) && present.size === 0) this.#subscribers.delete(account);
    };
  }

  nudge(account: AccountId, kind: NudgeKind): void {
    // A copy: a subscriber may leave, or another come, while it is called.
    for (const onNudge of [...this.#subscribers.get(account) ?? []]) {
      try {
        onNudge(kind);
      } catch (error) {
        logger("notify").error("a subscriber failed on a nudge: {error}", { error });
      }
    }
  }
}
