/**
 * On which line of a TOML text each key stands, so that a complaint about a value can name it. The
 * parser itself tells no positions. Expects a text that parses; for any other it gives a guess.
 */

/** A key as zod names it: table names, keys and indexes of array elements. */
export type KeyPath = readonly PropertyKey[];

/** Finds the line (from 1) of a key, or of the nearest table that holds it. */
export class KeyLines {
  #lines = new Map<string, number>();
  /** How many elements each array of tables has so far. */
  #elements = new Map<string, number>();

  constructor(toml: string) {
    const scanner = new Scanner(toml);
    let table: string[] = [];
    while (scanner.skipToStatement()) {
      const line = scanner.line;
      if (scanner.take("[[")) {
        table = this.#enterElement(scanner.readKey());
        this.#set(table.slice(0, -1), line);
        this.#set(table, line);
        scanner.skipValue();
      } else if (scanner.take("[")) {
        table = this.#resolve(scanner.readKey());
        // Tables in between may be written nowhere else.
        for (let depth = 1; depth <= table.length; depth++) this.#set(table.slice(0, depth), line);
        scanner.skipValue();
      } else {
        const key = scanner.readKey();
        for (let depth = 1; depth <= key.length; depth++) {
          this.#set([...table, ...key.slice(0, depth)], line);
        }
        scanner.skipValue();
      }
    }
  }

  /** The line of `path`, or of its nearest ancestor that is written down; 1 for the root. */
  lineOf(path: KeyPath): number {
    for (let depth = path.length; depth > 0; depth--) {
      const line = this.#lines.get(pathKey(path.slice(0, depth)));
      if (line !== undefined) return line;
    }
    return 1;
  }

  #set(path: KeyPath, line: number): void {
    const key = pathKey(path);
    if (!this.#lines.has(key)) this.#lines.set(key, line);
  }

  /** Puts the index of the newest element after each name that is an array of tables. */
  #resolve(names: readonly string[]): string[] {
    const path: string[] = [];
    for (const name of names) {
      path.push(name);
      const count = this.#elements.get(pathKey(path));
      if (count !== undefined) path.push(String(count - 1));
    }
    return path;
  }

  #enterElement(names: readonly string[]): string[] {
    const path = [...this.#resolve(names.slice(0, -1)), ...names.slice(-1)];
    const count = this.#elements.get(pathKey(path)) ?? 0;
    this.#elements.set(pathKey(path), count + 1);
    return [...path, String(count)];
  }
}

function pathKey(path: KeyPath): string {
  return path.map(String).join("\u0000");
}

class Scanner {
  #text: string;
  #at = 0;
  line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  /** Goes to the next character that is neither white space nor in a comment; false at the end. */
  skipToStatement(): boolean {
    for (; this.#at < this.#text.length; this.#step()) {
      const character = this.#text[this.#at];
      if (character === "#") this.#skipComment();
      else if (!/\s/.test(character ?? "")) return true;
    }
    return false;
  }

  take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#step(token.length);
    return true;
  }

  /** The parts of a dotted key, up to "=", "]" or the end of the line. */
  readKey(): string[] {
    const parts: string[] = [];
    for (; this.#at < this.#text.length; this.#step()) {
      const rest = /[^\s.]/.test(this.#text[this.#at] ?? "") ? this.#text.slice(this.#at) : "";
      const end = /^[=\]]/.test(rest) || this.#text[this.#at] === "\n";
      if (end) return parts;
      const [whole, quoted, bare] = /^("(?:[^"\\\n]|\\.)*"|'[^'\n]*')|^([\w-]+)/.exec(rest) ?? [];
      if (whole === undefined) continue;
      parts.push(quoted === undefined ? bare ?? "" : unquote(quoted));
      this.#step(whole.length - 1);
    }
    return parts;
  }

  /** Goes behind the statement: to the end of its last line, over strings and brackets. */
  skipValue(): void {
    let depth = 0;
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at];
      if (character === "\n" && depth <= 0) return;
      if (character === "#") {
        this.#skipComment();
      } else if (character === '"' || character === "'") {
        this.#skipString(character);
      } else {
        if (character === "[" || character === "{") depth++;
        if (character === "]" || character === "}") depth--;
        this.#step();
      }
    }
  }

  #skipComment(): void {
    while (this.#at < this.#text.length - 1 && this.#text[this.#at + 1] !== "\n") this.#at++;
    this.#at++;
  }

  #skipString(quote: string): void {
    const long = quote.repeat(3);
    const end = this.#text.startsWith(long, this.#at) ? long : quote;
    this.#step(end.length);
    while (this.#at < this.#text.length && !this.#text.startsWith(end, this.#at)) {
      if (end === quote && this.#text[this.#at] === "\n") return;
      this.#step(quote === '"' && this.#text[this.#at] === "\\" ? 2 : 1);
    }
    this.#step(end.length);
    // A long string may end in one or two quotes of its own.
    while (end === long && this.#text[this.#at] === quote) this.#step();
  }

  #step(count = 1): void {
    for (; count > 0 && this.#at < this.#text.length; count--) {
      if (this.#text[this.#at] === "\n") this.line++;
      this.#at++;
    }
  }
}

function unquote(quoted: string): string {
  if (quoted.startsWith("'")) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted.slice(1, -1);
  }
}
