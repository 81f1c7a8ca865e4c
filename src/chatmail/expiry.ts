import { type AccountId, type Clock, logger, metrics, othersTurn } from "../base/mod.ts";
import {
  type Account,
  type AccountStore,
  type ExpiryRule,
  type Store,
  StoreError,
} from "../store/mod.ts";
import {
  EXPIRY_BATCH,
  EXPIRY_DELAY_MS,
  EXPIRY_INTERVAL_MS,
  EXPIRY_PAGE,
  LARGE_MESSAGE_BYTES,
  MAX_REST_MS,
  PURGE_ABOVE,
  PURGE_DOWN_TO,
  PURGE_INTERVAL_MS,
  PURGE_SPARES_SECONDS,
} from "./limits.ts";

/** What is deleted, and when. Times in milliseconds. */
export interface ExpiryPolicy {
  /** After how long messages go from mailboxes for deleted mail, by save date; whoever's they are. */
  readonly trashAfterMs: number | undefined;
  /** What holds for the accounts of a chatmail domain. */
  readonly chatmail: {
    readonly domain: string;
    readonly deleteMailsAfterMs: number;
    readonly deleteLargeAfterMs: number;
    readonly deleteInactiveAfterMs: number;
  } | undefined;
}

export interface ExpiryServices {
  readonly store: Store;
  readonly clock: Clock;
  /** Whether somebody is logged in to the account now. */
  readonly isInUse: (account: AccountId) => boolean;
  /** Told of each account that was removed. */
  readonly removed: (account: AccountId) => void;
}

const log = logger("chatmail");

/**
 * Deletes what is old: once a day everywhere, and what exceeds an account's quota soon after it came.
 * Clients hear of it as of any expunge.
 */
