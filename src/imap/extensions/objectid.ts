import type { Extension, SearchKeySpec } from "../extension.ts";
import { simpleItem } from "../fetch_items.ts";

/** OBJECTID: identifiers that outlive COPY, MOVE and RENAME (RFC 8474). */
export const objectid: Extension = {
  rfc: [8474],
  title: "OBJECTID: identifiers of mailboxes, messages and threads",
  capabilities: [{ name: "OBJECTID", when: "afterLogin" }],
  fetchItems: [
    simpleItem("EMAILID", [], ({ emailId }, { out }) => void out.writer.raw(`(${emailId})`)),
    simpleItem("THREADID", [], ({ threadId }, { out }) => void out.writer.raw(`(${threadId})`)),
  ],
  searchKeys: [idKey("EMAILID", "emailId"), idKey("THREADID", "threadId")],
  statusItems: [{
    name: "MAILBOXID",
    write: (writer, { objectId }) => void writer.raw(`(${objectId})`),
  }],
};

function idKey(name: string, op: "emailId" | "threadId"): SearchKeySpec {
  return {
    name,
    parse(reader) {
      reader.space();
      const id = reader.atom();
      if (!/^[A-Za-z0-9_-]{1,255}$/.test(id)) throw reader.error("an object identifier");
      return { op, id };
    },
  };
}
