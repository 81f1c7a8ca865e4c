import { decodeLatin1 } from "../../src/base/mod.ts";
import type { MemoryTransport } from "../support/memory_transport.ts";
import type { Random } from "./mutate.ts";

/** Longest that a server may take from the end of its input, in milliseconds. */
export const CONVERSATION_MS = 10_000;

/** Sends input in pieces of any length, sometimes one octet each. */
export function sendInPieces(client: MemoryTransport, input: Uint8Array, random: Random): void {
  const most = random.pick([1, 10, 1000, 100_000, 100_000]);
  for (let at = 0; at < input.length;) {
    const end = at + 1 + random.below(most);
    client.write(input.subarray(at, end));
    at = end;
  }
}

/** Everything that a server writes until it is done. */
export async function collect(client: MemoryTransport, served: Promise<void>): Promise<string> {
  let output = "";
  const reading = (async () => {
    for (let bytes; (bytes = await client.read());) output += decodeLatin1(bytes);
  })();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    const fail = () =>
      reject(new Error(`the connection does not end; so far: ${output.slice(-2000)}`));
    timer = setTimeout(fail, CONVERSATION_MS);
  });
  await Promise.race([Promise.all([served, reading]), tooLong]).finally(() => clearTimeout(timer));
  return output;
}
