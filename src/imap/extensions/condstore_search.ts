import type { ModSeq } from "../../base/mod.ts";
import type { SearchKeySpec } from "../extension.ts";

/**
 * `MODSEQ [entry-name entry-type-req] mod-sequence-valzer` (RFC 7162 3.1.5). Entry name and type are
 * ignored, since a message has one mod-sequence for all its flags.
 */
export const modSeqSearchKey: SearchKeySpec = {
  name: "MODSEQ",
  parse(reader, context) {
    reader.space();
    if (reader.tryStringBytes()) {
      reader.space();
      const type = reader.atom().toUpperCase();
      if (!["ALL", "PRIV", "SHARED"].includes(type)) throw reader.error("all, priv or shared");
      reader.space();
    }
    const atLeast = Math.max(1, reader.number64()) as ModSeq;
    context.usesModSeq = true;
    return { op: "modSeq", atLeast };
  },
};
