import type { RangeSet } from "../../base/mod.ts";
import type { Reader } from "../../wire/mod.ts";
import type { Extension } from "../extension.ts";
import type { FetchModifierSpec } from "../fetch_modifiers.ts";
import { bad } from "../imap_error.ts";
import type { SearchReturnSpec, Span } from "../search_returns.ts";

/** `first:last` or `-first:-last` (RFC 9394 4), counted from 1, from the end where negative. */
interface PartialRange {
  /** As the client wrote it, to be told again. */
  readonly text: string;
  readonly span: (size: number) => Span;
}

/** Reads ` first:last`; the order of the two does not matter. */
function readPartialRange(reader: Reader): PartialRange {
  reader.space();
  const sign = reader.tryChar("-") ? "-" : "";
  const a = reader.nonZeroNumber();
  reader.char(":");
  if (sign === "-") reader.char("-");
  const b = reader.nonZeroNumber();
  const first = Math.min(a, b);
  const last = Math.max(a, b);
  return {
    text: `${sign}${a}:${sign}${b}`,
    span: (size) =>
      sign === "-"
        ? { start: Math.max(0, size - last), end: Math.max(0, size - first + 1) }
        : { start: Math.min(first - 1, size), end: Math.min(last, size) },
  };
}

/** RETURN (PARTIAL range): NIL where no result is in the range (RFC 9394 3.1, RFC 5267 4.4). */
const partialReturn: SearchReturnSpec = {
  name: "PARTIAL",
  excludes: ["ALL", "PARTIAL"],
  parse(reader) {
    const { text, span } = readPartialRange(reader);
    return {
      name: "PARTIAL",
      needs: "part",
      span,
      data(results, { start, end }) {
        return `PARTIAL (${text} ${results.text(start, end) || "NIL"})`;
      },
    };
  },
};

/** UID FETCH … (PARTIAL range): some of the messages that the set names (RFC 9394 3.3). */
const partialModifier: FetchModifierSpec = {
  name: "PARTIAL",
  parse(reader, plan) {
    if (plan.by !== "uid") throw bad("PARTIAL is for UID FETCH");
    const { span } = readPartialRange(reader);
    plan.pick = (uids: RangeSet) => {
      const { start, end } = span(uids.size);
      return uids.slice(start, end);
    };
  },
};

/** PARTIAL: pages of results and of messages (RFC 9394). */
export const partial: Extension = {
  rfc: [9394],
  title: "PARTIAL: pages of search results and of messages",
  capabilities: [{ name: "PARTIAL", when: "afterLogin" }],
  searchReturns: [partialReturn],
  fetchModifiers: [partialModifier],
};
