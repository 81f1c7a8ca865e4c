import { createHash } from "node:crypto";
import type { AccountStore } from "../../src/store/mod.ts";

/** All that an account holds and that must survive a journey. */
export async function contentsOf(
  account: AccountStore,
): Promise<Record<string, { facts: string; messages: string[] }>> {
  const contents: Record<string, { facts: string; messages: string[] }> = {};
  for (const { id, name, subscribed, specialUse } of await account.listMailboxes()) {
    const { uids } = await account.selectMailbox(name, { claimRecent: false });
    const messages: string[] = [];
    for await (const page of account.fetchMessages(id, uids)) {
      for (const row of page) {
        const hash = createHash("sha256");
        for await (const bytes of account.readRaw(id, row.uid, 0, row.size)) hash.update(bytes);
        const digest = hash.digest("hex").slice(0, 16);
        messages.push(`${digest} ${row.flags} ${row.internalDate.seconds} ${row.keywords}`);
      }
    }
    contents[name] = { facts: `${subscribed ? "subscribed" : ""} ${specialUse}`, messages };
  }
  return contents;
}
