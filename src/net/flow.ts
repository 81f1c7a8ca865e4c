import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

/** What Node's and Deno's sockets have below them. */
interface Handle {
  readStop(): number;
  readStart(): number;
}

/**
 * Makes `pause()`, and a full read buffer, hold a TLS peer up. In Deno 2.9.6 they stop the events
 * but not the reading below, and what the peer sends piles up without bound (130 MB in the
 * measurement); stopping the handle of the socket under the TLS one does it.
 */
export function mendTlsFlow(socket: TLSSocket): void {
  const { _handle: upper, _parent: parent } = socket as unknown as {
    _handle?: Handle | null;
    _parent?: { _handle?: Handle | null } | null;
  };
  const lower = parent?._handle;
  if (!upper || !lower || upper === lower) return;
  const { readStop, readStart } = upper;
  upper.readStop = () => {
    lower.readStop();
    return readStop.call(upper);
  };
  upper.readStart = () => {
    lower.readStart();
    return readStart.call(upper);
  };
}

/**
 * From now on reads a socket, which has no TLS of its own, into `buffer` and calls `onBytes` with a
 * view of it, instead of into fresh memory for each read: a gigabyte that passes would leave 400 MB
 * to be collected. Node has this as an option of sockets that connect (`onread`), but not of those
 * that were accepted. False where the internals are not as they were in Deno 2.9.6.
 */
export function readInto(
  socket: Socket,
  buffer: Uint8Array<ArrayBuffer>,
  onBytes: (bytes: Uint8Array<ArrayBuffer>) => void,
): boolean {
  const { _handle: handle } = socket as unknown as {
    _handle?: { useUserBuffer?(buffer: Uint8Array): void } | null;
  };
  const symbols = Object.getOwnPropertySymbols(socket);
  const bufferKey = symbols.find(({ description }) => description === "kBuffer");
  const callbackKey = symbols.find(({ description }) => description === "kBufferCb");
  if (!handle?.useUserBuffer || bufferKey === undefined || callbackKey === undefined) return false;
  Object.assign(socket, {
    [bufferKey]: buffer,
    [callbackKey]: (length: number) => onBytes(buffer.subarray(0, length)),
  });
  handle.useUserBuffer(buffer);
  return true;
}
