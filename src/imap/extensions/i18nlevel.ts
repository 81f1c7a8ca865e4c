import type { Extension } from "../extension.ts";

/**
 * I18NLEVEL=1 (RFC 5255 4.3): the comparator is i;unicode-casemap (RFC 5051). SORT and THREAD order
 * and join by `collationKey` of `sort_order.ts`, which is that comparator. SEARCH compares the forms
 * that `foldCase` of `store/` gives: decomposed and without case in the same way, so that whatever
 * is a substring under the comparator is one here. It goes further in three things that people do
 * not tell apart: ß is ss, runs of white space are one space, and dotless i is i.
 */
export const i18nLevel: Extension = {
  rfc: [5255, 5051],
  title: "I18NLEVEL=1: comparing text in any script",
  capabilities: [{ name: "I18NLEVEL=1", when: "afterLogin" }],
};
