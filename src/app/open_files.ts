/**
 * How many connections fit into the process's limit of open files. It must never be reached: when
 * accept() fails for want of a descriptor, Deno 2.9.6 never accepts on that port again.
 */
import { logger } from "../base/mod.ts";
import { ConnectionBudget } from "../net/mod.ts";
import { isSystemError } from "./describe_error.ts";
import { Failure } from "./failure.ts";

const log = logger("app");

/** For databases (256 accounts of three files), the files of a start, and what commands open. */
const FILES_RESERVE = 1_000;

/**
 * For each listener: Deno accepts up to 128 connections before the first of them can be closed for
 * want of room, and as many again before that one is really gone.
 */
const FILES_PER_LISTENER = 256;

/** Fewer connections than this are no server. */
const MIN_CONNECTIONS = 50;

/** Room for connections, within what the process may open. Throws Failure when it is next to none. */
export function openBudget(maxConnections: number, listenerCount: number): ConnectionBudget {
  const reserve = FILES_RESERVE + FILES_PER_LISTENER * listenerCount;
  const budget = new ConnectionBudget(maxConnections, (wanted) => {
    const openable = countOpenable(wanted + reserve);
    if (openable < wanted + reserve) {
      log.warn(
        "limits.max_connections is {maxConnections}, but the limit of open files leaves room for " +
          "only {room} more: raise it (ulimit -n, or LimitNOFILE of the systemd unit)",
        { maxConnections, room: Math.max(0, openable - reserve) },
      );
    }
    return Math.max(0, openable - reserve);
  });
  if (budget.room < Math.min(maxConnections, MIN_CONNECTIONS)) {
    throw new Failure(
      "the process may open too few files: raise the limit (ulimit -n, or LimitNOFILE of the " +
        `systemd unit) to ${maxConnections + reserve}, or to ${MIN_CONNECTIONS + reserve} at least`,
    );
  }
  return budget;
}

/**
 * How many more files the process may open, up to `wanted`, found out by opening them: Deno shows
 * the limit (/proc/self/limits) only to programs with all permissions. Four microseconds each, in
 * one go, so that nothing else can meet the end of the limit.
 */
export function countOpenable(wanted: number): number {
  const files: Deno.FsFile[] = [];
  try {
    while (files.length < wanted) {
      files.push(Deno.openSync(Deno.build.os === "windows" ? "NUL" : "/dev/null"));
    }
  } catch (error) {
    // EMFILE: the process's limit; ENFILE: the system's.
    if (!isSystemError(error) || !/^E[MN]FILE$/.test(String((error as { code?: string }).code))) {
      throw error;
    }
  } finally {
    for (const file of files) file.close();
  }
  return files.length;
}
