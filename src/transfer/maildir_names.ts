import { DELIMITER } from "../store/mod.ts";
import { decodeModifiedUtf7, encodeModifiedUtf7, WireError } from "../wire/mod.ts";
import { flagsOf, lettersOf, MAILDIR_FLAGS } from "./flags.ts";

/** Keywords that a Maildir can name: one letter each. */
export const MAX_MAILDIR_KEYWORDS = 26;
const FIRST_KEYWORD = "a".charCodeAt(0);

/** What the name of a file in a Maildir says of the message. */
export interface MaildirFlags {
  readonly flags: number;
  readonly keywords: readonly string[];
}

/** The letters behind ":2,"; `keywordNames` are those of `dovecot-keywords`, a first. */
export function parseMaildirFlags(
  fileName: string,
  keywordNames: readonly (string | undefined)[],
): MaildirFlags {
  // Where ":" cannot be in a file name, programs use other signs.
  const letters = /[:;!]2,([A-Za-z]*)$/.exec(fileName)?.[1] ?? "";
  const keywords = [...letters].flatMap((letter) => {
    if (letter === "P") return ["$Forwarded"];
    return keywordNames[letter.charCodeAt(0) - FIRST_KEYWORD] ?? [];
  });
  return { flags: flagsOf(letters, MAILDIR_FLAGS), keywords: [...new Set(keywords)] };
}

/** `:2,` and the letters; keywords that have none are left out. */
export function writeMaildirFlags(
  flags: number,
  keywords: readonly string[],
  keywordNames: readonly string[],
): string {
  const letters = keywords.map((keyword) => keywordNames.indexOf(keyword))
    .filter((index) => index >= 0 && index < MAX_MAILDIR_KEYWORDS).sort((a, b) => a - b)
    .map((index) => String.fromCharCode(FIRST_KEYWORD + index));
  return `:2,${lettersOf(flags, MAILDIR_FLAGS)}${letters.join("")}`;
}

/** `dovecot-keywords`: a number and a name on each line. */
export function parseKeywordNames(text: string): (string | undefined)[] {
  const names: (string | undefined)[] = [];
  for (const [, number, name] of text.matchAll(/^(\d{1,2}) (.+)$/gm)) names[Number(number)] = name;
  return names;
}

export function writeKeywordNames(names: readonly string[]): string {
  return names.slice(0, MAX_MAILDIR_KEYWORDS).map((name, i) => `${i} ${name}\n`).join("");
}

/** The folder of a mailbox as Maildir++ has it: "" for INBOX, ".Lists.Deno" for Lists/Deno. */
export function maildirFolder(mailbox: string): string {
  if (mailbox === "INBOX") return "";
  const levels = mailbox.split(DELIMITER).map((level) =>
    // As Dovecot's listescape plugin writes what the format cannot.
    encodeModifiedUtf7(level.replace(/[\\.]/g, escaped))
  );
  return `.${levels.join(".")}`;
}

function escaped(character: string): string {
  return `\\${character.charCodeAt(0).toString(16)}`;
}

/** The mailbox of a folder below a Maildir, such as ".Lists.Deno", or "Lists/Deno" of LAYOUT=fs. */
export function mailboxOfFolder(folder: string): string {
  if (folder === "") return "INBOX";
  const levels = folder.startsWith(".") ? folder.slice(1).split(".") : folder.split("/");
  return levels.map(decodeLevel).join(DELIMITER).normalize("NFC");
}

function decodeLevel(level: string): string {
  const unescaped = (text: string) =>
    text.replace(/\\([0-9a-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  try {
    return unescaped(decodeModifiedUtf7(level)).replaceAll(DELIMITER, "_");
  } catch (error) {
    // A server that keeps names in UTF-8.
    if (error instanceof WireError) return unescaped(level).replaceAll(DELIMITER, "_");
    throw error;
  }
}
