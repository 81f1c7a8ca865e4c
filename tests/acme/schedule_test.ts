import assert from "node:assert/strict";
import { renewalTimeMs, retryDelayMs } from "../../src/acme/schedule.ts";

const DAY = 86_400_000;

Deno.test("a certificate is renewed when a third of its life is left", () => {
  assert.equal(renewalTimeMs({ notBeforeMs: 0, notAfterMs: 90 * DAY }), 60 * DAY);
  assert.equal(renewalTimeMs({ notBeforeMs: 10 * DAY, notAfterMs: 16 * DAY }), 14 * DAY);
});

Deno.test("attempts come ever more rarely, down to three a day, and never all at once", () => {
  const minutes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1000].map((count) => retryDelayMs(count, 0) / 60_000);
  assert.deepEqual(minutes, [5, 10, 20, 40, 80, 160, 320, 480, 480, 480]);
  assert.equal(retryDelayMs(1, 1), 375_000);
  assert.equal(retryDelayMs(1, 0.5), 337_500);
});
