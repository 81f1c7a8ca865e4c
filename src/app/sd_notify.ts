import { randomHex } from "../base/mod.ts";

/**
 * Tells systemd how this service is doing (sd_notify(3)) when `$NOTIFY_SOCKET` names a socket:
 * `READY=1`, `STOPPING=1`. Does nothing elsewhere.
 */
export async function sdNotify(state: string): Promise<void> {
  const path = Deno.env.get("NOTIFY_SOCKET");
  if (!path) return;
  // Deno sends datagrams only from a socket that has a name of its own.
  const own = `${Deno.env.get("RUNTIME_DIRECTORY") ?? "/tmp"}/postern-${randomHex(8)}.sock`;
  const socket = Deno.listenDatagram({ transport: "unixpacket", path: own });
  try {
    await socket.send(new TextEncoder().encode(state), { transport: "unixpacket", path });
  } finally {
    socket.close();
    await Deno.remove(own).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}
