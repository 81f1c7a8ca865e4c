import { z } from "zod";
import { join } from "node:path";
import { ROOMS } from "../../base/mod.ts";
import { type Finding, type HostStatus, type LiveConnection, LOG_LEVELS } from "../../web/mod.ts";
import type { TraceLine } from "../live/tracer.ts";

/**
 * How commands speak with a running server: a line of JSON asks, a line of JSON answers, and the
 * connection may be used again; only a trace goes on until the command ends it. Rises with each
 * change that an older side would misunderstand.
 */
export const PROTOCOL_VERSION = 1;

/** The socket of the server that runs on a data directory. */
export function controlSocketPath(dataDir: string): string {
  return join(dataDir, "control.sock");
}

const level = z.enum(LOG_LEVELS);
const room = z.enum(ROOMS);

export const REQUEST = z.discriminatedUnion("command", [
  z.strictObject({ command: z.literal("status") }),
  z.strictObject({
    command: z.literal("connections"),
    limit: z.int().min(1).max(100_000).optional(),
  }),
  z.strictObject({ command: z.literal("end"), connection: z.int() }),
  z.strictObject({ command: z.literal("logLevels") }),
  z.strictObject({
    command: z.literal("setLogLevel"),
    /** Null: back to what holds without. */
    level: level.nullable(),
    room: room.optional(),
  }),
  z.strictObject({ command: z.literal("trace"), account: z.int().min(1) }),
]);

export type Request = z.infer<typeof REQUEST>;
export type RequestOf<Name extends Request["command"]> = Extract<Request, { command: Name }>;

/** What each request is answered with. */
export interface Results {
  readonly status: { readonly status: HostStatus; readonly findings: readonly Finding[] };
  readonly connections: {
    /** Those that run a command first, then the youngest. */
    readonly connections: readonly LiveConnection[];
    /** All there are, also those that are left out. */
    readonly total: number;
    readonly loggedIn: number;
    readonly idle: number;
    /** Those that run another command than IDLE. */
    readonly running: number;
    /** Octets in all, of connections that are open now. */
    readonly bytesIn: number;
    readonly bytesOut: number;
  };
  readonly end: { readonly isEnded: boolean };
  readonly logLevels: { readonly level: string; readonly rooms: Readonly<Record<string, string>> };
  readonly setLogLevel: Results["logLevels"];
  /** Lines follow. */
  readonly trace: Record<string, never>;
}

export type Answer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: string };

/** What follows the answer to `trace`, line by line. */
export type TraceMessage = TraceLine | {
  /** How many lines were left out here, since nobody read them in time. */
  readonly omitted: number;
};
