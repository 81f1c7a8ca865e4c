/** A delimiter line: which of the open boundaries it is of, and whether it ends the multipart. */
export interface Delimiter {
  readonly index: number;
  readonly isClose: boolean;
}

/**
 * Which of the boundaries the raw `line`, which begins with "--", delimits; the innermost is last,
 * undefined stands for what has no boundary. The line need only begin with the boundary (RFC 2046
 * 5.1.1); the longest such boundary wins, and of equal ones the innermost.
 */
export function matchDelimiter(
  line: string,
  boundaries: readonly (string | undefined)[],
): Delimiter | undefined {
  let best: Delimiter | undefined;
  let bestLength = 0;
  for (let index = boundaries.length - 1; index >= 0; index--) {
    const boundary = boundaries[index];
    if (boundary === undefined || boundary.length <= bestLength) continue;
    if (!line.startsWith(boundary, 2)) continue;
    best = { index, isClose: line.startsWith("--", 2 + boundary.length) };
    bestLength = boundary.length;
  }
  return best;
}
