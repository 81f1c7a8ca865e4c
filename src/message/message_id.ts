import { MAX_MESSAGE_ID_LENGTH, MAX_REFERENCES } from "./limits.ts";

/**
 * Message identifiers in a raw Message-ID, In-Reply-To or References value, in order, without the
 * angle brackets, white space and needless quoting (RFC 5256 3), each
 * once. Phrases and comments between them are passed over. Of many, the first and the last ones.
 */
export function parseMessageIds(raw: string): string[] {
  const ids = new Set<string>();
  for (const match of raw.matchAll(/<([^<>]*)>/g)) {
    const id = normaliseId(match[1] ?? "");
    if (id !== undefined) ids.add(id);
  }
  const list = [...ids];
  return list.length <= MAX_REFERENCES
    ? list
    : [...list.slice(0, 1), ...list.slice(1 - MAX_REFERENCES)];
}

/** The one identifier of a raw Message-ID value; some programs leave the brackets out. */
export function parseMessageId(raw: string): string | undefined {
  const [first] = parseMessageIds(raw.slice(0, 4 * MAX_MESSAGE_ID_LENGTH));
  if (first !== undefined) return first;
  if (raw.length > MAX_MESSAGE_ID_LENGTH) return undefined;
  return /^[^\s<>]+@[^\s<>]+$/.test(raw) ? normaliseId(raw) : undefined;
}

function normaliseId(text: string): string | undefined {
  if (text.length > MAX_MESSAGE_ID_LENGTH) return undefined;
  const plain = text
    .replace(/"((?:[^"\\]|\\.)*)"/g, (_, quoted: string) => quoted.replace(/\\(.)/g, "$1"))
    .replace(/[ \t]+/g, "");
  return plain === "" ? undefined : plain;
}
