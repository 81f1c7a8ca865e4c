import type { Frame, LiteralHeader, Reader } from "../wire/mod.ts";
import type { Session } from "./session.ts";

/** States in which a command may be given (RFC 9051 3). */
export type State = "notAuthenticated" | "authenticated" | "selected";

export const ANY_STATE: readonly State[] = ["notAuthenticated", "authenticated", "selected"];
export const LOGGED_IN: readonly State[] = ["authenticated", "selected"];
export const SELECTED: readonly State[] = ["selected"];

/**
 * What others changed that may be told at the end of a command: all of it, all but expunges because
 * the client may have sequence numbers under way (RFC 9051 7.5.1), or nothing.
 */
export type CatchUp = "all" | "noExpunge" | "none";

/** What the tagged OK says beside OK. */
export interface Completion {
  /** Response code without brackets. */
  readonly code?: string;
  readonly text?: string;
  /** Takes the place of the command's `catchUp` where that depends on the arguments. */
  readonly catchUp?: CatchUp;
}

/** Takes a literal that is not held in memory; what `end` gives stands in its place in the frame. */
export interface LiteralReceiver {
  write(bytes: Uint8Array): Promise<void>;
  end(): Promise<unknown>;
  /** Called after the command, whatever came of it; harmless when the literal was used. */
  discard(): Promise<void>;
}

/** One command: declared here, looked up, checked and run by `session/dispatch`. */
export interface CommandSpec<Args = unknown> {
  /** In capitals; "UID FETCH" for the UID form. */
  readonly name: string;
  readonly states: readonly State[];
  readonly rfc: string;
  readonly catchUp: CatchUp;
  /** Takes sequence numbers, and so is refused under UIDONLY (RFC 9586 3.3). */
  readonly takesSequenceNumbers?: boolean;
  /** Reads what follows the name, the space before it included. Throws WireError. */
  parse(reader: Reader, session: Session): Args;
  /** Does it. Throws ImapError, or StoreError, which `store_failure.ts` translates. */
  run(session: Session, args: Args): Completion | void | Promise<Completion | void>;
  /**
   * Called at each literal, before a continuation request is sent, with what was received up to it.
   * Gives where the literal goes, or undefined to hold it in memory; throws to refuse the command.
   */
  receiveLiteral?(
    session: Session,
    frame: Frame,
    literal: LiteralHeader,
  ): Promise<LiteralReceiver | undefined>;
}

/** Keeps the argument type between `parse` and `run`, and forgets it for the table. */
export function command<Args>(spec: CommandSpec<Args>): CommandSpec {
  return spec as CommandSpec;
}

/** `parse` of a command without arguments. */
export function noArguments(): undefined {
  return undefined;
}
