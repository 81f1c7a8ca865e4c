import { connect, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Bytes } from "../base/mod.ts";
import type { ConnectionBudget } from "./connection_budget.ts";
import { endPolitely, ignoreError } from "./ending.ts";
import { readInto } from "./flow.ts";
import {
  CLOSE_LINGER_BYTES,
  KEEP_ALIVE_MS,
  RELAY_BUFFER,
  RELAY_BULK,
  RELAY_CONNECT_MS,
} from "./limits.ts";
import { NetError } from "./net_error.ts";

/**
 * Connects to a relay's target; the socket counts in `budget` from the start. Rejects with NetError
 * `closed` or `timeout`.
 */
export function connectTarget(
  host: string,
  port: number,
  budget: ConnectionBudget | undefined,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true });
    socket.on("error", ignoreError);
    if (budget?.take(socket) === false) {
      reject(new NetError("closed", "no room for a relayed connection"));
      return;
    }
    const fail = (error: NetError) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const onError = (cause: Error) =>
      fail(new NetError("closed", `cannot reach ${host}:${port}: ${cause.message}`, { cause }));
    const timer = setTimeout(
      () => fail(new NetError("timeout", `no answer from ${host}:${port}`)),
      RELAY_CONNECT_MS,
    );
    socket.once("error", onError);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.off("error", onError);
      socket.setNoDelay(true);
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      resolve(socket);
    });
  });
}

/**
 * Copies bytes both ways until both sides have ended, `first` before what the client sends next.
 * Reads no faster than the other side takes; passes on an end and keeps the other direction open;
 * a side that fails takes the other with it, after what it had sent.
 */
export function relay(client: Socket, target: Socket, first: Bytes): void {
  if (first.length > 0) target.write(first);
  copy(client, target);
  copy(target, client);
}

function copy(from: Socket, to: Socket): void {
  if (from.destroyed) {
    void endPolitely(to);
    return;
  }
  if (from.readableEnded) to.end();
  else forward(from, to);
  from.once("close", () => void endPolitely(to));
}

/** Writes to one socket what comes from the other, at the pace of the slower. */
function forward(from: Socket, to: Socket): void {
  let forwarded = 0;
  let isBulk = from instanceof TLSSocket;
  from.on("data", (bytes: Uint8Array) => {
    if (to.destroyed) return;
    if (!to.write(bytes)) {
      from.pause();
      to.once("drain", () => from.resume());
    }
    forwarded += bytes.length;
    if (isBulk || forwarded < RELAY_BULK) return;
    isBulk = true;
    let dropped = 0;
    readInto(from, new Uint8Array(RELAY_BUFFER), (piece) => {
      if (to.destroyed) {
        // As `endPolitely` does, which sees nothing of these bytes.
        dropped += piece.length;
        if (dropped > CLOSE_LINGER_BYTES) from.destroy();
        return;
      }
      // The buffer is free again when the system has taken all of it.
      from.pause();
      to.write(piece, () => from.resume());
    });
  });
  from.once("end", () => to.end());
  from.resume();
}
