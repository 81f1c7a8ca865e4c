import { isSpace } from "./raw_text.ts";

/** A delimiter line: which of the open boundaries it is of, and whether it ends the multipart. */
export interface Delimiter {
  readonly index: number;
  readonly isClose: boolean;
}

/**
 * Which of the boundaries the raw `line`, which begins with "--", delimits; the innermost is last,
 * undefined stands for what has no boundary. The exact boundary wins; failing that, the longest
 * that the line begins with, since RFC 2046 5.1.1 asks for no more than that.
 */
export function matchDelimiter(
  line: string,
  boundaries: readonly (string | undefined)[],
): Delimiter | undefined {
  let end = line.length;
  while (end > 2 && isSpace(line.charCodeAt(end - 1))) end--;
  let best: Delimiter | undefined;
  let bestLength = 0;
  for (let index = boundaries.length - 1; index >= 0; index--) {
    const boundary = boundaries[index];
    if (boundary === undefined || !line.startsWith(boundary, 2)) continue;
    const after = 2 + boundary.length;
    const isClose = line.startsWith("--", after);
    if (end === after || (isClose && end === after + 2)) return { index, isClose };
    if (boundary.length > bestLength) {
      best = { index, isClose };
      bestLength = boundary.length;
    }
  }
  return best;
}
