import { Latch } from "../../base/mod.ts";
import { stopSignal } from "../signals.ts";
import { writeStdout } from "../terminal.ts";
import type { ViewSize } from "./top_view.ts";

/** The terminal's other screen, no cursor; and back. */
const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

/** Keys that leave: q, Q, Ctrl-C, which is a key where input is raw, and Ctrl-D. */
const LEAVE_KEYS: ReadonlySet<number> = new Set([0x71, 0x51, 0x03, 0x04]);

/** The whole terminal, for a view that is drawn again and again. */
export interface Screen {
  readonly size: ViewSize;
  /** Whether the user wants no more. */
  readonly isLeft: boolean;
  /** Draws what it gives for the present size, now and whenever the size changes. */
  draw(render: (size: ViewSize) => readonly string[]): void;
  /** Resolves when the time is over or the user leaves. */
  wait(ms: number): Promise<void>;
  /** Gives the terminal back as it was. */
  close(): void;
}

/** Takes the terminal over; whoever calls this also calls `close`, whatever happens. */
export function openScreen(): Screen {
  const wake = new Latch();
  const isRaw = Deno.stdin.isTerminal();
  let isLeft = false;
  let isClosed = false;
  let render: (size: ViewSize) => readonly string[] = () => [];
  const leave = () => {
    isLeft = true;
    wake.set();
  };
  const size = (): ViewSize => Deno.consoleSize();
  const paint = () => {
    const now = size();
    const lines = render(now).slice(0, now.rows);
    writeStdout(HOME + lines.map((line) => line + CLEAR_LINE).join("\r\n") + CLEAR_BELOW);
  };
  const onResize = () => !isClosed && paint();
  void stopSignal().then(leave);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGWINCH", onResize);
  if (isRaw) {
    Deno.stdin.setRaw(true);
    void (async () => {
      const keys = new Uint8Array(64);
      for (let count; !isClosed && (count = await Deno.stdin.read(keys)) !== null;) {
        if (keys.subarray(0, count).some((key) => LEAVE_KEYS.has(key))) return leave();
      }
    })();
  }
  writeStdout(ENTER);
  return {
    get size() {
      return size();
    },
    get isLeft() {
      return isLeft;
    },
    draw(next) {
      render = next;
      paint();
    },
    async wait(ms) {
      const timer = setTimeout(() => wake.set(), ms);
      await wake.wait();
      clearTimeout(timer);
    },
    close() {
      isClosed = true;
      if (Deno.build.os !== "windows") Deno.removeSignalListener("SIGWINCH", onResize);
      if (isRaw) Deno.stdin.setRaw(false);
      writeStdout(LEAVE);
    },
  };
}
