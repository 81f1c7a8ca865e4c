import { SystemFlag } from "../../store/mod.ts";
import { bad } from "../imap_error.ts";

const NAMES: readonly (readonly [bit: number, name: string])[] = [
  [SystemFlag.answered, "\\Answered"],
  [SystemFlag.flagged, "\\Flagged"],
  [SystemFlag.deleted, "\\Deleted"],
  [SystemFlag.seen, "\\Seen"],
  [SystemFlag.draft, "\\Draft"],
];

/** Every combination of system flags in wire form, by its bits: FETCH FLAGS writes thousands. */
const COMBINATIONS = Array.from(
  { length: 32 },
  (_, bits) => NAMES.filter(([bit]) => bits & bit).map(([, name]) => name).join(" "),
);

/** All system flags in wire form, without parentheses. */
export const ALL_SYSTEM_FLAGS = COMBINATIONS[31]!;

/** Keywords with a registered meaning, offered in every mailbox (RFC 9051 2.3.2, RFC 5788). */
export const COMMON_KEYWORDS = ["$Forwarded", "$MDNSent", "$Junk", "$NotJunk", "$Phishing"];

/** Longest keyword: it is stored with each message and printed with each FETCH. */
export const MAX_KEYWORD_LENGTH = 200;
/** Keywords in one flag list of a command. */
const MAX_KEYWORDS_PER_COMMAND = 100;

/** `(\Seen $Forwarded)`: flags of a message in wire form. */
export function writeFlags(flags: number, keywords: string, isRecent: boolean): string {
  let text = COMBINATIONS[flags & 31]!;
  if (keywords !== "") text += text === "" ? keywords : ` ${keywords}`;
  if (isRecent) text += text === "" ? "\\Recent" : " \\Recent";
  return `(${text})`;
}

/** Flags as the store takes them. */
export interface ParsedFlags {
  readonly flags: number;
  /** In the client's spelling, no two alike but for case. */
  readonly keywords: readonly string[];
}

/**
 * Sorts a client's flags into system flags and keywords. \Recent is ignored, as clients copy it
 * from FETCH; any other unknown backslash flag is a tagged BAD (RFC 9051 2.3.2).
 */
export function parseFlags(names: readonly string[]): ParsedFlags {
  let flags = 0;
  const keywords = new Map<string, string>();
  for (const name of names) {
    if (name.startsWith("\\")) {
      const lower = name.toLowerCase();
      if (lower === "\\recent") continue;
      const known = NAMES.find(([, system]) => system.toLowerCase() === lower);
      if (!known) throw bad("Unknown system flag");
      flags |= known[0];
    } else {
      if (name.length > MAX_KEYWORD_LENGTH) throw bad("Keyword is too long");
      if (!keywords.has(name.toLowerCase())) keywords.set(name.toLowerCase(), canonical(name));
    }
  }
  if (keywords.size > MAX_KEYWORDS_PER_COMMAND) throw bad("Too many keywords");
  return { flags, keywords: [...keywords.values()] };
}

/** A common keyword in its registered spelling, any other as it is. */
function canonical(keyword: string): string {
  const lower = keyword.toLowerCase();
  return COMMON_KEYWORDS.find((common) => common.toLowerCase() === lower) ?? keyword;
}
