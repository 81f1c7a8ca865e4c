import type { RangeSet } from "../base/mod.ts";
import type { Reader } from "../wire/mod.ts";
import type { FetchItem } from "./fetch_items.ts";
import type { Session } from "./session.ts";

/** What a FETCH is going to do. Modifiers (RFC 4466 2.4) change it while they are parsed. */
export interface FetchPlan {
  readonly items: FetchItem[];
  readonly by: "seq" | "uid";
  /** Only messages with a higher mod-sequence (RFC 7162 3.1.4.1). */
  changedSince?: number;
  /** Tell first which of the UIDs are gone (RFC 7162 3.2.6). */
  vanished?: boolean;
  /** Picks some of the messages addressed. */
  pick?: (uids: RangeSet) => RangeSet;
}

/** A FETCH modifier, found by its name. */
export interface FetchModifierSpec {
  /** In capitals. */
  readonly name: string;
  /** Reads the arguments, the space before them included. */
  parse(reader: Reader, plan: FetchPlan, session: Session): void;
}
