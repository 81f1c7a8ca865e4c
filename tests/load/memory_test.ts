import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { TestClient } from "../support/client.ts";
import { measureIdle } from "./idle_connections.ts";
import { transferLargeMessage } from "./large_message.ts";
import { withServerProcess } from "./server_process.ts";

// Memory is read from /proc.
const ignore = Deno.build.os !== "linux";

Deno.test({
  name: "a large message is taken and given in constant memory",
  ignore,
  fn: async () => {
    // It grows by what is not yet collected, some 240 MB, whatever the size of the message. The long
    // form of this test sends 2.2 GB: deno run -A tests/load/large_message.ts
    const { grownMb } = await transferLargeMessage(450_000_000);
    assert.ok(grownMb < 350, `the server grew by ${grownMb.toFixed(0)} MB`);
  },
});

Deno.test({
  name: "commands that are sent without reading the answers are back-pressured, and all answered",
  ignore,
  fn: () =>
    withServerProcess("", async (server) => {
      const client = await TestClient.connect(server.port);
      await client.ok(`LOGIN ${server.user} "${server.password}"`);
      const { socket } = client;
      socket.pause();
      const before = server.rssMb();
      // The answers are more than three times what the system keeps for a connection.
      const tag = "x".repeat(190);
      const burst = `${tag} CAPABILITY\r\n`.repeat(2000);
      const bursts = 60;
      for (let i = 0; i < bursts; i++) socket.write(burst);
      let highest = before;
      for (let i = 0; i < 30; i++) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        highest = Math.max(highest, server.rssMb());
      }
      const unread = socket.writableLength + queuedOctets(socket, server.port);
      assert.ok(unread > 0, "the server stops reading");
      assert.ok(highest - before < 60, `the server grew by ${(highest - before).toFixed(0)} MB`);
      let answers = 0;
      let tail = "";
      const done = new Promise<void>((resolve) => {
        socket.removeAllListeners("data");
        socket.on("data", (bytes) => {
          const text = tail + bytes.toString("latin1");
          const lines = text.split("\r\n");
          tail = lines.pop() ?? "";
          answers += lines.filter((line) => line.startsWith(`${tag} OK`)).length;
          if (answers === bursts * 2000) resolve();
        });
      });
      socket.resume();
      await done;
      client.close();
    }),
});

Deno.test({
  name: "a session in IDLE costs little memory and one file, compressed or not",
  ignore,
  fn: async () => {
    // Objects are told exactly even for few sessions. The process as a whole grows by room that all
    // share, up to some thousands: deno run -A tests/load/idle_connections.ts tells what comes then.
    const plan = {
      // More than account databases may be open: those of idle sessions are closed for others.
      first: 300,
      count: 300,
      runFlags: ["--v8-flags=--expose-gc,--max-semi-space-size=1"],
    };
    for await (const { kind, cost } of measureIdle(["idle", "compressed"], plan)) {
      const { rss, heap, external, files } = cost;
      const text = `${kind}: ${rss.toFixed(0)} KiB, ${heap.toFixed(1)} of it objects`;
      assert.ok(heap < 25, text);
      assert.ok(external < 2, `${text}; ${external.toFixed(1)} KiB of buffers`);
      assert.ok(rss < 85, text);
      assert.ok(files < 1.1, `${text}; ${files.toFixed(1)} files`);
      // deno-lint-ignore no-console -- the number is worth having in the log
      console.log(text);
    }
  },
});

/** Octets that the system keeps of what a client sent: not yet sent, or not yet read. */
function queuedOctets(socket: Socket, serverPort: number): number {
  const port = (number: number | undefined) => `:${(number ?? 0).toString(16).padStart(4, "0")}`;
  const [client, server] = [port(socket.localPort), port(serverPort)].map((it) => it.toUpperCase());
  let octets = 0;
  // "0: 0100007F:8F05 0100007F:C8A2 01 tx_queue:rx_queue ...", a line for each end.
  for (const line of Deno.readTextFileSync("/proc/net/tcp").split("\n")) {
    const [, local = "", remote = "", , queues = ""] = line.trim().split(/\s+/);
    const [sending = "0", received = "0"] = queues.split(":");
    if (local.endsWith(client ?? "?") && remote.endsWith(server ?? "?")) {
      octets += parseInt(sending, 16);
    }
    if (local.endsWith(server ?? "?") && remote.endsWith(client ?? "?")) {
      octets += parseInt(received, 16);
    }
  }
  return octets;
}
