import { accountId, logger } from "../base/mod.ts";
import type { Nudge } from "./notifier.ts";

/** Octets of one line: a kind and an account number need far fewer. */
export const MAX_NUDGE_LINE_BYTES = 64;

/** A process that sends nudges and does not finish in this time is cut off. */
const PEER_TIMEOUT_MS = 5_000;

/** The socket of a running server. */
export interface NudgeListener {
  /** Stops listening and removes the socket's file. */
  close(): Promise<void>;
}

/**
 * Listens on a Unix socket at `path` (mode 0600) for nudges from other processes: one line each,
 * `changed 12` or `security 12`. The server closes the connection once it acted on all of them.
 * A file left by a server that died is replaced. Throws Deno.errors.AddrInUse when another server
 * answers there.
 */
export async function openNudgeListener(
  path: string,
  onNudge: (nudge: Nudge) => void,
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
      receiveNudges(connection, onNudge)
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
    const lines = nudges.map(({ kind, account }) => `${kind} ${account}\n`).join("");
    const bytes = new TextEncoder().encode(lines);
    for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
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

/** A nudge from its line, or undefined when it is not one. */
function parseNudge(line: string): Nudge | undefined {
  const [, kind, number] = /^(changed|security) ([1-9][0-9]{0,15})$/.exec(line) ?? [];
  if (!kind || !Number.isSafeInteger(Number(number))) return undefined;
  return { kind: kind as Nudge["kind"], account: accountId(Number(number)) };
}

async function receiveNudges(
  connection: Deno.Conn,
  onNudge: (nudge: Nudge) => void,
): Promise<void> {
  const timer = setTimeout(() => closeQuietly(connection), PEER_TIMEOUT_MS);
  try {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(4096);
    let text = "";
    for (let count; (count = await connection.read(buffer)) !== null;) {
      text += decoder.decode(buffer.subarray(0, count), { stream: true });
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) {
        const nudge = line.length <= MAX_NUDGE_LINE_BYTES ? parseNudge(line) : undefined;
        if (!nudge) return logger("notify").warn("a process sent a line that is no nudge");
        onNudge(nudge);
      }
      if (text.length > MAX_NUDGE_LINE_BYTES) {
        return logger("notify").warn("a process sent a line that is too long for a nudge");
      }
    }
  } finally {
    clearTimeout(timer);
    closeQuietly(connection);
  }
}

async function connectToServer(path: string): Promise<Deno.UnixConn | undefined> {
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

function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // Closed already, by the timer or the other end of the function.
  }
}
