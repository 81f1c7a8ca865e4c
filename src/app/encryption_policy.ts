import { metrics } from "../base/mod.ts";
import { MessageCheck, type MessageKind } from "../chatmail/mod.ts";
import type {
  MessageInspector,
  SubmissionPolicy,
  SubmissionRefusal,
  SubmittedMessage,
} from "../delivery/mod.ts";
import type { Account } from "../store/mod.ts";
import type { ChatmailConfig } from "./config/chatmail.ts";

const NEEDED = "Encryption Needed: this host takes no unencrypted mail";
const HIDDEN_SUBJECT: ReadonlyMap<string, string> = new Map([["subject", "[...]"]]);
const NOTHING: ReadonlyMap<string, string> = new Map();

/** Nothing but encrypted mail goes out of a chatmail domain and comes in, with some exceptions. */
export class EncryptionPolicy {
  readonly #domain: string;
  readonly #senders: readonly string[];
  readonly #recipients: readonly string[];

  constructor(
    config: Pick<ChatmailConfig, "domain" | "passthroughSenders" | "passthroughRecipients">,
  ) {
    this.#domain = config.domain;
    this.#senders = config.passthroughSenders;
    this.#recipients = config.passthroughRecipients;
  }

  /** What goes out: encrypted, or the beginning of a secure join; its subject says nothing. */
  get submission(): SubmissionPolicy {
    return {
      hidesClient: true,
      replacedFields: (account, recipients) =>
        this.#mayBeClear(account, recipients) ? NOTHING : HIDDEN_SUBJECT,
      checkMessage: (message) => this.#checkMessage(message),
    };
  }

  /** What comes in for accounts of the domain: the same, and reports of failed delivery. */
  inspectIncoming(): MessageInspector {
    const check = new MessageCheck();
    let kind: MessageKind | undefined;
    return {
      write: (bytes) => check.write(bytes),
      check: ({ address }) => {
        if (!address.endsWith(`@${this.#domain}`)) return undefined;
        kind ??= check.end();
        const isWelcome = kind !== "clear" || isListed(this.#recipients, address);
        count("in", kind, isWelcome);
        return isWelcome ? undefined : { kind: "not-encrypted", text: NEEDED };
      },
    };
  }

  async #checkMessage(
    { account, sender, from, recipients, content }: SubmittedMessage,
  ): Promise<SubmissionRefusal | undefined> {
    const [author, ...more] = from;
    if (more.length > 0 || author?.toLowerCase() !== sender.toLowerCase()) {
      return { code: 554, status: "5.7.1", text: "The From field must name the sender alone" };
    }
    const check = new MessageCheck();
    for await (const chunk of content()) check.write(chunk);
    const kind = check.end();
    const isWelcome = kind === "encrypted" || kind === "secure-join" ||
      this.#mayBeClear(account, recipients);
    count("out", kind, isWelcome);
    return isWelcome ? undefined : { code: 523, status: "5.7.1", text: NEEDED };
  }

  #mayBeClear({ address }: Account, recipients: readonly string[]): boolean {
    return isListed(this.#senders, address) ||
      recipients.every((recipient) => isListed(this.#recipients, recipient));
  }
}

/** Whether an address is on a list of addresses and of domains, "@" before them, in lower case. */
function isListed(list: readonly string[], address: string): boolean {
  const folded = address.toLowerCase();
  return list.includes(folded) || list.includes(folded.slice(folded.lastIndexOf("@")));
}

function count(direction: "in" | "out", kind: MessageKind, isWelcome: boolean): void {
  metrics.add("postern_chatmail_checked_messages_total", {
    direction,
    kind,
    result: isWelcome ? "accepted" : "rejected",
  });
}
