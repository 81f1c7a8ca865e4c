/** Octets of one request: the longest has an account's number. */
export const MAX_REQUEST_BYTES = 4_096;
/** Octets of one answer that a command takes: 20,000 connections come to about 8 MB. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** Commands that are connected at once; each costs a descriptor. */
export const MAX_CLIENTS = 32;
/** A client that neither asks nor traces for so long is cut off. */
export const CLIENT_IDLE_MS = 300_000;
/** Octets of a trace that wait for a reader who is slow; what comes then is counted alone. */
export const MAX_WAITING_BYTES = 1024 * 1024;
/** How long a client may take to read one answer. */
export const WRITE_TIMEOUT_MS = 30_000;
/** Connections that one answer has in it, unless more are asked for. */
export const DEFAULT_CONNECTIONS = 1_000;
