import { metrics } from "../base/mod.ts";
import { MessageCheck, type MessageKind } from "../chatmail/mod.ts";
import type {
  MessageInspector,
  SubmissionPolicy,
  SubmissionRefusal,
  SubmittedMessage,
} from "../delivery/mod.ts";

const NEEDED = "Encryption Needed: this host takes no unencrypted mail";

/** What goes out: encrypted, or the beginning of a secure join; its subject says nothing. */
export const ENCRYPTED_SUBMISSION: SubmissionPolicy = {
  hidesClient: true,
  replacedFields: new Map([["subject", "[...]"]]),
  checkMessage,
};

async function checkMessage(
  { sender, from, content }: SubmittedMessage,
): Promise<SubmissionRefusal | undefined> {
  const [author, ...more] = from;
  if (more.length > 0 || author?.toLowerCase() !== sender.toLowerCase()) {
    return { code: 554, status: "5.7.1", text: "The From field must name the sender alone" };
  }
  const check = new MessageCheck();
  for await (const chunk of content()) check.write(chunk);
  const kind = check.end();
  const isWelcome = kind === "encrypted" || kind === "secure-join";
  count("out", kind, isWelcome);
  return isWelcome ? undefined : { code: 523, status: "5.7.1", text: NEEDED };
}

/** What comes in for accounts of the domain: the same, and reports of failed delivery. */
export function inspectIncoming(domain: string): MessageInspector {
  const check = new MessageCheck();
  let kind: MessageKind | undefined;
  return {
    write: (bytes) => check.write(bytes),
    check: ({ address }) => {
      if (!address.endsWith(`@${domain}`)) return undefined;
      kind ??= check.end();
      count("in", kind, kind !== "clear");
      return kind === "clear" ? { kind: "not-encrypted", text: NEEDED } : undefined;
    },
  };
}

function count(direction: "in" | "out", kind: MessageKind, isWelcome: boolean): void {
  metrics.add("postern_chatmail_checked_messages_total", {
    direction,
    kind,
    result: isWelcome ? "accepted" : "rejected",
  });
}
