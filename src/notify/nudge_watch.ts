import { type AccountId, Latch, logger } from "../base/mod.ts";
import type { Notifier, NudgeKind } from "./notifier.ts";
import { readNudgeLines, writeNudgeLines } from "./nudge_line.ts";
import { closeQuietly, connectToServer } from "./nudge_socket.ts";

/** How long a watcher waits before it looks again for a server that is not there. */
const RETRY_MS = 1_000;

/** The line to a running server of a process that has sessions of its own. */
export interface NudgeWatch {
  /** Tells the server, and through it every other process, that this one changed the account. */
  tell(kind: NudgeKind): void;
  /** Ends it, once what was told is on its way. */
  close(): Promise<void>;
}

/**
 * Hears of an account through the server that listens at `path`, and tells it of changes. A server
 * that is not there, or goes away, is looked for again and again; what is told meanwhile is late.
 */
export function watchNudges(
  path: string,
  account: AccountId,
  onNudge: (kind: NudgeKind) => void,
): NudgeWatch {
  const outbox = new Outbox();
  const rest = new Latch();
  let connection: Deno.Conn | undefined;
  let isClosed = false;

  const listen = async () => {
    const server = await connectToServer(path);
    if (!server) return;
    try {
      await writeNudgeLines(server, [{ kind: "watch", account }]);
      // Closed before there was a connection: nobody else would close this one.
      if (isClosed) {
        await outbox.sendTo(server, account);
        return;
      }
      // Whatever happened before this is not told any more.
      onNudge("changed");
      connection = server;
      void outbox.sendTo(server, account);
      for await (const { kind } of readNudgeLines(server)) if (kind !== "watch") onNudge(kind);
    } finally {
      connection = undefined;
      closeQuietly(server);
    }
  };
  const listening = (async () => {
    while (!isClosed) {
      await listen().catch((error) => logger("notify").debug("no watch: {error}", { error }));
      if (isClosed) return;
      const timer = setTimeout(() => rest.set(), RETRY_MS);
      await rest.wait();
      clearTimeout(timer);
    }
  })();
  return {
    tell(kind) {
      outbox.add(kind);
      if (connection) void outbox.sendTo(connection, account);
    },
    async close() {
      isClosed = true;
      rest.set();
      await outbox.idle;
      if (connection) closeQuietly(connection);
      await listening;
    },
  };
}

/** Tells the process at the other end of what happens to the account; gives what ends it. */
export function tellWatcher(
  connection: Deno.Conn,
  account: AccountId,
  notifier: Pick<Notifier, "subscribe">,
): () => void {
  const outbox = new Outbox();
  return notifier.subscribe(account, (kind) => {
    outbox.add(kind);
    void outbox.sendTo(connection, account);
  });
}

/** Kinds of nudges that are still to be written: a peer that does not read costs no memory. */
class Outbox {
  #kinds = new Set<NudgeKind>();
  /** Resolves when nothing is being written. */
  idle: Promise<void> = Promise.resolve();
  #isSending = false;

  add(kind: NudgeKind): void {
    this.#kinds.add(kind);
  }

  /** Writes what is there and what comes meanwhile. Never rejects. */
  sendTo(connection: Deno.Conn, account: AccountId): Promise<void> {
    if (!this.#isSending) this.idle = this.#send(connection, account);
    return this.idle;
  }

  async #send(connection: Deno.Conn, account: AccountId): Promise<void> {
    this.#isSending = true;
    try {
      while (this.#kinds.size > 0) {
        const lines = [...this.#kinds].map((kind) => ({ kind, account }));
        this.#kinds.clear();
        await writeNudgeLines(connection, lines);
      }
    } catch (error) {
      logger("notify").debug("a nudge was not written: {error}", { error });
    } finally {
      this.#isSending = false;
    }
  }
}
