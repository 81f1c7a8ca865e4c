import type { Mailbox } from "../account_store.ts";
import { MAX_KEYWORD_LENGTH, MAX_KEYWORDS } from "../limits.ts";
import { StoreError } from "../store_error.ts";
import type { Transaction } from "./transaction.ts";

/** The keywords of a mailbox: compared without case, spelt as at their first use, never fewer. */
export class MailboxKeywords {
  readonly #mailbox: Mailbox;
  /** Lower case to spelling. */
  readonly #spellings: Map<string, string>;

  constructor(mailbox: Mailbox) {
    this.#mailbox = mailbox;
    this.#spellings = new Map(mailbox.keywords.map((keyword) => [keyword.toLowerCase(), keyword]));
  }

  /** The spelling of a keyword that is used from now on. Throws StoreError "limit". */
  use(keyword: string): string {
    const key = keyword.toLowerCase();
    const known = this.#spellings.get(key);
    if (known !== undefined) return known;
    if (keyword.length > MAX_KEYWORD_LENGTH) {
      throw new StoreError("limit", `A keyword is longer than ${MAX_KEYWORD_LENGTH} characters.`);
    }
    if (this.#spellings.size >= MAX_KEYWORDS) {
      throw new StoreError("limit", `The mailbox has ${MAX_KEYWORDS} keywords already.`);
    }
    this.#spellings.set(key, keyword);
    return keyword;
  }

  /** A message's keywords as the index keeps them. */
  textOf(keywords: readonly string[]): string {
    if (keywords.length === 0) return "";
    return [...new Set(keywords.map((keyword) => this.use(keyword)))].sort().join(" ");
  }

  /** Writes the mailbox's list if it grew. */
  save({ db }: Transaction): void {
    if (this.#spellings.size === this.#mailbox.keywords.length) return;
    db.run(
      "UPDATE mailbox SET keywords = ? WHERE id = ?",
      [...this.#spellings.values()].join(" "),
      this.#mailbox.id,
    );
  }
}

/** The keywords of the index's text. */
export function splitKeywords(text: string): string[] {
  return text === "" ? [] : text.split(" ");
}
