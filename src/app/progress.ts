import process from "node:process";

/** Shows how far a long command is. */
export interface ProgressDisplay {
  /** `done` of `total` units of what `name` says. */
  update(name: string, done: number, total: number): void;
  /** Clears the display, so that what is printed next stands alone. */
  end(): void;
}

/** Updates that come sooner after the last one are not shown. */
const SHOWN_EACH_MS = 100;

/** A bar on standard error if a person looks at it, and else nothing. */
export async function showProgress(): Promise<ProgressDisplay> {
  if (!Deno.stderr.isTerminal()) return { update: () => {}, end: () => {} };
  // Only people wait for it: scripts do not load it.
  const { Presets, SingleBar } = await import("cli-progress");
  const bar = new SingleBar({
    format: "{name} {bar} {percentage}% {value}/{total}, {eta_formatted} left",
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
  }, Presets.shades_classic);
  let shown: string | undefined;
  let shownAt = 0;
  return {
    update(name, done, total) {
      const now = Date.now();
      if (name !== shown) {
        if (shown !== undefined) bar.stop();
        bar.start(Math.max(total, 1), done, { name });
        shown = name;
      } else if (done < total && now - shownAt < SHOWN_EACH_MS) return;
      shownAt = now;
      bar.setTotal(Math.max(total, 1));
      bar.update(done, { name });
    },
    end() {
      if (shown !== undefined) bar.stop();
      shown = undefined;
    },
  };
}
