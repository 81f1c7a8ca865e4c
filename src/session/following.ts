import type { ModSeq } from "../base/mod.ts";
import {
  NO_NOTICES,
  type NotifyWish,
  type SelectedWish,
  type Session,
  tellFollowed,
  writeNewMessages,
} from "../imap/mod.ts";
import type { SelectedMailbox } from "../store/mod.ts";
import { LOOK_AGAIN_MS } from "./limits.ts";
import { Notices } from "./notices.ts";
import { applyChanges } from "./updates.ts";
import { View } from "./view.ts";

/**
 * What a session follows, the selected mailbox and what NOTIFY asked for, and how far it has told
 * the client of them. Nudges say that there may be something; what it is the store's log tells.
 */
export class Following {
  #view: View | undefined;
  #notices = new Notices();
  /** The account changed since the log was last read. */
  #isNudged = false;
  #lastLook = 0;

  constructor(private readonly session: Session) {}

  get view(): View | undefined {
    return this.#view;
  }

  /** Whether the client wants to be told without asking, between commands too. */
  get isUnasked(): boolean {
    return this.#notices.isActive;
  }

  /** Whether expunges must wait for a command all the same (RFC 5465 6.1.2). */
  get holdsExpunges(): boolean {
    return this.#notices.wish?.selected?.isDelayed ?? false;
  }

  get isNudged(): boolean {
    return this.#isNudged;
  }

  nudge(): void {
    this.#isNudged = true;
  }

  /** Notes that this session made the change `modSeq`. */
  addOwn(modSeq: ModSeq): void {
    this.#notices.addOwn(modSeq);
  }

  select(selected: SelectedMailbox, isReadOnly: boolean): View {
    this.unselect();
    this.#lastLook = this.session.now();
    return this.#view = new View(selected, isReadOnly);
  }

  unselect(): void {
    if (this.#view) this.#notices.leave(this.#view);
    // What was not told of the mailbox is told now that it is one of the others.
    this.#isNudged ||= this.#notices.isActive;
    this.#view = undefined;
  }

  /** Follows nothing, as before login. */
  forget(): void {
    this.#view = undefined;
    this.#notices = new Notices();
    this.#isNudged = false;
  }

  /** Tells what others changed, if anything can have; EXPUNGE only when `expunge`. */
  async catchUp(expunge: boolean): Promise<void> {
    const { session } = this;
    if (!session.login) return;
    // From ENABLE on, also when nothing is due then.
    if (session.modes.enabled.has("METADATA")) await this.#notices.begin(session);
    const isDue = this.#isNudged || session.now() - this.#lastLook >= LOOK_AGAIN_MS ||
      (expunge && this.#view && !this.#view.pendingExpunges.isEmpty);
    if (!isDue) return;
    this.#isNudged = false;
    this.#lastLook = session.now();
    try {
      await this.#readLog(expunge);
    } catch (error) {
      // It is to be looked at again, though nobody nudges again.
      this.#isNudged = true;
      throw error;
    }
  }

  /** Tells what is outstanding, and from then on what `wish` asks for. */
  async notify(wish: NotifyWish): Promise<void> {
    if (wish !== NO_NOTICES) {
      // What the wish until now kept back, too: it is as if NOOP had been sent before.
      await this.#notices.tell(this.session);
      this.#view?.rewind();
      await this.#catchUpView({ expunge: true, flags: true });
    }
    await this.#notices.follow(wish, this.session);
  }

  async #readLog(expunge: boolean): Promise<void> {
    await this.#notices.tell(this.session);
    const { wish } = this.#notices;
    if (!wish) await this.#catchUpView({ expunge, flags: true });
    else if (wish.selected) {
      await this.#catchUpView({ expunge, flags: wish.selected.flags }, wish.selected);
    }
    await tellFollowed(this.session);
    this.#notices.forgetOwn();
  }

  /** Moves the view up to the end of the log; `selected`: what NOTIFY asked for of new messages. */
  async #catchUpView(
    told: { expunge: boolean; flags: boolean },
    selected?: SelectedWish,
  ): Promise<void> {
    const view = this.#view;
    if (!view || view.isDeleted) return;
    const { account, modes, out } = this.session;
    for (let more = true; more;) {
      const changes = await account.store.messageChanges({
        mailbox: view.mailboxId,
        since: view.cursor,
        afterUid: view.highestUid,
        claimRecent: !modes.rev2 && !view.isReadOnly,
      });
      applyChanges(view, changes, modes, out, told);
      if (selected) {
        const others = changes.appended.filter(({ modSeq }) => !this.#notices.isOwn(modSeq));
        await writeNewMessages(this.session, view, others, selected.items);
      }
      more = changes.more && !view.isDeleted;
      await out.relieve();
    }
  }
}
