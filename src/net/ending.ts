import type { Socket } from "node:net";
import { CLOSE_FLUSH_MS, CLOSE_LINGER_BYTES, CLOSE_LINGER_MS } from "./limits.ts";

/**
 * Ends a socket so that its last bytes arrive: sends what is pending and an end, reads and drops
 * what still comes (a close with unread input would become a reset, which destroys our answer on
 * its way), and closes when the peer has ended too; all for a bounded time and amount. The caller
 * has taken its data listeners off. Never rejects.
 */
export function endPolitely(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    let timer = setTimeout(() => socket.destroy(), CLOSE_FLUSH_MS);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    socket.once("finish", () => {
      clearTimeout(timer);
      if (socket.readableEnded) socket.destroy();
      else timer = setTimeout(() => socket.destroy(), CLOSE_LINGER_MS);
    });
    socket.once("end", () => {
      if (socket.writableFinished) socket.destroy();
    });
    let dropped = 0;
    socket.on("data", (bytes: Uint8Array) => {
      dropped += bytes.length;
      if (dropped > CLOSE_LINGER_BYTES) socket.destroy();
    });
    socket.end();
    socket.resume();
  });
}

/** For sockets whose failures are noticed otherwise: an `error` event nobody hears ends the process. */
export function ignoreError(): void {}
