import { logger } from "../base/mod.ts";
import type { Notifier, Nudge } from "./notifier.ts";
import { readNudgeLines, writeNudgeLines } from "./nudge_line.ts";
import { tellWatcher } from "./nudge_watch.ts";

/** A process that sends nudges and does not finish in this time is cut off. */
const PEER_TIMEOUT_MS = 5_000;

/** The socket of a running server. */
export interface NudgeListener {
  /** Stops listening and removes the socket's file. */
  close(): Promise<void>;
}

/**
 * Listens on a Unix socket at `path` (mode 0600) for nudges from other processes: one line each,
 * `changed 12` or `security 12`. The server closes the connection once it acted on all of them. A
 * process that sends `watch 12` stays connected and is told of the account in the same form.
 * A file left by a server that died is replaced. Throws Deno.errors.AddrInUse when another server
 * answers there.
 */
export async function openNudgeListener(
  path: string,
  notifier: Notifier,
): Promise<NudgeListener> {
  await removeStaleSocket(path);
  const listener = Deno.listen({ transport: "unix", path });
  try {
    await Deno.chmod(path, 0o600);
  } catch (error) {
    listener.close();
    throw error;
  }
  const open = new Set<Deno.Conn>();
  const accepting = (async () => {
    for await (const connection of listener) {
      open.add(connection);
      receiveNudges(connection, notifier)
        .catch((error) => logger("notify").debug("nudge connection failed: {error}", { error }))
        .finally(() => open.delete(connection));
    }
  })();
  return {
    async close() {
      listener.close();
      for (const connection of open) closeQuietly(connection);
      await accepting;
      await Deno.remove(path).catch((error) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      });
    },
  };
}

/**
 * Tells the server that listens at `path`, and waits until it acted on every nudge. False when no
 * server runs there; true otherwise, also when it did not answer within five seconds.
 */
export async function sendNudges(path: string, nudges: readonly Nudge[]): Promise<boolean> {
  const connection = await connectToServer(path);
  if (!connection) return false;
  const timer = setTimeout(() => closeQuietly(connection), PEER_TIMEOUT_MS);
  try {
    await writeNudgeLines(connection, nudges);
    await connection.closeWrite();
    const buffer = new Uint8Array(1);
    while (await connection.read(buffer) !== null);
  } catch (error) {
    // The server stopped meanwhile, or is stuck: lost means late.
    logger("notify").debug("nudge not confirmed: {error}", { error });
  } finally {
    clearTimeout(timer);
    closeQuietly(connection);
  }
  return true;
}

async function receiveNudges(connection: Deno.Conn, notifier: Notifier): Promise<void> {
  const timer = setTimeout(() => closeQuietly(connection), PEER_TIMEOUT_MS);
  let leave: (() => void) | undefined;
  try {
    for await (const { kind, account } of readNudgeLines(connection)) {
      if (kind !== "watch") notifier.nudge(account, kind);
      else if (leave) throw new TypeError("a process watches twice on one connection");
      else {
        clearTimeout(timer);
        leave = tellWatcher(connection, account, notifier);
      }
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    logger("notify").warn("{reason}", { reason: error.message });
  } finally {
    leave?.();
    clearTimeout(timer);
    closeQuietly(connection);
  }
}

export async function connectToServer(path: string): Promise<Deno.UnixConn | undefined> {
  try {
    return await Deno.connect({ transport: "unix", path });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof Deno.errors.ConnectionRefused) return undefined;
    throw error;
  }
}

async function removeStaleSocket(path: string): Promise<void> {
  const connection = await connectToServer(path);
  if (connection) {
    closeQuietly(connection);
    throw new Deno.errors.AddrInUse(`a server is already listening at ${path}`);
  }
  try {
    if (!(await Deno.lstat(path)).isSocket) return;
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

export function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // Closed already, by the timer or the other end of the function.
  }
}
