import type { Clock } from "../base/mod.ts";
import { Failure } from "./failure.ts";

/** This program is younger than this. */
const WRITTEN_AFTER_MS = Date.UTC(2026, 10, 1);

/**
 * Throws Failure when the machine's clock cannot be right: mail would be stored with dates that are
 * wrong for good, and no certificate would hold.
 */
export function needPlausibleClock(clock: Clock): void {
  const now = clock.now();
  if (now >= WRITTEN_AFTER_MS) return;
  throw new Failure(
    `this machine's clock says ${new Date(now).toISOString()}, which is before this program was ` +
      "written: set it (timedatectl set-ntp true), then start again",
  );
}
