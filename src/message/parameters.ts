import { encodeLatin1, encodeUtf8 } from "../base/mod.ts";
import { decodeCharset } from "./charset.ts";
import { MAX_PARAMETERS } from "./limits.ts";
import { isSpace, readQuotedString, trimRaw } from "./raw_text.ts";

/**
 * A parameter of a MIME field. Continuations (RFC 2231 3) are joined. Where a part of the value was
 * in extended notation (RFC 2231 4) the name ends in "*" and the value is `UTF-8'language'%XX…`:
 * RFC 9051 7.5.2 would rather have it decoded, but the one stored form also serves clients that did
 * not ask for 8-bit text, and webmail programs decode such a name's value themselves and mangle
 * what has been decoded already.
 */
export interface Parameter {
  /** Lower case. */
  readonly name: string;
  /** Raw text without quoting. */
  readonly value: string;
}

/** A value such as `text/plain; charset=x` or `attachment; filename=y`. */
export interface ParameterisedValue {
  /** What stands before the first parameter, lower case; "" when nothing usable does. */
  readonly value: string;
  readonly parameters: readonly Parameter[];
}

/** Reads a raw field value. Looser than RFC 2045 5.1: semicolons may be missing or doubled. */
export function parseParameterised(raw: string): ParameterisedValue {
  const reader = new ValueReader(raw);
  const value = reader.readToken(";").toLowerCase();
  const sections: { name: string; value: string }[] = [];
  const seen = new Set<string>();
  while (sections.length < MAX_PARAMETERS && reader.skipToParameter()) {
    const name = trimRaw(reader.readToken(";=")).toLowerCase();
    if (!reader.accept("=")) continue;
    const text = reader.readValue();
    if (name === "" || seen.has(name)) continue;
    seen.add(name);
    sections.push({ name, value: text });
  }
  return { value, parameters: joinContinuations(sections) };
}

/**
 * Decoded text of the parameter called `name`; undefined when there is none. The extended form wins
 * over the plain one, and encoded-words are left to the caller.
 */
export function parameterText(parameters: readonly Parameter[], name: string): string | undefined {
  const extended = parameters.find((parameter) => parameter.name === `${name}*`);
  if (extended !== undefined) {
    const { charset, text } = splitExtended(extended.value);
    return decodeCharset(encodeLatin1(decodePercent(text)), charset);
  }
  const plain = parameters.find((parameter) => parameter.name === name);
  return plain && decodeCharset(encodeLatin1(plain.value), "");
}

class ValueReader {
  readonly #text: string;
  #at = 0;
  /** No closing quote lies ahead, so a quote is an ordinary character. */
  #quotesEnded = false;

  constructor(text: string) {
    this.#text = text;
  }

  /** Characters up to white space or one of `stops`; comments are passed over. */
  readToken(stops: string): string {
    this.#skipSpace("");
    const start = this.#at;
    while (this.#at < this.#text.length) {
      const char = this.#text.charAt(this.#at);
      if (stops.includes(char) || isSpace(char.charCodeAt(0)) || char === "(") break;
      this.#at++;
    }
    const token = this.#text.slice(start, this.#at);
    this.#skipSpace("");
    return token;
  }

  skipToParameter(): boolean {
    this.#skipSpace(";");
    return this.#at < this.#text.length;
  }

  accept(char: string): boolean {
    if (this.#text.charAt(this.#at) === char) {
      this.#at++;
      return true;
    }
    return false;
  }

  readValue(): string {
    this.#skipSpace("");
    const quoted = this.#text.charAt(this.#at) === '"' ? this.#readQuoted() : undefined;
    if (quoted !== undefined) return quoted;
    const start = this.#at;
    while (this.#at < this.#text.length) {
      const char = this.#text.charAt(this.#at);
      // An unquoted value may hold spaces in practice; a comment must have white space before it.
      if (char === ";") break;
      if (char === "(" && this.#at > start && isSpace(this.#text.charCodeAt(this.#at - 1))) break;
      this.#at++;
    }
    return trimRaw(this.#text.slice(start, this.#at));
  }

  #readQuoted(): string | undefined {
    if (this.#quotesEnded) return undefined;
    const quoted = readQuotedString(this.#text, this.#at);
    if (quoted !== undefined) {
      this.#at = quoted.end;
      return quoted.value;
    }
    this.#quotesEnded = true;
    return undefined;
  }

  /** Skips white space, comments (RFC 5322 3.2.2) and the characters of `also`. */
  #skipSpace(also: string): void {
    let depth = 0;
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#text.charAt(this.#at);
      if (char === "(") depth++;
      else if (depth > 0) {
        if (char === ")") depth--;
        else if (char === "\\") this.#at++;
      } else if (!isSpace(char.charCodeAt(0)) && (also === "" || !also.includes(char))) return;
    }
  }
}

/** RFC 2231 3 and 4.1. */
function joinContinuations(sections: readonly { name: string; value: string }[]): Parameter[] {
  const parameters: Parameter[] = [];
  const groups = new Map<string, { number: number; extended: boolean; value: string }[]>();
  for (const { name, value } of sections) {
    const match = /^([^*]+)(?:\*(\d{1,4}))?(\*)?$/.exec(name);
    const [, base = "", number, star] = match ?? [];
    if (match === null || (number === undefined && star === undefined)) {
      parameters.push({ name, value });
      continue;
    }
    const group = groups.get(base) ?? [];
    group.push({ number: Number(number ?? 0), extended: star !== undefined, value });
    groups.set(base, group);
  }
  for (const [base, group] of groups) {
    group.sort((a, b) => a.number - b.number);
    const end = group.findIndex((section, index) => section.number !== index);
    const parts = end < 0 ? group : group.slice(0, end);
    if (parts.length === 0) continue;
    if (parts.some((part) => part.extended)) {
      parameters.push({ name: `${base}*`, value: joinExtended(parts) });
    } else if (!parameters.some((parameter) => parameter.name === base)) {
      parameters.push({ name: base, value: parts.map((part) => part.value).join("") });
    }
  }
  return parameters;
}

/** One extended value in UTF-8 for sections of which some are extended. */
function joinExtended(parts: readonly { extended: boolean; value: string }[]): string {
  const [first, ...rest] = parts;
  if (first === undefined) return "";
  const head = first.extended ? splitExtended(first.value) : {
    charset: "",
    language: "",
    text: first.value,
  };
  const bytes = (first.extended ? decodePercent(head.text) : head.text) +
    rest.map((part) => part.extended ? decodePercent(part.value) : part.value).join("");
  const text = decodeCharset(encodeLatin1(bytes), head.charset);
  return `UTF-8'${head.language}'${encodePercent(text)}`;
}

function splitExtended(value: string): { charset: string; language: string; text: string } {
  const first = value.indexOf("'");
  const second = first < 0 ? -1 : value.indexOf("'", first + 1);
  if (second < 0) return { charset: "", language: "", text: value };
  return {
    charset: value.slice(0, first),
    language: value.slice(first + 1, second),
    text: value.slice(second + 1),
  };
}

function decodePercent(value: string): string {
  return value.replace(
    /%([0-9a-f]{2})/gi,
    (_, hex: string) => String.fromCharCode(parseInt(hex, 16)),
  );
}

function encodePercent(text: string): string {
  let encoded = "";
  for (const byte of encodeUtf8(text)) {
    const char = String.fromCharCode(byte);
    encoded += /[A-Za-z0-9!#$&+.^_`{}~-]/.test(char)
      ? char
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}
