import assert from "node:assert/strict";
import { StdioTransport } from "../../src/app/stdio_transport.ts";
import { HeldTimers } from "../support/held_timers.ts";

/** A process that started this one, gives `octets` and more each time, and takes nothing. */
function openStdio() {
  const read = { octets: 0 };
  const never = new Promise<never>(() => {});
  const transport = new StdioTransport({
    input: {
      read: (buffer) => {
        read.octets += buffer.length;
        return Promise.resolve(buffer.length);
      },
    },
    output: { write: () => never },
  });
  return { transport, read };
}

Deno.test("from a pipe 256 KiB and one piece of 64 KiB are read ahead (INPUT_HIGH_WATER, READ_BYTES)", async () => {
  const { transport, read } = openStdio();
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(read.octets, 320 * 1024);
  transport.destroy();
});

Deno.test("64 KiB may wait for a pipe (OUTPUT_HIGH_WATER), and 5 s for its reader when it ends (CLOSE_FLUSH_MS)", async () => {
  using timers = new HeldTimers();
  const { transport } = openStdio();
  transport.write(new Uint8Array(64 * 1024));
  assert.equal(await transport.drain(1), true);
  transport.write(new Uint8Array(1));
  assert.equal(await transport.drain(1), false);
  const closing = transport.close();
  await timers.until(5_000);
  await timers.pass(4_999);
  assert.equal(transport.broken, false);
  await timers.pass(1);
  await closing;
  assert.equal(transport.broken, true);
});
