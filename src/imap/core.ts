import { appendCommand } from "./commands/append.ts";
import { authenticateCommand } from "./commands/authenticate.ts";
import { closeCommand, unselectCommand } from "./commands/close.ts";
import { copyCommand, uidCopyCommand } from "./commands/copy.ts";
import { expungeCommand } from "./commands/expunge.ts";
import { fetchCommand, uidFetchCommand } from "./commands/fetch.ts";
import { loginCommand } from "./commands/login.ts";
import { mailboxCommands } from "./commands/mailbox_commands.ts";
import { searchCommand, uidSearchCommand } from "./commands/search.ts";
import { examineCommand, selectCommand } from "./commands/select.ts";
import { starttlsCommand } from "./commands/starttls.ts";
import { storeCommand, uidStoreCommand } from "./commands/store.ts";
import { coreFetchItems } from "./core_fetch_items.ts";
import { coreSearchKeys } from "./core_search_keys.ts";
import type { Extension } from "./extension.ts";
import { coreStatusItems } from "./status_items.ts";

/** IMAP4rev1 and IMAP4rev2 themselves: what needs no capability but theirs. */
export const core: Extension = {
  rfc: [9051, 3501],
  title: "IMAP4rev2 and IMAP4rev1",
  capabilities: [
    { name: "IMAP4rev1", when: "always" },
    { name: "IMAP4rev2", when: "always" },
    { name: "STARTTLS", when: "beforeLogin", if: ({ facts }) => facts.canStartTls },
    { name: "LOGINDISABLED", when: "beforeLogin", if: ({ facts }) => !facts.allowsPlaintext },
  ],
  // Syntax stays that of IMAP4rev1 until a client enables the new one (RFC 9051 6.3.1).
  enables: [{ name: "IMAP4REV2" }],
  commands: [
    ...mailboxCommands,
    starttlsCommand,
    loginCommand,
    authenticateCommand,
    selectCommand,
    examineCommand,
    closeCommand,
    unselectCommand,
    appendCommand,
    expungeCommand,
    fetchCommand,
    uidFetchCommand,
    storeCommand,
    uidStoreCommand,
    copyCommand,
    uidCopyCommand,
    searchCommand,
    uidSearchCommand,
  ],
  fetchItems: coreFetchItems,
  searchKeys: coreSearchKeys,
  statusItems: coreStatusItems,
};
