import type { AccountId, Bytes, MailboxId, ModSeq, Uid, UidValidity } from "../../src/base/mod.ts";
import { EMPTY_BYTES, MAX_UINT32, RangeSet } from "../../src/base/mod.ts";
import type {
  AccountStore,
  Annotation,
  AppendResult,
  ChangeCursor,
  ContentColumn,
  CopyResult,
  ExpiryResult,
  ExpiryRule,
  ExpungeResult,
  FlagChange,
  FlagResult,
  FlagRow,
  Mailbox,
  MailboxEvent,
  MessageChanges,
  MessageRow,
  MessageStage,
  NewMessage,
  OrderRow,
  Predicate,
  Quota,
  SearchOptions,
  SearchResult,
  SelectedMailbox,
  SpecialUse,
} from "../../src/store/mod.ts";
import {
  INLINE_RAW_BYTES,
  parentNames,
  parseMailboxName,
  StoreError,
  SystemFlag,
} from "../../src/store/mod.ts";
import { ModelStage, ModelStagedMessage } from "./model_stage.ts";
import type { ModelContent } from "./model_stage.ts";
import { matches } from "./model_search.ts";

/** Most rows of one answer that comes in pages. */
const PAGE_ROWS = 1000;
const PIECE_BYTES = 256 * 1024;
const MAX_ANNOTATIONS = 1000;
const MAX_ANNOTATION_BYTES = 1_000_000;
const SPECIAL_USES: readonly string[] = ["Archive", "Drafts", "Junk", "Sent", "Trash"];

/** A message, live or expunged, of the model. */
export interface ModelMessage {
  readonly uid: number;
  readonly createSeq: number;
  modSeq: number;
  flags: number;
  /** Keywords in lower case. */
  keywords: Set<string>;
  readonly internalDate: { seconds: number; zoneMinutes: number };
  readonly saveDate: number;
  readonly content: ModelContent;
  expunged: boolean;
  recent: boolean;
}

interface Box {
  readonly id: number;
  name: string;
  readonly uidValidity: number;
  uidNext: number;
  modSeq: number;
  readonly createSeq: number;
  appendSeq: number;
  expungeSeq: number;
  flagSeq: number;
  specialUse: SpecialUse[];
  /** Lower case to the spelling of the first use. */
  readonly keywords: Map<string, string>;
  readonly objectId: string;
  /** By UID; expunged ones stay for ever. */
  readonly messages: ModelMessage[];
  annotations: Map<string, Annotation>;
}

/** What the host knows of an account, for the model. */
export interface ModelHost {
  readonly account: AccountId;
  /** Throws StoreError "not-found" when the account is gone. */
  limitBytes(): number | undefined;
  committed(modSeq: ModSeq): void;
  now(): number;
}

/** The oracle: AccountStore in arrays and maps, written for plainness and not for speed. */
export class ModelAccountStore implements AccountStore {
  readonly #host: ModelHost;
  readonly #boxes = new Map<number, Box>();
  readonly #subscriptions = new Set<string>(["INBOX"]);
  readonly #events: MailboxEvent[] = [];
  #annotations = new Map<string, Annotation>();
  #modSeq = 1;
  #lastBox = 0;
  #lastUidValidity = 1000;

  constructor(host: ModelHost) {
    this.#host = host;
    this.#makeBox("INBOX", 1);
  }

