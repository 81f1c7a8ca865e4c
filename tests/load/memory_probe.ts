/**
 * Loaded into a server before its own code (`deno run --preload`): at SIGUSR2 it collects garbage,
 * which needs `--v8-flags=--expose-gc`, and prints what the process uses as a line of JSON on stderr.
 */
/** What a probed server prints, octets. */
export interface ProbedMemory {
  readonly rss: number;
  readonly heapUsed: number;
  readonly heapTotal: number;
  readonly external: number;
}

const { gc } = globalThis as { gc?: () => void };

Deno.addSignalListener("SIGUSR2", () => {
  gc?.();
  // A second time for what finalizers let go of.
  setTimeout(() => {
    gc?.();
    const line = `memory ${JSON.stringify(Deno.memoryUsage())}\n`;
    Deno.stderr.writeSync(new TextEncoder().encode(line));
  }, 100);
});
