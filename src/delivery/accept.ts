import { domainToASCII, domainToUnicode } from "node:url";
import {
  type Bytes,
  type Clock,
  EMPTY_BYTES,
  logger,
  metrics,
  randomHex,
  traced,
} from "../base/mod.ts";
import { parseAddresses, type ParsedMessage } from "../message/mod.ts";
import {
  type Account,
  type AccountStore,
  type Directory,
  type Domain,
  type MessageStage,
  parseMailboxName,
  type Store,
  StoreError,
} from "../store/mod.ts";
import { HeaderFilter } from "./header_filter.ts";
import { traceHeader } from "./trace_header.ts";

/** What delivery needs of the house. */
export interface DeliveryServices {
  readonly store: Store;
  readonly clock: Clock;
  /** This host, for Received fields and greetings. */
  readonly hostname: string;
  /** Told of each message that is durable, and whom its From field names first. */
  readonly onDelivered?: (account: Account, from: string | undefined) => void;
  /** Looks at each message on its way in; everything is welcome unless given. */
  readonly inspect?: () => MessageInspector;
  /** Header fields that a message loses on its way in, and for whom; none unless given. */
  readonly removed?: RemovedFields;
}

/** Header fields that some accounts get no messages with. */
export interface RemovedFields {
  readonly names: readonly string[];
  isFor(account: Account): boolean;
}

/** Sees one message as it comes, and says who may have it. */
export interface MessageInspector {
  write(bytes: Bytes): void;
  /** After all of it; undefined: it is welcome. */
  check(account: Account): Refusal | undefined;
}

/** Somebody whom a message is for. */
export interface Recipient {
  /** The address as it was given. */
  readonly address: string;
  readonly account: Account;
}

/** Why a message cannot be taken for a recipient. */
export type RefusalKind =
  /** Nobody has that address: for good. */
  | "unknown-recipient"
  /** The domain is disabled: for now. */
  | "domain-disabled"
  /** No room now; there may be when something was deleted. */
  | "over-quota"
  /** Larger than all the room that the account has: for good. */
  | "too-large"
  /** `deliver --mailbox` without `--create`: for good. */
  | "mailbox-missing"
  | "mailbox-invalid"
  /** The account takes encrypted mail alone: for good. */
  | "not-encrypted"
  /** The store cannot take anything now. */
  | "unavailable";

export interface Refusal {
  readonly kind: RefusalKind;
  /** One line for people. */
  readonly text: string;
}

/** What became of a message for one recipient. "delivered" means durable. */
export type DeliveryResult =
  | { readonly kind: "delivered"; readonly mailbox: string; readonly uid: number }
  | Refusal;

/** Where a message comes from. */
export interface MessageSource {
  /** Its reverse-path; "" for none. */
  readonly sender: string;
  /** The name that the client gave itself, if any. */
  readonly clientName: string | undefined;
  /** The client's address; undefined on this host, where it says nothing. */
  readonly clientAddress: string | undefined;
  /** The transmission type of the Received field, such as LMTP (RFC 5321 4.4). */
  readonly protocol: string;
  /** Whether delivery adds a Received field; it does unless this is false. */
  readonly isTraced?: boolean;
}

/** Where in the account to; INBOX unless given. */
export interface DeliveryTarget {
  readonly mailbox: string;
  readonly create: boolean;
}

const INBOX: DeliveryTarget = { mailbox: "INBOX", create: false };

const log = logger("delivery");

/**
 * Whom an address leads to: an account's own address, an alias, an address with "+detail", or a
 * catch-all. An internationalised domain is found in either of its forms. Login-disabled accounts
 * take mail.
 */