export class Expiry {
  readonly #policy: ExpiryPolicy;
  readonly #services: ExpiryServices;
  /** Accounts that changed since the last look at their quota. */
  readonly #changed = new Set<AccountId>();
  readonly #timers: ReturnType<typeof setTimeout>[] = [];
  #unsubscribe: (() => void) | undefined;
  #work: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(policy: ExpiryPolicy, services: ExpiryServices) {
    this.#policy = policy;
    this.#services = services;
  }

  /** Begins to work by itself. */
  start(): void {
    const { store } = this.#services;
    this.#unsubscribe = store.onCommit((account) => this.#changed.add(account));
    const run = () => this.#attempt(() => this.run());
    this.#timers.push(
      setTimeout(run, EXPIRY_DELAY_MS),
      setInterval(run, EXPIRY_INTERVAL_MS),
      setInterval(() => this.#attempt(() => this.purgeChanged()), PURGE_INTERVAL_MS),
    );
    for (const timer of this.#timers) Deno.unrefTimer(timer);
  }

  /** Ends after the transaction that is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#unsubscribe?.();
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#work;
  }

  /** Walks over all accounts once. */
  async run(): Promise<void> {
    const { store, clock } = this.#services;
    const { chatmail } = this.#policy;
    metrics.add("postern_expiry_runs_total");
    await this.#removeDue();
    if (chatmail) await this.#removeUnused(chatmail);
    for (const account of await store.directory.listAccounts()) {
      if (this.#isStopped) return;
      await atLeisure(() =>
        this.#forAccount(account.id, async (mail) => {
          for (const rule of await this.#rules(account, mail, clock.now())) {
            await this.#expire(mail, rule);
          }
          if (this.#isOfDomain(account)) await this.#purge(mail);
        })
      );
    }
  }

  /** Purges accounts that changed since the last time and hold too much of what they may. */
  async purgeChanged(): Promise<void> {
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const id of changed) {
      if (this.#isStopped) return;
      const account = await this.#services.store.directory.getAccount(id);
      if (account === undefined || !this.#isOfDomain(account)) continue;
      await atLeisure(() => this.#forAccount(id, (mail) => this.#purge(mail)));
    }
  }

  #attempt(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch((error) => {
      log.error("what is old was not deleted: {error}", { error });
    });
  }

  /** One account's trouble is not another's. */
  async #forAccount(id: AccountId, work: (mail: AccountStore) => Promise<void>): Promise<void> {
    try {
      await work(await this.#services.store.openAccount(id));
    } catch (error) {
      // It was removed meanwhile.
      if (error instanceof StoreError && error.code === "not-found") return;
      log.error("what is old in account {id} was not deleted: {error}", { id, error });
    }
  }

  async #rules(account: Account, mail: AccountStore, now: number): Promise<ExpiryRule[]> {
    const { trashAfterMs, chatmail } = this.#policy;
    const before = (ageMs: number) => Math.ceil((now - ageMs) / 1000);
    const rules: ExpiryRule[] = [];
    if (chatmail && this.#isOfDomain(account)) {
      rules.push(
        { kind: "age", savedBefore: before(chatmail.deleteMailsAfterMs) },
        {
          kind: "age",
          savedBefore: before(chatmail.deleteLargeAfterMs),
          largerThan: LARGE_MESSAGE_BYTES,
          isNoticed: true,
        },
      );
    }
    if (trashAfterMs !== undefined) {
      const savedBefore = before(trashAfterMs);
      for (const { id, specialUse } of await mail.listMailboxes()) {
        if (!specialUse.includes("Trash")) continue;
        rules.push({ kind: "age", savedBefore, mailbox: id });
      }
    }
    return rules;
  }

  async #purge(mail: AccountStore): Promise<void> {
    const { usedBytes, limitBytes } = await mail.quota();
    if (limitBytes === undefined || usedBytes <= limitBytes * PURGE_ABOVE) return;
    await this.#expire(mail, {
      kind: "size",
      untilBytes: Math.floor(limitBytes * PURGE_DOWN_TO),
      savedBefore: Math.floor(this.#services.clock.now() / 1000) - PURGE_SPARES_SECONDS,
    });
  }

  async #expire(mail: AccountStore, rule: ExpiryRule): Promise<void> {
    const reason = rule.kind === "size"
      ? "quota"
      : rule.mailbox !== undefined
      ? "trash"
      : rule.largerThan !== undefined
      ? "large"
      : "age";
    for (let more = true; more && !this.#isStopped;) {
      const result = await mail.expire(rule, EXPIRY_BATCH);
      metrics.add("postern_expired_messages_total", { reason }, result.messages);
      more = result.more;
      if (more) await othersTurn();
    }
  }

  /** Removes accounts whose time of grace is over. */
  async #removeDue(): Promise<void> {
    const { store: { directory }, clock, removed } = this.#services;
    const now = Math.floor(clock.now() / 1000);
    for (const { id } of await directory.listDueForRemoval(now)) {
      if (this.#isStopped) return;
      await othersTurn();
      // It may have been enabled meanwhile.
      const { removeAt = Infinity } = await directory.getAccount(id) ?? {};
      if (removeAt > now) continue;
      await directory.removeAccount(id);
      removed(id);
      log.info("account {id} is removed, as it was to be", { id });
    }
  }

  async #removeUnused(
    { domain, deleteInactiveAfterMs }: NonNullable<ExpiryPolicy["chatmail"]>,
  ): Promise<void> {
    const { store: { directory }, clock, isInUse, removed } = this.#services;
    const day = Math.floor((clock.now() - deleteInactiveAfterMs) / 86_400_000);
    for (let after = 0;;) {
      const unused = await directory.listUnused(domain, day, after, EXPIRY_PAGE);
      for (const { id } of unused) {
        if (this.#isStopped) return;
        after = id;
        // An account and its files take milliseconds, and in one day there may be thousands.
        await othersTurn();
        // One connection may last for months.
        if (isInUse(id)) {
          await directory.noteLogin(id);
          continue;
        }
        await directory.removeAccount(id);
        removed(id);
        metrics.add("postern_expired_accounts_total");
        log.info("account {id} was not used for long and is removed", { id });
      }
      if (unused.length < EXPIRY_PAGE) return;
    }
  }

  #isOfDomain({ address }: Account): boolean {
    const { chatmail } = this.#policy;
    return chatmail !== undefined && address.endsWith(`@${chatmail.domain}`);
  }
}

/**
 * Does a piece of work and then rests three times as long: each account's database is opened for it,
 * and a hundred thousand of them must not keep anybody who is connected waiting.
 */
async function atLeisure(work: () => Promise<void>): Promise<void> {
  const began = performance.now();
  await work();
  const restMs = Math.min((performance.now() - began) * 3, MAX_REST_MS);
  await new Promise((resolve) => setTimeout(resolve, restMs));
}
