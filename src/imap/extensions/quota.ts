import { MAX_UINT32 } from "../../base/mod.ts";
import { MAX_MAILBOXES, parseMailboxName, type Quota } from "../../store/mod.ts";
import { command, LOGGED_IN } from "../command.ts";
import { parseMailbox } from "../commands/mailbox_argument.ts";
import type { Extension } from "../extension.ts";
import { no } from "../imap_error.ts";
import type { Session } from "../session.ts";
import { numberItem } from "../status_items.ts";

/** The one quota root: it governs every mailbox of the account, those still to be made too. */
const ROOT = "";

/** `GETQUOTA root` (RFC 9208 4.1.1). */
const getQuotaCommand = command({
  name: "GETQUOTA",
  states: LOGGED_IN,
  rfc: "RFC 9208 4.1.1",
  catchUp: "all",
  parse(reader) {
    reader.space();
    return reader.astring();
  },
  async run(session, root) {
    if (root !== ROOT) throw no("There is no such quota root", "NONEXISTENT");
    await writeQuota(session);
  },
});

/** `GETQUOTAROOT mailbox` (RFC 9208 4.1.2). The mailbox need not exist. */
const getQuotaRootCommand = command({
  name: "GETQUOTAROOT",
  states: LOGGED_IN,
  rfc: "RFC 9208 4.1.2",
  catchUp: "all",
  parse: parseMailbox,
  async run(session, mailbox) {
    const name = parseMailboxName(mailbox);
    session.out.writer.raw("* QUOTAROOT ").mailbox(name).raw(" ").string(ROOT).crlf();
    await writeQuota(session);
  },
});

async function writeQuota({ account, out }: Session): Promise<void> {
  const resources = quotaResources(await account.store.quota());
  out.writer.raw("* QUOTA ").string(ROOT).raw(" ").list(resources, ({ name, usage, limit }) => {
    out.writer.raw(`${name} ${usage} ${limit}`);
  }).crlf();
}

/**
 * Every resource with its usage and limit. RFC 9208 4.2.1 has no way to tell a usage without a
 * limit, and clients show nothing for a resource that is not told, so where nobody set a limit the
 * natural one stands: UIDs are 32 bits wide, and octets are told as so many KiB.
 */
function quotaResources(
  { usedBytes, limitBytes, usedMessages, usedMailboxes }: Quota,
): { name: string; usage: number; limit: number }[] {
  const storageLimit = limitBytes === undefined ? MAX_UINT32 : kibibytes(limitBytes);
  return [
    { name: "STORAGE", usage: kibibytes(usedBytes), limit: storageLimit },
    { name: "MESSAGE", usage: usedMessages, limit: MAX_UINT32 },
    { name: "MAILBOX", usage: usedMailboxes, limit: MAX_MAILBOXES },
  ];
}

/** RFC 9208 5.1: units of 1024 octets, begun ones counted whole. */
function kibibytes(octets: number): number {
  return Math.ceil(octets / 1024);
}

/** Usage and limits of the account (RFC 9208). Limits are set by the administrator: no QUOTASET. */
export const quota: Extension = {
  rfc: [9208],
  title: "QUOTA: usage and limits of storage, messages and mailboxes",
  capabilities: [
    // The name of the first QUOTA extension, which clients look for.
    { name: "QUOTA", when: "afterLogin" },
    { name: "QUOTA=RES-STORAGE", when: "afterLogin" },
    { name: "QUOTA=RES-MESSAGE", when: "afterLogin" },
    { name: "QUOTA=RES-MAILBOX", when: "afterLogin" },
  ],
  commands: [getQuotaCommand, getQuotaRootCommand],
  // Octets that EXPUNGE would free (RFC 9208 4.1.4); DELETED is in the base protocol by now.
  statusItems: [numberItem("DELETED-STORAGE", ({ counts }) => counts.deletedSize)],
};
