import { MAX_PREVIEW_CHARACTERS, MAX_PREVIEW_SOURCE } from "./limits.ts";
import { cutText } from "./raw_text.ts";

const ELLIPSIS = "[...]";

/** Marks that mail is padded with so that previews show nothing else. */
const INVISIBLE = /[\u00ad\u034f\u061c\u200b\u200e\u200f\u2060\ufeff]|\u200c(?=\s|$|\u034f)/g;

/**
 * A preview (RFC 8970 3.3) of decoded plain text: quoted lines and the "On … wrote:" before them
 * become "[...]", the signature goes, white space is one space, at most 256 characters; "" when
 * nothing is left.
 */
export function makePreview(text: string): string {
  const lines: string[] = [];
  let length = 0;
  let skipped = false;
  const source = cutText(text, MAX_PREVIEW_SOURCE).split(/\r\n|\n|\r/);
  for (let index = 0; index < source.length; index++) {
    const raw = source[index] ?? "";
    if (/^-- ?$/.test(raw)) break;
    const line = raw.replace(INVISIBLE, "").trim();
    if (line === "") continue;
    const attribution = attributionLines(source, index);
    if (line.startsWith(">") || attribution > 0) {
      if (!skipped) lines.push(ELLIPSIS);
      skipped = true;
      index += Math.max(0, attribution - 1);
      continue;
    }
    skipped = false;
    lines.push(line);
    length += line.length;
    // Twice: characters outside the Basic Multilingual Plane take two units, and spaces collapse.
    if (length > 8 * MAX_PREVIEW_CHARACTERS) break;
  }
  if (lines.every((line) => line === ELLIPSIS)) return "";
  const characters = [...cutText(lines.join(" "), 64 * 1024).replace(/\s+/g, " ").trim()];
  return characters.slice(0, MAX_PREVIEW_CHARACTERS).join("").trim();
}

/** How many lines, at most three, an "On … wrote:" before a quotation takes from `index` on; or 0. */
function attributionLines(lines: readonly string[], index: number): number {
  if (!/^\s*On\s/.test(lines[index] ?? "")) return 0;
  for (let count = 1; count <= 3; count++) {
    const line = (lines[index + count - 1] ?? "").trim();
    if (line === "") return 0;
    if (!/wrote:$/.test(line)) continue;
    const next = lines.slice(index + count, index + count + 3).find((text) => text.trim() !== "");
    return next === undefined || next.trimStart().startsWith(">") ? count : 0;
  }
  return 0;
}
