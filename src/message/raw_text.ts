/**
 * Raw text: a string in which each character stands for one byte (ISO 8859-1). Header fields are
 * parsed in this form, because it loses nothing and scans fast. JavaScript's own `trim` and `\s`
 * would eat the byte A0, which is part of many UTF-8 sequences, so the room has its own.
 */

/** Whether the code is SP, HT, CR or LF. */
export function isSpace(code: number): boolean {
  return code === 32 || code === 9 || code === 13 || code === 10;
}

/** `text` without white space (SP, HT, CR, LF) at either end. */
export function trimRaw(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/** `text` without white space at its end. */
export function trimRawEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(0, end);
}

/** The first `length` UTF-16 units of a decoded text, one less where that would halve a character. */
export function cutText(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}

/**
 * The quoted string (RFC 5322 3.2.4) whose opening quote is at `start`: its content without
 * quoting, and where it ends. Undefined when it is never closed.
 */
export function readQuotedString(
  text: string,
  start: number,
): { value: string; end: number } | undefined {
  let value = "";
  let from = start + 1;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 34) return { value: value + text.slice(from, at), end: at + 1 };
    if (code === 92 && at + 1 < text.length) {
      value += text.slice(from, at);
      from = ++at;
    }
  }
  return undefined;
}
