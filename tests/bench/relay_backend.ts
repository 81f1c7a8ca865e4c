/**
 * Programs around the relays that are measured, in processes of their own:
 *
 *     relay_backend.ts source PORT      sends without end to who has spoken
 *     relay_backend.ts echo PORT        sends back what comes
 *     relay_backend.ts copy PORT TO ... the plain loop that relays are measured against
 */

const CHUNK = new Uint8Array(256 * 1024).fill(0x61);

async function send(conn: Deno.Conn): Promise<void> {
  await conn.read(new Uint8Array(1024));
  for (;;) await conn.write(CHUNK);
}

async function copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  for (let count; (count = await from.read(buffer)) !== null;) {
    for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
  }
}

async function passOn(conn: Deno.Conn, port: number): Promise<void> {
  const upstream = await Deno.connect({ hostname: "127.0.0.1", port });
  upstream.setNoDelay(true);
  try {
    await Promise.race([copy(conn, upstream), copy(upstream, conn)]);
  } finally {
    upstream.close();
  }
}

async function serve(port: number, work: (conn: Deno.Conn) => Promise<void>): Promise<void> {
  for await (const conn of Deno.listen({ hostname: "127.0.0.1", port })) {
    conn.setNoDelay(true);
    // A client that has seen enough just goes away.
    work(conn).catch(() => undefined).finally(() => conn.close());
  }
}

async function main([kind, ...args]: readonly string[]): Promise<void> {
  const ports = args.map(Number);
  const serving: Promise<void>[] = [];
  for (let port; (port = ports.shift()) !== undefined;) {
    if (kind === "source") serving.push(serve(port, send));
    else if (kind === "echo") serving.push(serve(port, (conn) => copy(conn, conn)));
    else {
      const to = ports.shift() ?? 0;
      serving.push(serve(port, (conn) => passOn(conn, to)));
    }
  }
  await Promise.all(serving);
}

if (import.meta.main) await main(Deno.args);
