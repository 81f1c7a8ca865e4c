import type { ModSeq, RangeSet } from "../base/mod.ts";

/** Days since 1970-01-01 of a calendar date, disregarding time and zone (RFC 9051 6.4.4). */
export type Day = number;

/**
 * What a search asks of a message: a closed union, so that an engine that forgets a case does not
 * compile. IMAP's SEARCH keys are an open table in `imap/` and parse into these.
 */
export type Predicate =
  | { readonly op: "all" }
  | { readonly op: "and" | "or"; readonly of: readonly Predicate[] }
  | { readonly op: "not"; readonly of: Predicate }
  | { readonly op: "uid"; readonly set: RangeSet }
  /** All bits of `mask` (see `SystemFlag`) are set. */
  | { readonly op: "flags"; readonly mask: number }
  /** Carries the keyword, compared without regard to ASCII case. */
  | { readonly op: "keyword"; readonly name: string }
  /** RFC822.SIZE is strictly above or below `bytes`. */
  | { readonly op: "larger" | "smaller"; readonly bytes: number }
  /**
   * Calendar day of the internal date (in its own zone), the Date header (as written) or the save
   * date (UTC; the internal date where there is none) is before, on, or on-or-after `day`.
   * A message without a readable Date header never matches "sent".
   */
  | {
    readonly op: "day";
    readonly of: "internal" | "sent" | "saved";
    readonly is: "before" | "on" | "since";
    readonly day: Day;
  }
  /** Internal date as an instant, at or before / at or after, seconds since 1970 (RFC 5032). */
  | { readonly op: "received"; readonly is: "atOrBefore" | "atOrAfter"; readonly seconds: number }
  | { readonly op: "modSeq"; readonly atLeast: ModSeq }
  /**
   * Some field `name` (any ASCII case) has `value` as a substring of its decoded, unfolded text,
   * compared without regard to case (`foldCase`); "" matches when the field exists at all.
   */
  | { readonly op: "header"; readonly name: string; readonly value: string }
  /** Substring, without regard to case, of the decoded body; or of headers or body. */
  | { readonly op: "body" | "text"; readonly value: string }
  /**
   * Like "header", "body" and "text", but every one of `words` (`fuzzyWords`, at least one) occurs,
   * in any order, in the same field or anywhere in the body, or in headers and body, as
   * `foldLoosely` has them.
   */
  | { readonly op: "fuzzyHeader"; readonly name: string; readonly words: readonly string[] }
  | { readonly op: "fuzzyBody" | "fuzzyText"; readonly words: readonly string[] }
  | { readonly op: "emailId" | "threadId"; readonly id: string };

/**
 * The form in which search compares text: decomposed (NFKD), without case, runs of white space as
 * one space. Both needle and text go through it. What is equal or contained under i;unicode-casemap
 * (RFC 5051) is so here; lower, upper and lower case in turn make equal what is equal in any case
 * too (ẞ, ß and ss); final sigma is sigma, and I is i in Turkish spelling.
 */
export function foldCase(text: string): string {
  return text.normalize("NFKD").toLowerCase().toUpperCase().toLowerCase()
    .replaceAll("\u03c2", "\u03c3").replaceAll("i\u0307", "i").normalize("NFKD")
    .replace(/\s+/g, " ");
}

/**
 * The words of a text that a fuzzy search looks for: runs of letters and digits in the form of
 * `foldLoosely`. Empty for a text of nothing but punctuation.
 */
export function fuzzyWords(text: string): string[] {
  return [...new Set(foldLoosely(foldCase(text)).match(/[\p{L}\p{N}]+/gu) ?? [])];
}

/** Folded text (`foldCase`) without its combining marks: é is e. */
export function foldLoosely(folded: string): string {
  return /^[\x00-\x7f]*$/.test(folded) ? folded : folded.replace(/\p{M}+/gu, "");
}
