import type { Socket } from "node:net";

/** What Node's and Deno's sockets have below them. */
interface Flowing {
  readonly _parent?: Flowing | null;
  readonly _handle?: { readStop?(): unknown; readStart?(): unknown } | null;
}

/**
 * Stops taking input, so that the peer's sending stalls. In Deno 2.9.6 `pause()` on a TLS socket
 * stops the events but not the reading, and what a peer sends piles up without bound: the handle
 * of the socket below must be stopped too.
 */
export function pauseReading(socket: Socket): void {
  socket.pause();
  (socket as Flowing)._parent?._handle?.readStop?.();
}

/** Takes input again. */
export function resumeReading(socket: Socket): void {
  (socket as Flowing)._parent?._handle?.readStart?.();
  socket.resume();
}
