import type { Socket } from "node:net";

/** Connections that are made sure of together, at first and at least. */
const FIRST_ROOM = 1_000;

/** How long after the system had no more room it is asked again. */
const ASK_AGAIN_MS = 60_000;

/** Says how many more sockets, up to `wanted`, there is room for. */
export type RoomCheck = (wanted: number) => number;

/**
 * How many sockets all listeners together may hold. It must stay below the process's limit of open
 * files with room for databases: when accept() fails for want of a descriptor, Deno 2.9.6 never
 * accepts on that port again. A socket over the limit is therefore closed as soon as it is there.
 */
export class ConnectionBudget {
  /** What the configuration allows. */
  readonly max: number;
  readonly #check: RoomCheck;
  /** How many there is room for, as far as was made sure of. */
  #room = 0;
  #askAgainMs = 0;
  #open = 0;

  /** `check` is asked for more room when it is needed, up to `max`. */
  constructor(max: number, check: RoomCheck = (wanted) => wanted) {
    this.max = max;
    this.#check = check;
    this.#makeRoom();
  }

  get open(): number {
    return this.#open;
  }

  /** Connections that are sure to have room. */
  get room(): number {
    return this.#room;
  }

  /** Whether there is room for fewer connections than were asked for, as far as was looked. */
  get isShort(): boolean {
    return this.#askAgainMs > 0 && this.#room < this.max;
  }

  /** Counts a socket until it closes; false, and the socket destroyed, when there is no room. */
  take(socket: Socket): boolean {
    if (this.#open >= this.#room) this.#makeRoom();
    if (this.#open >= this.#room) {
      socket.destroy();
      return false;
    }
    this.#open++;
    socket.once("close", this.#release);
    return true;
  }

  #makeRoom(): void {
    if (this.#room === this.max || performance.now() < this.#askAgainMs) return;
    const wanted = Math.min(this.max - this.#room, Math.max(this.#room, FIRST_ROOM));
    const found = this.#check(wanted);
    this.#room += found;
    if (found < wanted) this.#askAgainMs = performance.now() + ASK_AGAIN_MS;
  }

  #release = (): void => {
    this.#open--;
  };
}
