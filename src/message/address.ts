import { isSpace, readQuotedString } from "./raw_text.ts";

/**
 * One member of an address list as ENVELOPE shows it (RFC 9051 7.5.2), in raw text. Without `host`
 * it opens a group named `mailbox`, or closes one when `mailbox` is missing too. A mailbox whose
 * domain is missing in the message has the host "".
 */
export interface Address {
  readonly name: string | undefined;
  readonly route: string | undefined;
  readonly mailbox: string | undefined;
  readonly host: string | undefined;
}

const GROUP_END: Address = {
  name: undefined,
  route: undefined,
  mailbox: undefined,
  host: undefined,
};

/**
 * Addresses of a raw field value (RFC 5322 3.4 and 4.4), at most `limit`, in order. Looser than the
 * RFC: a semicolon also separates, empty members are passed over, a comment after an address
 * without display name is its name, and text without "@" is a mailbox without domain.
 */
export function parseAddresses(raw: string, limit: number): Address[] {
  return new AddressReader(raw, limit).read();
}

/** What has been read of one address. */
interface Draft {
  /** Words with one space between them, quoting removed. */
  phrase: string;
  /** White space has come since the last word of the phrase. */
  hasSpace: boolean;
  /** The same without any space outside quotes, and where its last unquoted "@" is. */
  compact: string;
  at: number;
  /** `compact` begins with "@". */
  isRoute: boolean;
  comment: string | undefined;
  angle: { route: string | undefined; mailbox: string; host: string } | undefined;
  isEmpty: boolean;
}

function newDraft(): Draft {
  return {
    phrase: "",
    hasSpace: false,
    compact: "",
    at: -1,
    isRoute: false,
    comment: undefined,
    angle: undefined,
    isEmpty: true,
  };
}

function addWord(draft: Draft, word: string): void {
  if (draft.hasSpace && draft.phrase !== "") draft.phrase += " ";
  draft.hasSpace = false;
  if (draft.compact === "") draft.isRoute = word.startsWith("@");
  draft.phrase += word;
  draft.compact += word;
}

class AddressReader {
  readonly #text: string;
  readonly #limit: number;
  readonly #addresses: Address[] = [];
  #at = 0;
  #inGroup = false;
  /** No closing quote or bracket lies ahead, so an opening one is an ordinary character. */
  #quotesEnded = false;
  #literalsEnded = false;

  constructor(text: string, limit: number) {
    this.#text = text;
    this.#limit = limit;
  }

  read(): Address[] {
    let draft = newDraft();
    while (this.#at < this.#text.length && this.#addresses.length < this.#limit) {
      const char = this.#text.charAt(this.#at);
      if (char === "," || char === ";") {
        this.#at++;
        this.#finish(draft);
        draft = newDraft();
        if (char === ";" && this.#inGroup) this.#closeGroup();
      } else if (char === ":" && !this.#inGroup && draft.angle === undefined && draft.at < 0) {
        this.#at++;
        this.#inGroup = true;
        this.#addresses.push({ ...GROUP_END, mailbox: draft.phrase });
        draft = newDraft();
      } else if (char === "<" && draft.angle === undefined) {
        this.#at++;
        draft.angle = this.#readAngle();
        draft.isEmpty = false;
      } else {
        this.#readWord(draft, ",;:<");
      }
    }
    this.#finish(draft);
    if (this.#inGroup) this.#closeGroup();
    return this.#addresses;
  }

  #closeGroup(): void {
    this.#inGroup = false;
    this.#addresses.push(GROUP_END);
  }

  /** Adds white space, a comment, a quoted string, a domain literal or an atom to the draft. */
  #readWord(draft: Draft, stops: string): void {
    const start = this.#at;
    const char = this.#text.charAt(start);
    if (isSpace(char.charCodeAt(0))) {
      this.#at++;
      draft.hasSpace = true;
      return;
    }
    draft.isEmpty = false;
    if (char === "(") {
      const comment = this.#readComment();
      if (comment !== "") draft.comment = comment;
      draft.hasSpace = true;
      return;
    }
    const quoted = char === '"' ? this.#readQuoted() : undefined;
    if (quoted !== undefined) {
      addWord(draft, quoted);
      return;
    }
    if (char === "[" && !this.#literalsEnded) {
      const end = this.#text.indexOf("]", start);
      if (end >= 0) this.#at = end + 1;
      else this.#literalsEnded = true;
    }
    if (this.#at === start) {
      this.#at++;
      while (this.#at < this.#text.length) {
        const next = this.#text.charAt(this.#at);
        if (isSpace(next.charCodeAt(0)) || next === "(" || next === '"' || next === "[") break;
        if (stops.includes(next)) break;
        this.#at++;
      }
    }
    const atom = this.#text.slice(start, this.#at);
    const at = atom.startsWith("[") ? -1 : atom.lastIndexOf("@");
    if (at >= 0) draft.at = draft.compact.length + at;
    addWord(draft, atom);
  }

  /** What stands between "<" and ">": `[@route:] local-part@domain`. */
  #readAngle(): { route: string | undefined; mailbox: string; host: string } {
    const draft = newDraft();
    let route: string | undefined;
    while (this.#at < this.#text.length) {
      const char = this.#text.charAt(this.#at);
      if (char === ">") {
        this.#at++;
        break;
      }
      if (char === ":" && draft.isRoute && route === undefined) {
        this.#at++;
        route = draft.compact;
        Object.assign(draft, newDraft());
      } else if (char === "," && !draft.isRoute && !this.#closesAhead()) break;
      else this.#readWord(draft, ">:,");
    }
    const { compact, at } = draft;
    if (at < 0) return { route, mailbox: compact, host: "" };
    return { route, mailbox: compact.slice(0, at), host: compact.slice(at + 1) };
  }

  /** Whether this angle bracket is closed before another one opens. */
  #closesAhead(): boolean {
    const window = this.#text.slice(this.#at, this.#at + 1000);
    const close = window.indexOf(">");
    const open = window.indexOf("<");
    return close >= 0 && (open < 0 || close < open);
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

  #readComment(): string {
    let value = "";
    let depth = 0;
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#text.charAt(this.#at);
      if (char === "(" && ++depth === 1) continue;
      if (char === ")" && --depth === 0) {
        this.#at++;
        break;
      }
      if (char === "\\" && this.#at + 1 < this.#text.length) value += this.#text.charAt(++this.#at);
      else value += char;
    }
    return value.replace(/^[ \t]+/, "");
  }

  #finish(draft: Draft): void {
    if (draft.isEmpty || this.#addresses.length >= this.#limit) return;
    const { phrase, comment, angle, compact, at } = draft;
    if (angle !== undefined) {
      this.#addresses.push({ name: phrase === "" ? comment : phrase, ...angle });
    } else if (at >= 0) {
      const [mailbox, host] = [compact.slice(0, at), compact.slice(at + 1)];
      this.#addresses.push({ name: comment, route: undefined, mailbox, host });
    } else if (phrase.includes(" ")) {
      // Words without any address: someone's name.
      this.#addresses.push({ name: phrase, route: undefined, mailbox: "", host: "" });
    } else if (compact !== "") {
      this.#addresses.push({ name: comment, route: undefined, mailbox: compact, host: "" });
    }
  }
}
