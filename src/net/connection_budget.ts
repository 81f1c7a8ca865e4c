import type { Socket } from "node:net";

/**
 * How many sockets all listeners together may hold. It must stay below the process's limit of open
 * files with room for databases: when accept() fails for want of a descriptor, Deno 2.9.6 never
 * accepts on that port again. A socket over the limit is therefore closed as soon as it is there.
 */
export class ConnectionBudget {
  readonly max: number;
  #open = 0;

  constructor(max: number) {
    this.max = max;
  }

  get open(): number {
    return this.#open;
  }

  /** Counts a socket until it closes; false, and the socket destroyed, when there is no room. */
  take(socket: Socket): boolean {
    if (this.#open >= this.max) {
      socket.destroy();
      return false;
    }
    this.#open++;
    socket.once("close", this.#release);
    return true;
  }

  #release = (): void => {
    this.#open--;
  };
}
