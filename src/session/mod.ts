/**
 * session: one connection's life. Laws: bytes are framed before anything is parsed; one command at
 * a time, answered in order; what others changed is told only where the protocol allows it, and
 * never out of order; one place catches, and turns each kind of failure into its response; a slow
 * or absent client costs a bounded amount of memory; view and updates are pure.
 */
export { type LiveSession, serveConnection } from "./connection.ts";
export type { HostLogin } from "./identity.ts";
export { DEFAULT_TIMES, type SessionTimes } from "./limits.ts";
export type { NudgeSource, SessionServices } from "./services.ts";
