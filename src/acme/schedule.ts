/** When a certificate is fetched, as functions of times. All in milliseconds. */
import { FIRST_RETRY_MS, LONGEST_RETRY_MS } from "./limits.ts";

/** The time from which a certificate should be renewed: with a third of its life left. */
export function renewalTimeMs(certificate: { notBeforeMs: number; notAfterMs: number }): number {
  const { notBeforeMs, notAfterMs } = certificate;
  return notAfterMs - (notAfterMs - notBeforeMs) / 3;
}

/**
 * How long to wait after so many failures in a row (at least one). `random`, from 0 to 1, makes it
 * up to a quarter longer, so that those whom one breakdown stopped do not all return at once.
 */
export function retryDelayMs(failures: number, random: number): number {
  const delay = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LONGEST_RETRY_MS);
  return Math.round(delay * (1 + random / 4));
}