  async listMailboxes({ changedSince = 0 }: { changedSince?: number } = {}): Promise<Mailbox[]> {
    this.#host.limitBytes();
    return this.#sortedBoxes()
      .filter(({ modSeq }) => modSeq > changedSince)
      .map((box) => this.#describe(box));
  }

  /** This account through a handle that hears of the changes made through it. */
  withListener(onOwnChange: (modSeq: ModSeq) => void): AccountStore {
    return new Proxy(this, {
      get: (account, name: keyof AccountStore) => {
        const method: unknown = account[name];
        if (typeof method !== "function") return method;
        return (...args: unknown[]) => {
          const before = account.#modSeq;
          const result = method.apply(account, args);
          // Every method of the model does its work before it first gives way to others.
          const after = account.#modSeq as ModSeq;
          if (after > before) queueMicrotask(() => onOwnChange(after));
          return result;
        };
      },
    });
  }

  async findMailbox(name: string): Promise<Mailbox | undefined> {
    const box = this.#named(name);
    return box && this.#describe(box);
  }

  async listMissingSubscriptions(): Promise<string[]> {
    return [...this.#subscriptions].filter((name) => !this.#named(name)).sort(byCodePoint);
  }

  async createMailbox(
    name: string,
    options: { specialUse?: readonly SpecialUse[] } = {},
  ): Promise<Mailbox[]> {
    if (name === "INBOX") throw new StoreError("inbox", "INBOX is there already.");
    if (this.#named(name)) throw new StoreError("already-exists", "It exists already.");
    const uses = [...new Set(options.specialUse ?? [])];
    if (uses.some((use) => !SPECIAL_USES.includes(use))) {
      throw new StoreError("invalid-special-use", "No such special use.");
    }
    const seq = this.#nextModSeq();
    const made = this.#makeWithParents(name, seq);
    const box = made.at(-1);
    for (const other of this.#boxes.values()) {
      if (!other.specialUse.some((use) => uses.includes(use))) continue;
      other.specialUse = other.specialUse.filter((use) => !uses.includes(use));
      other.modSeq = seq;
      this.#event({ kind: "specialUse", modSeq: seq, mailboxId: idOf(other), name: other.name });
    }
    if (box) box.specialUse = uses.sort();
    this.#commit();
    return made.map((box) => this.#describe(box));
  }

  async deleteMailbox(name: string): Promise<void> {
    if (name === "INBOX") throw new StoreError("inbox", "INBOX stays.");
    const box = this.#need(name);
    if (this.#childrenOf(name).length > 0) {
      throw new StoreError("has-children", "The mailbox has children.");
    }
    const seq = this.#nextModSeq();
    this.#boxes.delete(box.id);
    this.#event({ kind: "deleted", modSeq: seq, mailboxId: idOf(box), name });
    this.#commit();
  }

  async renameMailbox(from: string, to: string): Promise<void> {
    const box = this.#need(from);
    if (to === "INBOX") throw new StoreError("inbox", "INBOX is there already.");
    if (this.#named(to)) throw new StoreError("already-exists", "It exists already.");
    if (from === "INBOX") return this.#renameInbox(box, to);
    const moving = [box, ...this.#childrenOf(from)];
    const renamed = moving.map((it) => parseMailboxName(to + it.name.slice(from.length)));
    const seq = this.#nextModSeq();
    moving.forEach((it, i) => {
      const oldName = it.name;
      it.name = renamed[i] ?? to;
      it.modSeq = seq;
      this.#event({ kind: "renamed", modSeq: seq, mailboxId: idOf(it), name: it.name, oldName });
    });
    const parent = parentNames(to).at(-1);
    if (parent !== undefined) this.#makeWithParents(parent, seq);
    this.#commit();
  }

  async setSubscribed(name: string, subscribed: boolean): Promise<void> {
    const box = this.#named(name);
    if (this.#subscriptions.has(name) === subscribed) {
      if (!subscribed && !box) throw new StoreError("mailbox-not-found", "Not subscribed.");
      return;
    }
    const seq = this.#nextModSeq();
    if (subscribed) this.#subscriptions.add(name);
    else this.#subscriptions.delete(name);
    this.#event({
      kind: subscribed ? "subscribed" : "unsubscribed",
      modSeq: seq,
      mailboxId: box && idOf(box),
      name,
    });
    this.#commit();
  }

  async selectMailbox(name: string, options: { claimRecent: boolean }): Promise<SelectedMailbox> {
    const box = this.#need(name);
    const live = liveOf(box);
    const recent = live.filter((message) => message.recent);
    const mailbox = this.#describe(box);
    if (options.claimRecent) { for (const message of recent) message.recent = false; }
    return {
      mailbox: options.claimRecent ? this.#describe(box) : mailbox,
      uids: uidsOf(live),
      firstUnseen: live.find((message) => !(message.flags & SystemFlag.seen))?.uid as
        | Uid
        | undefined,
      recent: uidsOf(recent),
      cursor: this.#now(),
    };
  }

  async messageChanges(
    query: { mailbox: MailboxId; since: ChangeCursor; afterUid: number; claimRecent: boolean },
  ): Promise<MessageChanges> {
    const { since, afterUid } = query;
    const box = this.#boxes.get(query.mailbox);
    if (!box) {
      return {
        mailbox: undefined,
        appended: [],
        changed: [],
        expunged: new RangeSet(),
        recent: new RangeSet(),
        cursor: since,
        more: false,
      };
    }
    const fresh = liveOf(box).filter((message) => message.uid > afterUid);
    const appended = fresh.slice(0, PAGE_ROWS);
    const log = box.messages
      .filter((message) => message.uid <= afterUid && isBehind(message, since))
      .sort((a, b) => a.modSeq - b.modSeq || a.uid - b.uid);
    const read = log.slice(0, PAGE_ROWS - appended.length);
    const last = read.at(-1);
    const recent = query.claimRecent ? appended.filter((message) => message.recent) : [];
    for (const message of recent) message.recent = false;
    let cursor = this.#now();
    if (read.length < log.length) {
      cursor = last ? { modSeq: last.modSeq as ModSeq, uid: last.uid } : since;
    }
    return {
      mailbox: this.#describe(box),
      appended: appended.map((message) => flagRow(box, message)),
      changed: read
        .filter((message) => !message.expunged && message.createSeq !== message.modSeq)
        .map((message) => flagRow(box, message)),
      expunged: uidsOf(read.filter((message) => message.expunged)),
      recent: uidsOf(recent),
      cursor,
      more: appended.length < fresh.length || read.length < log.length,
    };
  }

  async latestModSeq(): Promise<ModSeq> {
    return this.#modSeq as ModSeq;
  }

  async mailboxEvents(
    since: ModSeq,
  ): Promise<{ events: MailboxEvent[]; through: ModSeq } | "resync"> {
    const events = this.#events.filter((event) => event.modSeq > since);
    const bound = events[PAGE_ROWS]?.modSeq;
    if (bound === undefined) return { events, through: this.#modSeq as ModSeq };
    const through = bound === events[0]?.modSeq ? bound : (bound - 1) as ModSeq;
    return { events: events.filter((event) => event.modSeq <= through), through };
  }

  async expungedSince(mailbox: MailboxId, since: number, within: RangeSet): Promise<RangeSet> {
    const box = this.#byId(mailbox);
    return uidsOf(
      box.messages.filter((message) =>
        message.expunged && message.modSeq > since && within.has(message.uid)
      ),
    );
  }

  async *fetchMessages(
    mailbox: MailboxId,
    uids: RangeSet,
    columns: readonly ContentColumn[] = [],
    options: { changedSince?: number } = {},
  ): AsyncIterable<MessageRow[]> {
    const rows = this.#byId(mailbox).messages.filter((message) =>
      uids.has(message.uid) && message.modSeq > (options.changedSince ?? 0)
    );
    for (let i = 0; i < rows.length; i += 10) {
      const box = this.#byId(mailbox);
      yield rows.slice(i, i + 10).map((message) => messageRow(box, message, columns));
    }
  }

  async *fetchOrder(mailbox: MailboxId, uids: RangeSet): AsyncIterable<OrderRow[]> {
    for (const message of this.#byId(mailbox).messages) {
      if (message.expunged || !uids.has(message.uid)) continue;
      const { parsed, raw } = message.content;
      const { seconds } = message.internalDate;
      yield [{
        uid: message.uid as Uid,
        internalSeconds: seconds,
        sentMs: parsed.sentDate ?? seconds * 1000,
        size: raw.length,
        baseSubject: parsed.baseSubject,
        isReply: parsed.isReply,
        keys: parsed.sortKeys,
        messageId: parsed.messageId,
        ancestors: parsed.references.length > 0 ? parsed.references : parsed.inReplyTo.slice(0, 1),
      }];
    }
  }

  async *readRaw(
    mailbox: MailboxId,
    uid: Uid,
    start: number,
    end: number,
  ): AsyncIterable<Bytes> {
    const message = this.#byId(mailbox).messages.find((message) => message.uid === uid);
    if (!message) throw new StoreError("message-not-found", "No such message.");
    const piece = message.content.raw.subarray(start, Math.max(start, end));
    for (let at = 0; at < piece.length; at += PIECE_BYTES) {
      yield piece.slice(at, at + PIECE_BYTES);
    }
  }

  async search(
    mailbox: MailboxId,
    predicate: Predicate,
    options: SearchOptions = {},
  ): Promise<SearchResult> {
    const box = this.#byId(mailbox);
    options.signal?.throwIfAborted();
    const live = liveOf(box);
    let found = live.filter((message) =>
      (options.within?.has(message.uid) ?? true) && matches(predicate, message)
    );
    if (options.only === "min") found = found.slice(0, 1);
    if (options.only === "max") found = found.slice(-1);
    const modSeq = found.reduce((high, message) => Math.max(high, message.modSeq), 0);
    return { uids: uidsOf(found), modSeq: modSeq === 0 ? undefined : modSeq as ModSeq };
  }

  stageMessage(): MessageStage {
    return new ModelStage();
  }

  async append(
    mailbox: string,
    messages: readonly NewMessage[],
    options: { create?: boolean } = {},
  ): Promise<AppendResult> {
    const found = this.#named(mailbox);
    if (!found && !options.create) throw new StoreError("mailbox-not-found", "No such mailbox.");
    const contents = messages.map((message) => contentOf(message));
    this.#needRoom(contents.reduce((sum, content) => sum + content.raw.length, 0));
    const uidNext = found?.uidNext ?? 1;
    if (uidNext + messages.length > MAX_UINT32) throw new StoreError("exhausted", "No more UIDs.");
    const seq = this.#nextModSeq();
    const box = found ?? this.#makeWithParents(mailbox, seq).at(-1);
    if (!box) throw new Error("a mailbox was made");
    for (const message of messages) this.#put(box, appended(message), seq);
    this.#commit();
    return {
      mailbox: this.#describe(box),
      uids: RangeSet.range(uidNext, box.uidNext - 1),
      modSeq: seq,
    };
  }

  async replace(
    mailbox: MailboxId,
    uid: Uid,
    destination: string,
    message: NewMessage,
  ): Promise<AppendResult> {
    const box = this.#byId(mailbox);
    const into = this.#need(destination);
    const old = liveOf(box).find((message) => message.uid === uid);
    if (!old) throw new StoreError("message-not-found", "No such message.");
    const content = contentOf(message);
    this.#needRoom(content.raw.length - old.content.raw.length);
    const seq = this.#nextModSeq();
    expungeFrom(box, [old], seq);
    const newUid = this.#put(into, appended(message), seq);
    this.#commit();
    return {
      mailbox: this.#describe(into),
      uids: RangeSet.of(newUid),
      modSeq: seq,
    };
  }

  async changeFlags(mailbox: MailboxId, uids: RangeSet, change: FlagChange): Promise<FlagResult> {
    const box = this.#byId(mailbox);
    const addressed = liveOf(box).filter((message) => uids.has(message.uid));
    const modified = addressed.filter((message) =>
      change.unchangedSince !== undefined && message.modSeq > change.unchangedSince
    );
    const wanted = new Set(change.keywords.map((keyword) => keyword.toLowerCase()));
    const next = (message: ModelMessage) => {
      switch (change.mode) {
        case "add":
          return {
            flags: message.flags | change.flags,
            keywords: message.keywords.union(wanted),
          };
        case "remove":
          return {
            flags: message.flags & ~change.flags,
            keywords: message.keywords.difference(wanted),
          };
        case "replace":
          return { flags: change.flags, keywords: wanted };
      }
    };
    const changed = addressed.filter((message) => {
      if (modified.includes(message)) return false;
      const { flags, keywords } = next(message);
      return flags !== message.flags || keywords.symmetricDifference(message.keywords).size > 0;
    });
    let seq: ModSeq | undefined;
    if (changed.length > 0) {
      seq = this.#nextModSeq();
      if (change.mode !== "remove") useKeywords(box, change.keywords);
      for (const message of changed) Object.assign(message, next(message), { modSeq: seq });
      box.modSeq = box.flagSeq = seq;
      this.#commit();
    }
    return {
      modSeq: seq,
      rows: addressed.map((message) => flagRow(box, message)),
      modified: uidsOf(modified),
    };
  }

  async expunge(
    mailbox: MailboxId,
    uids: RangeSet,
    options: { onlyDeleted: boolean },
  ): Promise<ExpungeResult> {
    const box = this.#byId(mailbox);
    const going = liveOf(box).filter((message) =>
      uids.has(message.uid) &&
      (!options.onlyDeleted || (message.flags & SystemFlag.deleted) !== 0)
    );
    if (going.length === 0) return { uids: new RangeSet(), modSeq: undefined };
    const seq = this.#nextModSeq();
    expungeFrom(box, going, seq);
    this.#commit();
    return { uids: uidsOf(going), modSeq: seq };
  }

  async expire(rule: ExpiryRule, limit: number): Promise<ExpiryResult> {
    const all = [...this.#boxes.values()].flatMap((box) =>
      liveOf(box).map((message) => ({ box, message }))
    );
    const old = all
      .filter(({ message }) => message.saveDate < rule.savedBefore)
      .filter(({ box, message }) =>
        rule.kind === "size" ||
        ((rule.mailbox ?? box.id) === box.id &&
          message.content.raw.length > (rule.largerThan ?? -1) &&
          !(rule.isNoticed && message.recent))
      )
      .sort((a, b) =>
        a.message.saveDate - b.message.saveDate || a.box.id - b.box.id ||
        a.message.uid - b.message.uid
      );
    let left = sizeOf(all.map(({ message }) => message));
    const going = [];
    for (const each of old) {
      if (going.length === limit || (rule.kind === "size" && left <= rule.untilBytes)) break;
      going.push(each);
      left -= each.message.content.raw.length;
    }
    if (going.length > 0) {
      const seq = this.#nextModSeq();
      for (const [box, those] of Map.groupBy(going, (each) => each.box)) {
        expungeFrom(box, those.map(({ message }) => message), seq);
      }
      this.#commit();
    }
    return {
      messages: going.length,
      bytes: sizeOf(going.map(({ message }) => message)),
      more: going.length === limit,
    };
  }

  async copy(mailbox: MailboxId, uids: RangeSet, destination: string): Promise<CopyResult> {
    return this.#transfer(mailbox, uids, destination, false);
  }

  async move(mailbox: MailboxId, uids: RangeSet, destination: string): Promise<CopyResult> {
    return this.#transfer(mailbox, uids, destination, true);
  }

  async quota(): Promise<Quota> {
    const live = [...this.#boxes.values()].flatMap(liveOf);
    return {
      usedBytes: sizeOf(live),
      usedMessages: live.length,
      usedMailboxes: this.#boxes.size,
      limitBytes: this.#host.limitBytes(),
      deletedBytes: sizeOf(live.filter((message) => message.flags & SystemFlag.deleted)),
    };
  }

  async listAnnotations(mailbox: string | undefined): Promise<Annotation[]> {
    const annotations = mailbox === undefined ? this.#annotations : this.#need(mailbox).annotations;
    return [...annotations.values()].sort((a, b) => byCodePoint(a.entry, b.entry));
  }

  async findAnnotations(
    entries: readonly string[],
  ): Promise<ReadonlyMap<MailboxId, readonly Annotation[]>> {
    const found = new Map<MailboxId, readonly Annotation[]>();
    for (const box of this.#sortedBoxes()) {
      const annotations = [...box.annotations.values()]
        .filter(({ entry }) => entries.includes(entry))
        .sort((a, b) => byCodePoint(a.entry, b.entry));
      if (annotations.length > 0) found.set(idOf(box), annotations);
    }
    return found;
  }

  async setAnnotations(
    mailbox: string | undefined,
    annotations: readonly Annotation[],
  ): Promise<void> {
    const box = mailbox === undefined ? undefined : this.#need(mailbox);
    const old = box?.annotations ?? this.#annotations;
    const next = new Map(old);
    const entries: string[] = [];
    for (const annotation of annotations) {
      const { entry, value, isBinary } = annotation;
      const before = next.get(entry);
      if (value === undefined ? before === undefined : sameAnnotation(before, annotation)) continue;
      if (value === undefined) next.delete(entry);
      else next.set(entry, { entry, value: value.slice(), isBinary });
      entries.push(entry);
    }
    if (entries.length === 0) return;
    this.#needAnnotationRoom(old, next);
    const seq = this.#nextModSeq();
    if (box) {
      box.annotations = next;
      box.modSeq = seq;
    } else this.#annotations = next;
    this.#event({
      kind: "metadata",
      modSeq: seq,
      mailboxId: box && idOf(box),
      name: mailbox ?? "",
      entries: [...new Set(entries)],
    });
    this.#commit();
  }

  async *check(): AsyncIterable<string> {}

  async *repair(): AsyncIterable<string> {}

  #renameInbox(inbox: Box, to: string): void {
    const seq = this.#nextModSeq();
    const box = this.#makeWithParents(to, seq).at(-1);
    if (!box) throw new Error("a mailbox was made");
    const live = liveOf(inbox);
    this.#copyInto(inbox, live, box, seq);
    if (live.length > 0) expungeFrom(inbox, live, seq);
    box.annotations = new Map(inbox.annotations);
    const entries = [...box.annotations.keys()].sort(byCodePoint);
    if (entries.length > 0) {
      const { name } = box;
      this.#event({ kind: "metadata", modSeq: seq, mailboxId: idOf(box), name, entries });
    }
    this.#commit();
  }

  #transfer(mailbox: MailboxId, uids: RangeSet, destination: string, isMove: boolean): CopyResult {
    const box = this.#byId(mailbox);
    const into = this.#need(destination);
    const going = liveOf(box).filter((message) => uids.has(message.uid));
    const from = uidsOf(going);
    if (going.length === 0) {
      return { destination: this.#describe(into), from, to: new RangeSet(), modSeq: undefined };
    }
    if (!isMove) this.#needRoom(sizeOf(going));
    const seq = this.#nextModSeq();
    const to = this.#copyInto(box, going, into, seq);
    if (isMove) expungeFrom(box, going, seq);
    this.#commit();
    return { destination: this.#describe(into), from, to, modSeq: seq };
  }

  #copyInto(box: Box, going: readonly ModelMessage[], into: Box, seq: number): RangeSet {
    const first = into.uidNext;
    for (const message of going) {
      this.#put(into, {
        flags: message.flags,
        keywords: [...message.keywords].map((keyword) => box.keywords.get(keyword) ?? keyword),
        internalDate: message.internalDate,
        content: message.content,
      }, seq);
    }
    return RangeSet.range(first, into.uidNext - 1);
  }

