import { ANY_STATE, command } from "../command.ts";
import type { Extension } from "../extension.ts";
import { no } from "../imap_error.ts";
import { MAX_LANGUAGE_RANGE_LENGTH, MAX_LANGUAGE_RANGES } from "../limits.ts";
import { WireError } from "../../wire/mod.ts";

/**
 * The languages of response texts. "i-default" is English for readers of any language, which all
 * texts are written as; so choosing "en" changes nothing but that the client knows.
 */
const LANGUAGES = ["i-default", "en"];

/**
 * LANGUAGE [range …] (RFC 5255 3.2): the first language that a range finds, from its whole down to
 * its first subtag, so that EN-CA is answered with en; or, without ranges, all there are. The
 * namespaces have no names to translate.
 */
const languageCommand = command<readonly string[]>({
  name: "LANGUAGE",
  states: ANY_STATE,
  rfc: "RFC 5255 3.2",
  catchUp: "all",
  parse(reader) {
    const ranges: string[] = [];
    while (!reader.atEnd) {
      reader.space();
      const range = reader.astring();
      const isTooLong = range.length > MAX_LANGUAGE_RANGE_LENGTH;
      if (isTooLong || ranges.push(range) > MAX_LANGUAGE_RANGES) {
        throw new WireError("Too many or too long language ranges");
      }
    }
    return ranges;
  },
  run({ out }, ranges) {
    if (ranges.length === 0) return out.untagged(`LANGUAGE (${LANGUAGES.join(" ")})`);
    const language = ranges.map(findLanguage).find((found) => found !== undefined);
    if (language === undefined) throw no("None of these languages is spoken here");
    out.untagged(`LANGUAGE (${language})`);
  },
});

function findLanguage(range: string): string | undefined {
  const wanted = range.toLowerCase();
  // The host prefers what it always speaks.
  if (wanted === "default") return LANGUAGES[0];
  return LANGUAGES.find((language) => wanted === language || wanted.startsWith(`${language}-`));
}

/** LANGUAGE: in which language response texts are (RFC 5255 3). */
export const language: Extension = {
  rfc: [5255],
  title: "LANGUAGE: the language of response texts",
  // In the greeting too, since texts about a failed login are the first to be read.
  capabilities: [{ name: "LANGUAGE", when: "always" }],
  commands: [languageCommand],
};
