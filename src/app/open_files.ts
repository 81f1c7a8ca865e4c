/**
 * How many connections fit into the process's limit of open files. It must never be reached: when
 * accept() fails for want of a descriptor, Deno 2.9.6 never accepts on that port again.
 */

/** For databases (256 accounts of three files), the files of a start, and what commands open. */
const FILES_RESERVE = 1_000;

/**
 * For each listener: Deno accepts up to 128 connections before the first of them can be closed for
 * want of room, and as many again before that one is really gone.
 */
const FILES_PER_LISTENER = 256;

/** Fewer connections than this are no server. */
export const MIN_CONNECTIONS = 50;

/** The limit of open files of this process; undefined where the system does not tell. */
export async function readOpenFilesLimit(): Promise<number | undefined> {
  try {
    const limits = await Deno.readTextFile("/proc/self/limits");
    const limit = Number(/^Max open files +(\d+)/m.exec(limits)?.[1]);
    return Number.isNaN(limit) ? undefined : limit;
  } catch {
    return undefined;
  }
}

/** How many connections may be open: as many as are `wanted`, if the limit of files allows. */
export function connectionsThatFit(
  wanted: number,
  openFilesLimit: number | undefined,
  listenerCount: number,
): number {
  if (openFilesLimit === undefined) return wanted;
  return Math.min(wanted, openFilesLimit - FILES_RESERVE - FILES_PER_LISTENER * listenerCount);
}
