import { logger, metrics, traced } from "../base/mod.ts";
import {
  type CommandSpec,
  type Completion,
  concernsAdmin,
  ImapError,
  ResponseCut,
  type Session,
  type State,
  storeFailure,
} from "../imap/mod.ts";
import { StoreError } from "../store/mod.ts";
import { WireError } from "../wire/mod.ts";
import type { Heading } from "./literals.ts";
import { ConnectionLost } from "./responder.ts";

const log = logger("session");

/** How a command ended, for the log, the metrics and the count of bad commands. */
export type Outcome =
  | "ok"
  /** NO, for what the client asked for. */
  | "usererror"
  /** BAD. */
  | "badsyntax"
  /** NO, since the store has trouble. */
  | "servererror"
  /** A mistake in this program. */
  | "panic"
  /** The connection ended before the command did. */
  | "ioerror";

/**
 * Runs one framed command to its tagged response: looks it up, checks state and arguments, runs it,
 * tells what others changed, and answers. `refusal` is why its literals were not taken, if so. Only
 * a lost connection gets out of here as an exception.
 */
export function dispatch(
  session: Session,
  heading: Heading,
  refusal: unknown,
): Promise<Outcome> {
  const cmd = heading.spec?.name ?? "other";
  return traced(`IMAP ${cmd}`, async (note) => {
    const outcome = await measured(session, heading, refusal, cmd);
    note({ "postern.result": outcome, "postern.account": session.login?.account.id ?? 0 });
    return outcome;
  });
}

async function measured(
  session: Session,
  heading: Heading,
  refusal: unknown,
  cmd: string,
): Promise<Outcome> {
  const started = performance.now();
  const { tag, name, spec } = heading;
  let outcome: Outcome = "ioerror";
  try {
    let completion: Completion | void;
    try {
      if (refusal !== undefined) throw refusal;
      completion = await run(session, heading);
    } catch (error) {
      const cause = error instanceof ResponseCut ? error.cause : error;
      if (cause instanceof ConnectionLost) throw cause;
      // Work that the end of the connection cut short has not failed.
      if (session.signal.aborted) throw new ConnectionLost();
      if (error instanceof ResponseCut) {
        log.error("{name} failed within a response: {error}", { name, error: cause });
        outcome = cause instanceof StoreError ? "servererror" : "panic";
        if (outcome === "panic") metrics.panic(cause, "session");
        throw new ConnectionLost();
      }
      const failure = describeFailure(error, name);
      outcome = failure.outcome;
      if (spec && outcome !== "badsyntax") await tellChanges(session, spec.catchUp === "all");
      tagged(session, tag, failure.status, failure.code, failure.text);
      return outcome;
    }
    const catchUp = completion?.catchUp ?? spec?.catchUp ?? "none";
    if (catchUp !== "none") {
      await tellChanges(session, catchUp === "all");
      tellHeldBack(session);
    }
    tagged(session, tag, "OK", completion?.code, completion?.text ?? `${name} completed`);
    return outcome = "ok";
  } finally {
    const ms = performance.now() - started;
    metrics.observe("postern_imap_command_duration_seconds", { cmd, result: outcome }, ms / 1000);
    log.debug("{cmd} {outcome} in {ms} ms", { cmd, outcome, ms: Math.round(ms * 100) / 100 });
  }
}

/**
 * Tells what others changed. When that cannot be read now, the command's own answer matters more:
 * what was not told comes with a later command, since the log was not read past it.
 */
async function tellChanges(session: Session, expunge: boolean): Promise<void> {
  try {
    await session.catchUp({ expunge });
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    log.warn("changes by others cannot be read now: {error}", { error });
  }
}

/** Not async: IDLE waits here for hours, and each function that waits takes memory. */
function run(session: Session, heading: Heading): ReturnType<CommandSpec["run"]> {
  const { spec, reader, name } = heading;
  if (!spec) throw new WireError("Unknown command");
  const state = stateOf(session);
  if (!spec.states.includes(state)) {
    throw new WireError(`${name} is not allowed ${WHEN[state]}`);
  }
  if (spec.takesSequenceNumbers && session.modes.uidOnly) {
    throw new WireError("Use the UID form of the command", "UIDREQUIRED");
  }
  const args = spec.parse(reader, session);
  reader.end();
  return spec.run(session, args);
}

const WHEN: Record<State, string> = {
  notAuthenticated: "before login",
  authenticated: "now; select a mailbox or stay logged in as you are",
  selected: "after login",
};

function stateOf(session: Session): State {
  if (!session.login) return "notAuthenticated";
  return session.view ? "selected" : "authenticated";
}

/**
 * When changes were told but expunges with lower mod-sequences held back, a QRESYNC client must not
 * take the highest number it saw for what it knows (RFC 7162 3.2).
 */
function tellHeldBack({ view, modes, out }: Session): void {
  if (modes.qresync && view && !view.pendingExpunges.isEmpty) {
    out.untagged(`OK [HIGHESTMODSEQ ${view.modSeq}] Expunges are held back`);
  }
}

interface Failure {
  readonly outcome: Outcome;
  readonly status: "NO" | "BAD";
  readonly code: string | undefined;
  readonly text: string;
}

function describeFailure(error: unknown, name: string): Failure {
  let refused: Outcome = "usererror";
  if (error instanceof StoreError) {
    if (concernsAdmin(error)) {
      log.error("{name} was refused: {error}", { name, error });
      refused = "servererror";
    }
    error = storeFailure(error);
  }
  if (error instanceof WireError) {
    return { outcome: "badsyntax", status: "BAD", code: error.code, text: error.message };
  }
  if (error instanceof ImapError) {
    const outcome = error.status === "NO" ? refused : "badsyntax";
    return { outcome, status: error.status, code: error.code, text: error.message };
  }
  log.error("{name} failed: {error}", { name, error });
  metrics.panic(error, "session");
  return {
    outcome: "panic",
    status: "NO",
    code: "SERVERBUG",
    text: "The server failed; nothing was changed",
  };
}

function tagged(
  session: Session,
  tag: string,
  status: "OK" | "NO" | "BAD",
  code: string | undefined,
  text: string,
): void {
  session.out.writer.raw(`${tag} ${status} ${code === undefined ? "" : `[${code}] `}${text}\r\n`);
}
