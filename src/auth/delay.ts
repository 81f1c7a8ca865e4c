import { MAX_DELAY_MS } from "./limits.ts";

/**
 * How long an answer on a connection with so many failed logins before is held back, in
 * milliseconds: the third attempt waits one second, each further one a second more, up to
 * `MAX_DELAY_MS`. Right and wrong answers wait alike.
 */
export function answerDelayMs(failuresBefore: number): number {
  return Math.min(Math.max(0, failuresBefore - 1) * 1000, MAX_DELAY_MS);
}
