/** A server in a process of its own, with one account, whose memory can be read. */
import assert from "node:assert/strict";
import { runPostern, startPostern } from "../app/postern_process.ts";

export interface LoadedServer {
  readonly port: number;
  readonly tlsPort: number;
  readonly user: string;
  readonly password: string;
  /** The configuration file, for commands beside the server. */
  readonly config: string;
  /** Port of the first listener of that kind. */
  portOf(kind: string): number;
  /** Memory of the process now, MB. */
  rssMb(): number;
  /** How many files and sockets the process has open now. */
  openFiles(): number;
}

/** Runs `body` with a server; `toml` is added to its configuration. */
export async function withServerProcess<T>(
  toml: string,
  body: (server: LoadedServer) => Promise<T>,
): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "postern-load-" });
  try {
    const config = `${folder}/postern.toml`;
    await Deno.writeTextFile(
      config,
      `hostname = "mail.example.org"
data_dir = "data"
${toml}
[auth]
allow_plaintext = true
[[listener]]
kind = "imap"
address = "127.0.0.1:0"
[[listener]]
kind = "imaps"
address = "127.0.0.1:0"
`,
    );
    const [user, password] = ["ann@example.org", "correct horse battery"];
    await runPostern(["--config", config, "domain", "add", "example.org"]);
    const added = await runPostern(["--config", config, "account", "add", user, "--stdin"], {
      stdin: `${password}\n`,
    });
    assert.equal(added.code, 0, added.stderr);
    const server = await startPostern(["--config", config, "serve"]);
    try {
      const portOf = (kind: string) => Number(server.address(kind).split(":").at(-1));
      return await body({
        port: portOf("imap"),
        tlsPort: portOf("imaps"),
        user,
        password,
        config,
        portOf,
        rssMb() {
          const status = Deno.readTextFileSync(`/proc/${server.pid}/status`);
          return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
        },
        openFiles: () => [...Deno.readDirSync(`/proc/${server.pid}/fd`)].length,
      });
    } finally {
      await server.stop("SIGTERM");
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
