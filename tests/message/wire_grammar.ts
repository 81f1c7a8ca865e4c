/**
 * A checker of the grammar that FETCH data must obey (RFC 9051 9: envelope, body, body-ext-…),
 * written from the ABNF and used by tests only. Values come back as strings (raw text), numbers,
 * null for NIL, and arrays for parenthesised lists.
 */
export type Wire = string | number | null | Wire[];

class Reader {
  #at = 0;
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  fail(what: string): never {
    const around = JSON.stringify(this.#text.slice(Math.max(0, this.#at - 30), this.#at + 30));
    throw new Error(`${what} expected at ${this.#at}, near ${around}`);
  }
  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }
  peek(): string {
    return this.#text.charAt(this.#at);
  }
  expect(text: string): void {
    if (!this.#text.startsWith(text, this.#at)) this.fail(JSON.stringify(text));
    this.#at += text.length;
  }
  number(): number {
    const match = /^\d+/.exec(this.#text.slice(this.#at, this.#at + 20));
    if (match === null) this.fail("number");
    this.#at += match[0].length;
    return Number(match[0]);
  }
  nstring(): string | null {
    if (this.#text.startsWith("NIL", this.#at)) {
      this.#at += 3;
      return null;
    }
    return this.string();
  }
  string(): string {
    const start = this.#at;
    if (this.peek() === '"') {
      let value = "";
      for (this.#at++; this.peek() !== '"'; this.#at++) {
        let char = this.peek();
        if (char === "\\") {
          char = this.#text.charAt(++this.#at);
          if (char !== '"' && char !== "\\") this.fail("quoted-special");
        }
        if (char === "" || char === "\r" || char === "\n" || char === "\0" || char > "\x7f") {
          this.fail("QUOTED-CHAR");
        }
        value += char;
      }
      this.#at++;
      return value;
    }
    this.expect("{");
    const length = this.number();
    this.expect("}\r\n");
    const value = this.#text.slice(this.#at, this.#at + length);
    if (value.length !== length || value.includes("\0")) {
      this.#at = start;
      this.fail("literal");
    }
    this.#at += length;
    return value;
  }
}

const latin1 = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");

export function readEnvelope(bytes: Uint8Array): Wire[] {
  return readWhole(bytes, envelope);
}

export function readBody(bytes: Uint8Array, extensions: boolean): Wire[] {
  return readWhole(bytes, (reader) => body(reader, extensions));
}

function readWhole(bytes: Uint8Array, read: (reader: Reader) => Wire[]): Wire[] {
  const reader = new Reader(latin1(bytes));
  const value = read(reader);
  if (!reader.isAtEnd) reader.fail("end");
  return value;
}

function envelope(reader: Reader): Wire[] {
  reader.expect("(");
  const value: Wire[] = [];
  for (let field = 0; field < 10; field++) {
    if (field > 0) reader.expect(" ");
    value.push(field >= 2 && field <= 7 ? addresses(reader) : reader.nstring());
  }
  reader.expect(")");
  return value;
}

function addresses(reader: Reader): Wire {
  if (reader.peek() === "N") return reader.nstring();
  reader.expect("(");
  const list: Wire[] = [];
  do {
    reader.expect("(");
    const address: Wire[] = [reader.nstring()];
    for (let i = 0; i < 3; i++) {
      reader.expect(" ");
      address.push(reader.nstring());
    }
    reader.expect(")");
    list.push(address);
  } while (reader.peek() === "(");
  reader.expect(")");
  return list;
}

function body(reader: Reader, extensions: boolean): Wire[] {
  reader.expect("(");
  const value: Wire[] = [];
  if (reader.peek() === "(") {
    const children: Wire[] = [];
    while (reader.peek() === "(") children.push(body(reader, extensions));
    reader.expect(" ");
    value.push(children, reader.string());
    if (extensions) {
      reader.expect(" ");
      value.push(parameters(reader));
      commonExtensions(reader, value);
    }
    reader.expect(")");
    return value;
  }
  const type = reader.string();
  reader.expect(" ");
  const subtype = reader.string();
  if (type === "multipart") throw new Error("a multipart with the form of a single part");
  reader.expect(" ");
  value.push(type, subtype, parameters(reader));
  for (let i = 0; i < 2; i++) {
    reader.expect(" ");
    value.push(reader.nstring());
  }
  reader.expect(" ");
  value.push(reader.string());
  reader.expect(" ");
  value.push(reader.number());
  const isMessage = type === "message" && (subtype === "rfc822" || subtype === "global");
  if (isMessage) {
    reader.expect(" ");
    value.push(envelope(reader));
    reader.expect(" ");
    value.push(body(reader, extensions));
  }
  if (isMessage || type === "text") {
    reader.expect(" ");
    value.push(reader.number());
  }
  if (extensions) {
    reader.expect(" ");
    value.push(reader.nstring());
    commonExtensions(reader, value);
  }
  reader.expect(")");
  return value;
}

function commonExtensions(reader: Reader, value: Wire[]): void {
  reader.expect(" ");
  if (reader.peek() === "(") {
    reader.expect("(");
    const disposition: Wire[] = [reader.string()];
    reader.expect(" ");
    disposition.push(parameters(reader));
    reader.expect(")");
    value.push(disposition);
  } else value.push(nil(reader));
  reader.expect(" ");
  if (reader.peek() === "(") value.push(strings(reader));
  else value.push(reader.nstring());
  reader.expect(" ");
  value.push(reader.nstring());
}

function nil(reader: Reader): null {
  reader.expect("NIL");
  return null;
}

function parameters(reader: Reader): Wire {
  if (reader.peek() !== "(") return nil(reader);
  const list = strings(reader);
  if (list.length % 2 !== 0) throw new Error("a parameter without value");
  return list;
}

function strings(reader: Reader): Wire[] {
  reader.expect("(");
  const list: Wire[] = [reader.string()];
  while (reader.peek() === " ") {
    reader.expect(" ");
    list.push(reader.string());
  }
  reader.expect(")");
  return list;
}
