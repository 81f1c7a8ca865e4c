import type { Bytes } from "../../base/mod.ts";
import { type Line, LineFeed } from "./line_feed.ts";

/**
 * What is shown of a conversation to who traces it: everything but secrets and mail. What cannot be
 * told from a secret, such as a line that is no command, is shown as its size alone.
 */
export interface TraceMask {
  /** The lines that the client completed with these octets, as they may be shown. */
  received(bytes: Bytes): string[];
  /** Those that the server completed. */
  sent(bytes: Bytes): string[];
}

const MASKED = "(masked)";
/** With more of them that are not answered, no tag is shown. */
const MAX_HIDDEN_TAGS = 100;

/** Mechanisms whose names are shown; anything else in their place may be a password. */
const MECHANISMS =
  /^(?:PLAIN|LOGIN|EXTERNAL|ANONYMOUS|XOAUTH2|OAUTHBEARER|SCRAM-SHA-\d+(?:-PLUS)?)$/i;

function octets(size: number, what = ""): string {
  return `(${size} octets${what})`;
}

/** IMAP (RFC 9051). Literals are shown as their size, so neither APPEND nor FETCH shows mail. */
export class ImapMask implements TraceMask {
  readonly #commands: { has(name: string): boolean };
  readonly #input = new LineFeed();
  readonly #output = new LineFeed();
  /** Tag of an AUTHENTICATE that is not answered: all that the client says is secret. */
  #loginTag: string | undefined;
  /** Tag of the command whose literals follow; "" when it has none that can be read. */
  #commandTag: string | undefined;
  #isSecret = false;
  /** First words of lines that were not shown: the server took them for tags, and says them again. */
  readonly #hiddenTags = new Set<string>();
  /** The literal that is to come is sent only when the server lets it (RFC 9051 4.3). */
  #isAsking = false;
  #isResponseOpen = false;

  /** `commands`: names in capitals, such as `UID FETCH`. */
  constructor(commands: { has(name: string): boolean }) {
    this.#commands = commands;
  }

  received(bytes: Bytes): string[] {
    const shown: string[] = [];
    this.#input.push(bytes, (line) => shown.push(this.#showReceived(line)));
    return shown;
  }

  sent(bytes: Bytes): string[] {
    const shown: string[] = [];
    this.#output.push(bytes, (line) => shown.push(this.#showSent(line)));
    return shown;
  }

  #showReceived(line: Line): string {
    if (this.#loginTag !== undefined) {
      this.#hide(line);
      return octets(line.size, ` of a login`);
    }
    const shown = this.#commandTag === undefined
      ? this.#showCommand(line)
      : this.#isSecret
      ? MASKED
      : line.text;
    const literal = /\{(\d{1,15})(\+?)\}$/.exec(line.tail);
    if (literal === null || this.#loginTag !== undefined) {
      this.#commandTag = undefined;
      return shown;
    }
    this.#commandTag ??= /^[^ ]+/.exec(line.text)?.[0] ?? "";
    this.#isAsking = literal[2] === "";
    this.#input.skip(Number(literal[1]));
    return `${shown} ${octets(Number(literal[1]))}`;
  }

  #showCommand(line: Line): string {
    const { text, size } = line;
    this.#isSecret = false;
    if (/^done$/i.test(text)) return text;
    const [, tag = "", first = "", second = ""] = /^([^ ]+) ([^ ]+)(?: ([^ ]+))?/.exec(text) ?? [];
    const name = first.toUpperCase();
    const full = name === "UID" ? `UID ${second.toUpperCase()}` : name;
    if (name === "LOGIN") {
      this.#isSecret = true;
      return `${tag} LOGIN ${MASKED}`;
    }
    if (name === "AUTHENTICATE") {
      this.#loginTag = tag;
      const mechanism = MECHANISMS.test(second) ? ` ${second}` : "";
      return `${tag} AUTHENTICATE${mechanism} ${MASKED}`;
    }
    if (this.#commands.has(full)) return text;
    this.#isSecret = true;
    this.#hide(line);
    return octets(size, " that are no command");
  }

  #hide({ text }: Line): void {
    const [word = ""] = text.split(" ", 1);
    // A login that was given up; what is untagged looks the same.
    if (word !== "*" && this.#hiddenTags.size < MAX_HIDDEN_TAGS) this.#hiddenTags.add(word);
  }

  #showSent({ text, size, tail }: Line): string {
    const isContinued = this.#isResponseOpen;
    const literal = /\{(\d{1,15})\}$/.exec(tail);
    this.#isResponseOpen = literal !== null;
    if (literal) this.#output.skip(Number(literal[1]));
    const note = literal ? ` ${octets(Number(literal[1]))}` : "";
    if (isContinued) return withoutMail(text) + note;
    if (text.startsWith("+")) return this.#loginTag === undefined ? text : `+ ${MASKED}`;
    const tag = /^([^ ]+) (?:OK|NO|BAD)\b/.exec(text)?.[1];
    if (tag !== undefined) {
      if (tag === this.#loginTag) this.#loginTag = undefined;
      if (tag === this.#commandTag && this.#isAsking) {
        // It did not want the literal, so that a command follows.
        this.#input.stopSkipping();
        this.#commandTag = undefined;
      }
      const isFull = this.#hiddenTags.size >= MAX_HIDDEN_TAGS;
      if (this.#hiddenTags.delete(tag) || isFull) {
        return MASKED + withoutMail(text.slice(tag.length)) + note;
      }
    } else if (!text.startsWith("* ")) return octets(size) + note;
    return withoutMail(text) + note;
  }
}

