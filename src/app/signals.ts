/** Signals that ask this program to stop. */
const STOP_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

/**
 * The first signal to stop. Later ones are ignored, since stopping takes three seconds at most and
 * programs that start us (timeout, deno task) send the same signal once more than they were told to.
 */
export function stopSignal(): Promise<Deno.Signal> {
  return new Promise((resolve) => {
    for (const signal of STOP_SIGNALS) Deno.addSignalListener(signal, () => resolve(signal));
  });
}
