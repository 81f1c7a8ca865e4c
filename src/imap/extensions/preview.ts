import type { Extension } from "../extension.ts";
import type { FetchItem, FetchItemSpec } from "../fetch_items.ts";

/** Characters of a preview that are sent (RFC 8970 3.3). */
const MAX_CHARACTERS = 200;

const item: FetchItem = {
  key: "PREVIEW",
  columns: ["preview"],
  write(row, { out }) {
    const characters = [...row.preview ?? ""].slice(0, MAX_CHARACTERS);
    // Never NIL: previews are made when a message is stored, so LAZY has nothing to wait for.
    out.writer.raw("PREVIEW ").string(characters.join("").trimEnd());
  },
};

const preview: FetchItemSpec = {
  name: "PREVIEW",
  parse(reader) {
    // Behind a lone PREVIEW the modifiers of FETCH stand in parentheses as well.
    reader.attempt(() => {
      if (!reader.trySpace() || !reader.tryChar("(") || !reader.tryExactWord("LAZY")) return;
      while (reader.trySpace()) if (!reader.tryExactWord("LAZY")) throw reader.error("LAZY");
      reader.char(")");
      return true;
    });
    return item;
  },
};

/** PREVIEW: the first words of a message (RFC 8970). */
export const previewExtension: Extension = {
  rfc: [8970],
  title: "PREVIEW: the first words of a message",
  capabilities: [{ name: "PREVIEW", when: "afterLogin" }],
  fetchItems: [preview],
};
