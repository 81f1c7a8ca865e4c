import type { Extension, SearchKeySpec } from "../extension.ts";

/** WITHIN: searching by age, exact to the second (RFC 5032). */
export const within: Extension = {
  rfc: [5032],
  title: "WITHIN: searching by age",
  capabilities: [{ name: "WITHIN", when: "afterLogin" }],
  searchKeys: [ageKey("OLDER", "atOrBefore"), ageKey("YOUNGER", "atOrAfter")],
};

function ageKey(name: string, is: "atOrBefore" | "atOrAfter"): SearchKeySpec {
  return {
    name,
    parse(reader, { nowSeconds }) {
      reader.space();
      return { op: "received", is, seconds: nowSeconds - reader.nonZeroNumber() };
    },
  };
}
