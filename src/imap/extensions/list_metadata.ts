import type { Extension } from "../extension.ts";
import { bad } from "../imap_error.ts";
import { readEntryName, writeEntryValue } from "../metadata_entries.ts";

/**
 * `RETURN (METADATA (entry …))`: after all LIST responses one METADATA response for each mailbox
 * that exists, with NIL for entries that it does not have (RFC 9590).
 */
export const listMetadata: Extension = {
  rfc: [9590],
  title: "LIST-METADATA: annotations of all listed mailboxes at once",
  capabilities: [{ name: "LIST-METADATA", when: "afterLogin" }],
  listReturns: [{
    name: "METADATA",
    parse(reader) {
      reader.space();
      const asked = [...new Set(reader.list(() => readEntryName(reader)))];
      if (asked.some((entry) => !entry.startsWith("/"))) throw bad("Not an entry's name");
      return {
        name: "METADATA",
        async afterAll(listed, { account, out }) {
          const found = await account.store.findAnnotations(asked);
          for (const { name, mailbox } of listed) {
            const annotations = mailbox && found.get(mailbox.id);
            out.writer.raw("* METADATA ").mailbox(name).raw(" ").list(asked, (entry) => {
              out.writer.astring(entry).raw(" ");
              writeEntryValue(out.writer, annotations?.find((it) => it.entry === entry));
            }).crlf();
            const full = out.relieve();
            if (full) await full;
          }
        },
      };
    },
  }],
};
