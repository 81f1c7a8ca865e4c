import { randomLetters } from "../base/mod.ts";

/** A password of about 99 bits: four groups of five letters, easy to type on a phone. */
export function generatePassword(): string {
  return Array.from({ length: 4 }, () => randomLetters(5)).join("-");
}
