import { connect, createServer } from "node:net";

/** How often a client and a server of this process, which do nothing else, exchange an octet meanwhile. */
export async function countRoundTrips(work: () => Promise<unknown>): Promise<number> {
  const server = createServer((socket) => {
    socket.on("data", (octets) => socket.write(octets));
    // The client goes in the middle of it.
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const client = connect({ port, host: "127.0.0.1", noDelay: true });
  await new Promise<void>((resolve) => client.once("connect", () => resolve()));
  let count = 0;
  client.on("data", () => {
    count++;
    client.write("x");
  });
  client.write("x");
  try {
    await work();
    return count;
  } finally {
    client.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
