import { type AccountId, accountId } from "../base/mod.ts";
import type { Nudge, NudgeKind } from "./notifier.ts";

/** Octets of one line: a kind and an account number need far fewer. */
export const MAX_NUDGE_LINE_BYTES = 64;

/** What one line says: a nudge, or the wish to hear of an account. */
export type NudgeLine = Nudge | { readonly kind: "watch"; readonly account: AccountId };

/** The lines that come in until the other side ends. Throws TypeError at the first that is none. */
export async function* readNudgeLines(connection: Deno.Conn): AsyncGenerator<NudgeLine> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  let text = "";
  for (let count; (count = await connection.read(buffer)) !== null;) {
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) {
      const parsed = line.length <= MAX_NUDGE_LINE_BYTES ? parseLine(line) : undefined;
      if (!parsed) throw new TypeError("a process sent a line that is no nudge");
      yield parsed;
    }
    if (text.length > MAX_NUDGE_LINE_BYTES) {
      throw new TypeError("a process sent a line that is too long for a nudge");
    }
  }
}

export async function writeNudgeLines(
  connection: Deno.Conn,
  lines: Iterable<NudgeLine>,
): Promise<void> {
  const text = [...lines].map(({ kind, account }) => `${kind} ${account}\n`).join("");
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

function parseLine(line: string): NudgeLine | undefined {
  const [, kind, number] = /^(changed|security|watch) ([1-9][0-9]{0,15})$/.exec(line) ?? [];
  if (!kind || !Number.isSafeInteger(Number(number))) return undefined;
  return { kind: kind as NudgeKind | "watch", account: accountId(Number(number)) };
}
