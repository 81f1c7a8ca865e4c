import { SystemFlag } from "../store/mod.ts";

/** Letters of flags in the two formats, in the order in which they are written. */
export const MAILDIR_FLAGS: readonly (readonly [letter: string, flag: number])[] = [
  ["D", SystemFlag.draft],
  ["F", SystemFlag.flagged],
  ["R", SystemFlag.answered],
  ["S", SystemFlag.seen],
  ["T", SystemFlag.deleted],
];
export const STATUS_FLAGS: readonly (readonly [letter: string, flag: number])[] = [
  ["R", SystemFlag.seen],
];
export const X_STATUS_FLAGS: readonly (readonly [letter: string, flag: number])[] = [
  ["A", SystemFlag.answered],
  ["F", SystemFlag.flagged],
  ["T", SystemFlag.draft],
  ["D", SystemFlag.deleted],
];

export function lettersOf(
  flags: number,
  table: readonly (readonly [letter: string, flag: number])[],
): string {
  return table.filter(([, flag]) => flags & flag).map(([letter]) => letter).join("");
}

export function flagsOf(
  letters: string,
  table: readonly (readonly [letter: string, flag: number])[],
): number {
  return table.reduce(
    (flags, [letter, flag]) => letters.includes(letter) ? flags | flag : flags,
    0,
  );
}
