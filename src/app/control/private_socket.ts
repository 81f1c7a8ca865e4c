import { dirname, join } from "node:path";

/**
 * Listens on a Unix socket that only its owner may ever connect to. It is made in a folder that is
 * the owner's alone and then put into its place, where it replaces what a server that died has
 * left: between its making and its mode there is no moment for others.
 */
export async function listenPrivately(path: string): Promise<Deno.Listener<Deno.UnixConn>> {
  const folder = join(dirname(path), ".socket");
  const made = join(folder, "s");
  await removeIfThere(folder);
  await Deno.mkdir(folder, { mode: 0o700 });
  try {
    const listener = Deno.listen({ transport: "unix", path: made });
    try {
      await Deno.chmod(made, 0o600);
      await Deno.rename(made, path);
    } catch (error) {
      listener.close();
      throw error;
    }
    return listener;
  } finally {
    await removeIfThere(folder);
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