  #put(
    box: Box,
    message: {
      flags: number;
      keywords: readonly string[];
      internalDate: ModelMessage["internalDate"];
      content: ModelContent;
    },
    seq: number,
  ): number {
    const uid = box.uidNext++;
    useKeywords(box, message.keywords);
    box.messages.push({
      uid,
      createSeq: seq,
      modSeq: seq,
      flags: message.flags,
      keywords: new Set(message.keywords.map((keyword) => keyword.toLowerCase())),
      internalDate: message.internalDate,
      saveDate: Math.floor(this.#host.now() / 1000),
      content: message.content,
      expunged: false,
      recent: true,
    });
    box.modSeq = box.appendSeq = seq;
    return uid;
  }

  #needRoom(bytes: number): void {
    const limit = this.#host.limitBytes();
    const used = sizeOf([...this.#boxes.values()].flatMap(liveOf));
    if (limit !== undefined && bytes > 0 && used + bytes > limit) {
      throw new StoreError("over-quota", "The quota would be exceeded.");
    }
  }

  #needAnnotationRoom(old: Map<string, Annotation>, next: Map<string, Annotation>): void {
    const all = [this.#annotations, ...[...this.#boxes.values()].map((box) => box.annotations)]
      .map((map) => map === old ? next : map)
      .flatMap((map) => [...map.values()]);
    if (all.length > MAX_ANNOTATIONS) {
      throw new StoreError("too-many-annotations", "Too many annotations.");
    }
    const size = all.reduce((sum, it) => sum + it.entry.length + (it.value?.length ?? 0), 0);
    if (size > MAX_ANNOTATION_BYTES) {
      throw new StoreError("annotations-too-large", "Annotations are too large.");
    }
  }

  /** Makes `name` and its missing parents; gives those made, parents first. */
  #makeWithParents(name: string, seq: ModSeq): Box[] {
    return [...parentNames(name), name].filter((it) => !this.#named(it)).map((it) => {
      const box = this.#makeBox(it, seq);
      this.#subscriptions.add(it);
      this.#event({ kind: "created", modSeq: seq, mailboxId: idOf(box), name: it });
      return box;
    });
  }

  #makeBox(name: string, seq: number): Box {
    const id = ++this.#lastBox;
    const box: Box = {
      id,
      name,
      uidValidity: ++this.#lastUidValidity,
      uidNext: 1,
      modSeq: seq,
      createSeq: seq,
      appendSeq: 0,
      expungeSeq: 0,
      flagSeq: 0,
      specialUse: [],
      keywords: new Map(),
      objectId: `M${id}`,
      messages: [],
      annotations: new Map(),
    };
    this.#boxes.set(id, box);
    return box;
  }

  #describe(box: Box): Mailbox {
    const live = liveOf(box);
    const deleted = live.filter((message) => message.flags & SystemFlag.deleted);
    return {
      id: idOf(box),
      name: box.name,
      uidValidity: box.uidValidity as UidValidity,
      uidNext: box.uidNext as Uid,
      modSeq: box.modSeq as ModSeq,
      createSeq: box.createSeq as ModSeq,
      appendSeq: box.appendSeq,
      expungeSeq: box.expungeSeq,
      flagSeq: box.flagSeq,
      subscribed: this.#subscriptions.has(box.name),
      specialUse: [...box.specialUse],
      keywords: [...box.keywords.values()],
      objectId: box.objectId,
      counts: {
        messages: live.length,
        unseen: live.filter((message) => !(message.flags & SystemFlag.seen)).length,
        deleted: deleted.length,
        size: sizeOf(live),
        deletedSize: sizeOf(deleted),
        recent: live.filter((message) => message.recent).length,
      },
    };
  }

  #named(name: string): Box | undefined {
    return [...this.#boxes.values()].find((box) => box.name === name);
  }

  #need(name: string): Box {
    const box = this.#named(name);
    if (!box) throw new StoreError("mailbox-not-found", "No such mailbox.");
    return box;
  }

  #byId(id: number): Box {
    const box = this.#boxes.get(id);
    if (!box) throw new StoreError("mailbox-not-found", "The mailbox is gone.");
    return box;
  }

  #childrenOf(name: string): Box[] {
    return this.#sortedBoxes().filter((box) => box.name.startsWith(name + "/"));
  }

  #sortedBoxes(): Box[] {
    return [...this.#boxes.values()].sort((a, b) => byCodePoint(a.name, b.name));
  }

  #event(event: MailboxEvent): void {
    this.#events.push(event);
  }

  #now(): ChangeCursor {
    return { modSeq: this.#modSeq as ModSeq, uid: 0 };
  }

  #nextModSeq(): ModSeq {
    return ++this.#modSeq as ModSeq;
  }

  #commit(): void {
    this.#host.committed(this.#modSeq as ModSeq);
  }
}