/** Content that is short enough to come in quotes. */
function withoutMail(text: string): string {
  return text.replace(
    /((?:(?:BODY|BINARY)\[[^\]]*\](?:<\d+>)?|RFC822(?:\.HEADER|\.TEXT)?|PREVIEW|SNIPPET) )"((?:[^"\\]|\\.)*)(?:"|$)/g,
    (_, item: string, content: string) => item + octets(content.length),
  );
}

/** SMTP and LMTP (RFC 5321, RFC 2033). */
export class SmtpMask implements TraceMask {
  readonly #input = new LineFeed();
  readonly #output = new LineFeed();
  #isLogin = false;
  /** Octets of the message after DATA so far. */
  #messageBytes: number | undefined;

  received(bytes: Bytes): string[] {
    const shown: string[] = [];
    this.#input.push(bytes, (line) => shown.push(...this.#showReceived(line)));
    return shown;
  }

  sent(bytes: Bytes): string[] {
    const shown: string[] = [];
    this.#output.push(bytes, (line) => shown.push(this.#showSent(line)));
    return shown;
  }

  #showReceived({ text, size }: Line): string[] {
    if (this.#messageBytes !== undefined) {
      if (text !== ".") {
        this.#messageBytes += size + 2;
        return [];
      }
      const note = octets(this.#messageBytes, " of a message");
      this.#messageBytes = undefined;
      return [note, "."];
    }
    if (this.#isLogin) return [octets(size, " of a login")];
    const [, verb = "", argument = ""] = /^([A-Za-z]+)(?: +([^ ]+))?/.exec(text) ?? [];
    switch (verb.toUpperCase()) {
      case "AUTH": {
        this.#isLogin = true;
        return [`${verb}${MECHANISMS.test(argument) ? ` ${argument}` : ""} ${MASKED}`];
      }
      case "BDAT": {
        const count = Number(/^\d{1,15}$/.exec(argument)?.[0] ?? 0);
        this.#input.skip(count);
        return [text, octets(count, " of a message")];
      }
      case "EHLO":
      case "HELO":
      case "LHLO":
      case "MAIL":
      case "RCPT":
      case "DATA":
      case "RSET":
      case "NOOP":
      case "QUIT":
      case "VRFY":
      case "STARTTLS":
        return [text];
      default:
        return [octets(size, " that are no command")];
    }
  }

  #showSent({ text, size }: Line): string {
    const code = /^(\d{3})(?:[ -]|$)/.exec(text)?.[1];
    if (code === "334") return `334 ${MASKED}`;
    this.#isLogin = false;
    this.#messageBytes = code === "354" ? 0 : undefined;
    return code === undefined ? octets(size) : text;
  }
}