export async function resolveRecipient(
  { store: { directory } }: DeliveryServices,
  address: string,
): Promise<Recipient | Refusal> {
  try {
    for await (const { domain, local } of localForms(directory, address)) {
      if (domain.isDisabled) {
        return { kind: "domain-disabled", text: "The domain does not take mail at present" };
      }
      const account = await directory.resolveAddress(local + domain.name);
      if (account !== undefined) return { address, account };
    }
    return UNKNOWN;
  } catch (error) {
    const refusal = refusalOf(error);
    return refusal.kind === "mailbox-invalid" ? UNKNOWN : refusal;
  }
}

/** Whether mail for an address ends here. Rejects with StoreError. */
export async function isLocalAddress(
  { store: { directory } }: DeliveryServices,
  address: string,
): Promise<boolean> {
  for await (const _ of localForms(directory, address)) return true;
  return false;
}

/** The domains of this host that an address is in, as its domain may be written in several forms. */
async function* localForms(
  directory: Directory,
  address: string,
): AsyncGenerator<{ local: string; domain: Domain }> {
  const local = address.slice(0, address.lastIndexOf("@") + 1);
  const name = address.slice(local.length);
  for (const form of new Set([name, domainToASCII(name), domainToUnicode(name)])) {
    const domain = await directory.findDomain(form);
    if (domain !== undefined) yield { local, domain };
  }
}

const UNKNOWN: Refusal = { kind: "unknown-recipient", text: "No such user here" };

/** Whether the account has any room left; a refusal when it is full already. */
export async function checkRoom(
  { store }: DeliveryServices,
  { account }: Recipient,
): Promise<Refusal | undefined> {
  try {
    const quota = await (await store.openAccount(account.id)).quota();
    const isFull = quota.limitBytes !== undefined && quota.usedBytes >= quota.limitBytes;
    return isFull ? OVER_QUOTA : undefined;
  } catch (error) {
    return refusalOf(error);
  }
}

const OVER_QUOTA: Refusal = { kind: "over-quota", text: "The mailbox is full" };

/** A message on its way to one account. */
interface Copy {
  readonly recipient: Recipient;
  readonly account: AccountStore;
  readonly stage: MessageStage;
}

/**
 * The one way in for a message from outside: reads it once, and stores it for each recipient with
 * trace fields of its own. Gives a result for each recipient, in their order; what is "delivered"
 * is durable, and what is not has left nothing behind. Recipients that are one account get the
 * message once and the same result. Rejects, having stored nothing, when the source does.
 */
export function deliverMessage(
  services: DeliveryServices,
  recipients: readonly Recipient[],
  source: MessageSource,
  content: AsyncIterable<Bytes>,
  target: DeliveryTarget = INBOX,
): Promise<DeliveryResult[]> {
  return traced("deliver", async (note) => {
    const results = await deliver(services, recipients, source, content, target);
    const delivered = results.filter(({ kind }) => kind === "delivered").length;
    note({
      "postern.protocol": source.protocol,
      "postern.recipients": results.length,
      "postern.delivered": delivered,
    });
    return results;
  });
}