function idOf(box: Box): MailboxId {
  return box.id as MailboxId;
}

function liveOf(box: Box): ModelMessage[] {
  return box.messages.filter((message) => !message.expunged);
}

function uidsOf(messages: readonly ModelMessage[]): RangeSet {
  return RangeSet.from(messages.map((message) => message.uid).sort((a, b) => a - b));
}

function sizeOf(messages: readonly ModelMessage[]): number {
  return messages.reduce((sum, message) => sum + message.content.raw.length, 0);
}

function expungeFrom(box: Box, going: readonly ModelMessage[], seq: number): void {
  for (const message of going) {
    message.expunged = true;
    message.modSeq = seq;
  }
  box.modSeq = box.expungeSeq = seq;
}

function useKeywords(box: Box, keywords: readonly string[]): void {
  for (const keyword of keywords) {
    const key = keyword.toLowerCase();
    if (!box.keywords.has(key)) box.keywords.set(key, keyword);
  }
}

function isBehind(message: ModelMessage, cursor: ChangeCursor): boolean {
  return message.modSeq > cursor.modSeq ||
    (message.modSeq === cursor.modSeq && cursor.uid !== 0 && message.uid > cursor.uid);
}

function flagRow(box: Box, message: ModelMessage): FlagRow {
  return {
    uid: message.uid as Uid,
    modSeq: message.modSeq as ModSeq,
    flags: message.flags,
    keywords: [...message.keywords].map((keyword) => box.keywords.get(keyword)).sort().join(" "),
  };
}

