import { lstatSync, unlinkSync } from "node:fs";
import { connect } from "node:net";
import { NetError } from "./net_error.ts";

/**
 * Removes the socket file that a server which died has left, so that the path can be bound again.
 * Throws NetError: `in_use` when somebody listens there, `address` when it is no socket.
 */
export async function clearStaleSocket(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new NetError(
      "address",
      `${path} exists and is not a socket: remove it or choose another`,
    );
  }
  if (await answers(path)) {
    throw new NetError("in_use", `another program listens on unix:${path}`);
  }
  unlinkSync(path);
}

/** Whether somebody listens on the socket. A failure other than a refusal counts as yes. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", (error: Error & { code?: string }) => {
      resolve(error.code !== "ECONNREFUSED" && error.code !== "ENOENT");
    });
  });
}

/** Removes a socket file that we made, if it is still there. */
export function removeSocket(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOENT") throw error;
  }
}
