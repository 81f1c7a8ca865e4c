import type { ContentColumn, MessageRow } from "../store/mod.ts";
import type { Reader } from "../wire/mod.ts";
import type { Session } from "./session.ts";

/** A kind of FETCH data item (RFC 9051 6.4.5), found by the word it begins with. */
export interface FetchItemSpec {
  /** In capitals, up to the first "[" or " ". */
  readonly name: string;
  /** Reads what follows the name: a section, a partial range, or nothing. */
  parse(reader: Reader, session: Session): FetchItem;
}

/** One item asked for by a FETCH. */
export interface FetchItem {
  readonly columns: readonly ContentColumn[];
  /** Fetching it sets \Seen (RFC 9051 6.4.5: BODY[section], not PEEK). */
  readonly setsSeen?: boolean;
  /** Fetching it turns CONDSTORE on (RFC 7162 3.1.5). */
  readonly enablesCondstore?: boolean;
  /** Shows flags, whose keywords must be announced before the response begins. */
  readonly usesFlags?: boolean;
  /** Items by the same key are answered once. */
  readonly key: string;
  /**
   * Writes name and value into `session.out.writer`. May throw ImapError: the item is then
   * answered as far as it goes and the FETCH ends with that NO, after all other items.
   */
  write(row: MessageRow, session: Session): void | Promise<void>;
}

/** An item that is a name and a value written from the row's own columns. */
export function simpleItem(
  name: string,
  columns: readonly ContentColumn[],
  write: (row: MessageRow, session: Session) => void,
): FetchItemSpec {
  const item: FetchItem = {
    key: name,
    columns,
    write(row, session) {
      session.out.writer.raw(`${name} `);
      write(row, session);
    },
  };
  return { name, parse: () => item };
}
