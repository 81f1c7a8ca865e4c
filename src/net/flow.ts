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
