import type { MailboxId, ModSeq } from "../base/mod.ts";
import {
  foldMailboxEvents,
  messageNews,
  NO_NOTICES,
  type NotifyWish,
  readListEntries,
  type Session,
  writeMailboxNews,
  writeMessageNews,
} from "../imap/mod.ts";
import type { MailboxEvent } from "../store/mod.ts";
import type { View } from "./view.ts";

/** How far the client has been told of mailboxes other than the selected one. */
interface Told {
  /** Events of mailboxes as a whole. */
  events: ModSeq;
  /** Messages of mailboxes that are not selected. */
  messages: number;
}

/**
 * What one client is told beside the messages of its selected mailbox: NOTIFY (RFC 5465) and ENABLE
 * METADATA (RFC 5464 4.1). Nothing is queued: the store's log is read from where the client was
 * told last, a page at a time, so a client that falls behind costs no memory and misses nothing.
 * Only when the log itself was trimmed is there NOTIFICATIONOVERFLOW.
 */
export class Notices {
  /** Undefined until the first NOTIFY. */
  #wish: NotifyWish | undefined;
  #told: Told | undefined;
  /** This session's own changes since it was last told anything: it knows of them. */
  #own: Set<number> | undefined;
  /** Mailboxes that were selected, and up to where the client was told of their messages. */
  #left: Map<MailboxId, number> | undefined;

  /** What the client asked for; undefined until the first NOTIFY. */
  get wish(): NotifyWish | undefined {
    return this.#wish;
  }

  /** Whether the client wants to be told without asking, between commands too. */
  get isActive(): boolean {
    return this.#wish !== undefined &&
      (this.#wish.selected !== undefined || this.#wish.groups.length > 0);
  }

  /** Notes that this session made the change `modSeq`. */
  addOwn(modSeq: ModSeq): void {
    if (this.#told || this.isActive) (this.#own ??= new Set()).add(modSeq);
  }

  isOwn(modSeq: ModSeq): boolean {
    return this.#own?.has(modSeq) ?? false;
  }

  /** All of this session's own changes have been passed. */
  forgetOwn(): void {
    this.#own = undefined;
  }

  /** Notes that `view` is not the selected mailbox any more: its news comes as STATUS from here. */
  leave(view: View): void {
    if (this.#told) this.#leaveAt(view.mailboxId, this.#skipOwn(view.toldSeq));
  }

  /** Follows `wish` from here on. What was to be told before has been. */
  async follow(wish: NotifyWish, session: Session): Promise<void> {
    const hadGroups = (this.#wish?.groups.length ?? 0) > 0;
    this.#wish = wish;
    await this.begin(session);
    if (this.#told && !hadGroups) this.#told.messages = await session.account.store.latestModSeq();
  }

  /** Begins to follow the log if the client has come to want that, or leaves it. */
  async begin(session: Session): Promise<void> {
    if (!this.#follows(session)) {
      this.#told = undefined;
      this.#left = undefined;
    } else if (!this.#told) {
      const now = await session.account.store.latestModSeq();
      this.#told = { events: now, messages: now };
    }
  }

  /** Tells what happened to other mailboxes. */
  async tell(session: Session): Promise<void> {
    const told = this.#told;
    if (!told) return;
    const { store } = session.account;
    for (;;) {
      const page = await store.mailboxEvents(told.events);
      if (page === "resync") return await this.#overflow(session, told);
      await this.#tellEvents(session, page.events);
      told.events = page.through;
      if (page.events.length === 0) break;
    }
    await this.#tellMessages(session, told);
  }

  #follows({ modes }: Session): boolean {
    if (this.#wish === NO_NOTICES) return false;
    return modes.enabled.has("METADATA") || (this.#wish?.groups.length ?? 0) > 0;
  }

  /** The log does not reach back: RFC 5465 5.8, as if NOTIFY NONE had been given. */
  async #overflow(session: Session, told: Told): Promise<void> {
    if (!this.#wish) {
      told.events = await session.account.store.latestModSeq();
      return;
    }
    session.out.untagged("OK [NOTIFICATIONOVERFLOW] Too much has happened; synchronise anew");
    await this.follow(NO_NOTICES, session);
  }

  async #tellEvents(session: Session, all: readonly MailboxEvent[]): Promise<void> {
    const events = all.filter(({ modSeq }) => !this.isOwn(modSeq));
    if (events.length === 0) return;
    for (const { kind, mailboxId } of events) {
      // Under its new name nothing has been told of its messages.
      if (kind === "renamed" && mailboxId !== undefined) this.#leaveAt(mailboxId, 0);
    }
    const wish = this.#wish ?? NO_NOTICES;
    const allMetadata = session.modes.enabled.has("METADATA");
    const entries = await readListEntries(session.account.store, { missing: true });
    for (const news of foldMailboxEvents(events, entries, { wish, allMetadata })) {
      writeMailboxNews(session, news);
      const full = session.out.relieve();
      if (full) await full;
    }
  }

  async #tellMessages(session: Session, told: Told): Promise<void> {
    const wish = this.#wish;
    const left = this.#left;
    if (!wish) {
      this.#left = undefined;
      return;
    }
    told.messages = this.#skipOwn(told.messages);
    const changedSince = Math.min(told.messages, ...left?.values() ?? []);
    let through = Math.max(told.messages, told.events);
    for (const mailbox of await session.account.store.listMailboxes({ changedSince })) {
      const { id, appendSeq, expungeSeq, flagSeq, createSeq } = mailbox;
      through = Math.max(through, appendSeq, expungeSeq, flagSeq, createSeq);
      if (id === session.view?.mailboxId) continue;
      const news = messageNews(wish, mailbox, left?.get(id) ?? told.messages);
      if (!news) continue;
      writeMessageNews(session, mailbox, news, { modSeq: session.modes.condstore });
      const full = session.out.relieve();
      if (full) await full;
    }
    this.#left = undefined;
    told.messages = through;
  }

  #leaveAt(mailbox: MailboxId, modSeq: number): void {
    (this.#left ??= new Map()).set(mailbox, modSeq);
  }

  /** Own changes right behind `modSeq` are no news; behind them others' may hide. */
  #skipOwn(modSeq: number): number {
    while (this.#own?.has(modSeq + 1)) modSeq++;
    return modSeq;
  }
}
