import { makeVerifier } from "../../src/auth/mod.ts";
import { toConfig } from "../../src/app/config/config.ts";
import { parseConfig } from "../../src/app/config/load.ts";
import { type ControlClient, requireControl } from "../../src/app/control/client.ts";
import { LogControl } from "../../src/app/log.ts";
import { type Server, startServer } from "../../src/app/server.ts";
import type { AccountId } from "../../src/base/mod.ts";
import { openSqliteStore } from "../../src/store/sqlite/engine.ts";
import { TEST_COSTS } from "../support/server.ts";
import { withFolder } from "./postern_process.ts";

export const PASSWORD = 'pass" word\\';

const LISTENERS = ["imap", "imaps", "submission", "lmtp", "metrics"]
  .map((kind) => `[[listener]]\nkind = "${kind}"\naddress = "127.0.0.1:0"\n`).join("");

const TOML = `
[log]
level = "error"
[auth]
allow_plaintext = true
[limits]
failed_logins_per_minute = 0
failed_logins_per_day = 0
connections_per_minute = 0
connections_per_address = 0
${LISTENERS}`;

export interface LiveHouse {
  readonly server: Server;
  readonly config: string;
  readonly folder: string;
  readonly alice: AccountId;
  readonly bob: AccountId;
  port(kind: string): number;
  /** A line to the control socket, closed at the end. */
  control(): Promise<ControlClient>;
}

/** Makes the folder of a host with alice and bob at example.org. */
export async function withHost(
  body: (
    host: { folder: string; config: string; alice: AccountId; bob: AccountId },
  ) => Promise<void>,
  toml = "",
): Promise<void> {
  await withFolder(async ({ path, config }) => {
    const store = await openSqliteStore({ dataDir: `${path}/data` });
    await store.directory.addDomain("example.org");
    const verifier = await makeVerifier(PASSWORD, TEST_COSTS);
    const { id: alice } = await store.directory.addAccount("alice@example.org", verifier);
    const { id: bob } = await store.directory.addAccount("bob@example.org", verifier);
    await store.close();
    await body({ folder: path, config, alice, bob });
  }, TOML + toml);
}

/** Runs `body` beside a whole server in this process. */
export async function withLiveServer(
  body: (house: LiveHouse) => Promise<void>,
  toml = "",
): Promise<void> {
  await withHost(async ({ folder, config, alice, bob }) => {
    const parsed = toConfig(parseConfig(await Deno.readTextFile(config), config));
    const server = await startServer(parsed, await LogControl.open(parsed.log));
    const clients: ControlClient[] = [];
    try {
      await body({
        server,
        config,
        folder,
        alice,
        bob,
        port: (kind) =>
          Number(server.listeners.find((each) => each.kind === kind)?.address.split(":").at(-1)),
        async control() {
          const client = await requireControl(parsed);
          clients.push(client);
          return client;
        },
      });
    } finally {
      for (const client of clients) client.close();
      await server.stop();
    }
  }, toml);
}

/** Waits until it gives something. */
export async function eventually<T>(look: () => T | undefined | false): Promise<T> {
  for (let i = 0; i < 500; i++) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`not within five seconds: ${look}`);
}