async function deliver(
  services: DeliveryServices,
  recipients: readonly Recipient[],
  source: MessageSource,
  content: AsyncIterable<Bytes>,
  target: DeliveryTarget,
): Promise<DeliveryResult[]> {
  const id = randomHex(8);
  const results = new Map<number, DeliveryResult>();
  const copies = new Map<number, Copy>();
  const trace = { ...source, id, hostname: services.hostname, time: services.clock.now() };
  const forEachCopy = async (work: (copy: Copy) => Promise<void>) => {
    await Promise.all([...copies].map(async ([accountId, copy]) => {
      try {
        await work(copy);
      } catch (error) {
        copies.delete(accountId);
        results.set(accountId, refusalOf(error));
        await copy.stage.discard();
      }
    }));
  };
  try {
    for (const recipient of recipients) {
      const { id: accountId } = recipient.account;
      if (copies.has(accountId) || results.has(accountId)) continue;
      try {
        const account = await services.store.openAccount(accountId);
        copies.set(accountId, { recipient, account, stage: account.stageMessage() });
      } catch (error) {
        results.set(accountId, refusalOf(error));
      }
    }
    await forEachCopy(({ recipient, stage }) => stage.write(traceHeader(trace, recipient.address)));
    const inspector = services.inspect?.();
    const { removed } = services;
    const filter = removed && new HeaderFilter(removed.names);
    const give = (chunk: Bytes, filtered: Bytes | undefined) =>
      forEachCopy(async ({ recipient, stage }) => {
        await stage.write(filtered && removed?.isFor(recipient.account) ? filtered : chunk);
      });
    for await (const chunk of content) {
      inspector?.write(chunk);
      await give(chunk, filter?.write(chunk));
    }
    if (filter) await give(EMPTY_BYTES, filter.end());
    await forEachCopy(async (copy) => {
      const refusal = inspector?.check(copy.recipient.account);
      if (refusal) {
        results.set(copy.recipient.account.id, refusal);
        return await copy.stage.discard();
      }
      results.set(copy.recipient.account.id, await append(services, copy, trace.time, target));
    });
  } finally {
    // Harmless for those that were appended.
    await Promise.all([...copies.values()].map(({ stage }) => stage.discard()));
  }
  const answers = recipients.map(({ account }) => results.get(account.id) ?? UNAVAILABLE);
  answers.forEach((result, i) => note(id, recipients[i], source, result));
  return answers;
}

async function append(
  { onDelivered }: DeliveryServices,
  { account, stage, recipient }: Copy,
  time: number,
  target: DeliveryTarget,
): Promise<DeliveryResult> {
  const mailbox = parseMailboxName(target.mailbox);
  const staged = await stage.finish();
  const internalDate = { seconds: Math.floor(time / 1000), zoneMinutes: 0 };
  try {
    const { uids } = await account.append(
      mailbox,
      [{ staged, flags: 0, keywords: [], internalDate }],
      { create: target.create },
    );
    onDelivered?.(recipient.account, authorOf(staged.parsed));
    return { kind: "delivered", mailbox, uid: uids.first ?? 0 };
  } catch (error) {
    if (!isOverQuota(error)) throw error;
    const { limitBytes = Infinity } = await account.quota();
    if (staged.size <= limitBytes) throw error;
    return { kind: "too-large", text: "The message is larger than the whole mailbox may be" };
  } finally {
    await staged.discard();
  }
}

function authorOf({ headerText }: ParsedMessage): string | undefined {
  const [, field] = /^from: *(.*)$/im.exec(headerText) ?? [];
  const [author] = field === undefined ? [] : parseAddresses(field, 1);
  return author?.mailbox && author.host ? `${author.mailbox}@${author.host}` : undefined;
}

function isOverQuota(error: unknown): boolean {
  return error instanceof StoreError && error.code === "over-quota";
}

const UNAVAILABLE: Refusal = { kind: "unavailable", text: "The message cannot be stored now" };

/**
 * What a failure means to who sends mail. A fault of this program is one too: it must not change
 * what the other recipients are told.
 */
function refusalOf(error: unknown): Refusal {
  switch (error instanceof StoreError ? error.code : undefined) {
    case "not-found":
      return UNKNOWN;
    case "over-quota":
      return OVER_QUOTA;
    case "mailbox-not-found":
      return { kind: "mailbox-missing", text: "There is no such mailbox" };
    case "invalid-name":
      return { kind: "mailbox-invalid", text: "That is not a mailbox name" };
    default:
      log.error("a message could not be stored: {error}", { error });
      return UNAVAILABLE;
  }
}

function note(
  id: string,
  recipient: Recipient | undefined,
  source: MessageSource,
  result: DeliveryResult,
): void {
  metrics.add("postern_deliveries_total", { protocol: source.protocol, result: result.kind });
  log.info("delivery {id} to account {account}: {result}", {
    id,
    account: recipient?.account.id,
    result: result.kind,
  });
}
