import type { Random } from "./mutate.ts";

/** Something that takes bytes of strangers. */
export interface Target {
  readonly name: string;
  readonly corpus: readonly Uint8Array[];
  readonly tokens: readonly Uint8Array[];
  /** Most processor time for one input, in milliseconds: beyond it there is a finding. */
  readonly maxMs: number;
  /** Tries one input. Throws what is a finding; the refusals that are meant it catches. */
  run(input: Uint8Array, random: Random): void | Promise<void>;
  close?(): Promise<void>;
}

/** Runs `work`; an error that `isRefusal` knows is as good as success. Gives whether it succeeded. */
export function allows(isRefusal: (error: unknown) => boolean, work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}