function messageRow(
  box: Box,
  message: ModelMessage,
  columns: readonly ContentColumn[],
): MessageRow {
  const { content } = message;
  const wanted = columns.filter((column) =>
    column !== "raw" || content.raw.length <= INLINE_RAW_BYTES
  );
  return {
    ...flagRow(box, message),
    createSeq: message.createSeq as ModSeq,
    internalDate: message.internalDate,
    saveDate: message.saveDate,
    size: content.raw.length,
    emailId: content.emailId,
    threadId: content.threadId,
    expunged: message.expunged,
    ...Object.fromEntries(wanted.map((column) => [column, content.column(column)])),
  };
}

function contentOf(message: NewMessage): ModelContent {
  if (!(message.staged instanceof ModelStagedMessage)) throw new TypeError("staged elsewhere");
  return message.staged.content;
}

function appended(message: NewMessage) {
  const { flags, keywords, internalDate } = message;
  return { flags, keywords, internalDate, content: contentOf(message) };
}

function sameAnnotation(a: Annotation | undefined, b: Annotation): boolean {
  const left = a?.value ?? EMPTY_BYTES;
  const right = b.value ?? EMPTY_BYTES;
  return a?.isBinary === b.isBinary && left.length === right.length &&
    left.every((byte, i) => byte === right[i]);
}

/** Orders strings by code point, as UTF-8 does, unlike `<` which orders by UTF-16 unit. */
export function byCodePoint(a: string, b: string): number {
  const left = Array.from(a, (char) => char.codePointAt(0) ?? 0);
  const right = Array.from(b, (char) => char.codePointAt(0) ?? 0);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
