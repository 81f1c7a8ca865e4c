import { Authenticator } from "../auth/mod.ts";
import { systemClock } from "../base/mod.ts";
import { createRegistry } from "../imap/mod.ts";
import { createNotifier, watchNudges } from "../notify/mod.ts";
import { DEFAULT_TIMES, serveConnection } from "../session/mod.ts";
import { toConfig } from "./config/config.ts";
import { readConfigFile } from "./config/load.ts";
import { nudgeSocketPath, openStore, requireAccount } from "./data.ts";
import { configureLogging } from "./log.ts";
import { stopSignal } from "./signals.ts";
import { StdioTransport } from "./stdio_transport.ts";

/** How often the log is looked at for what other processes did without telling. */
const LOOK_MS = 1_000;

/**
 * An IMAP session on standard input and output for an account that this host vouches for, without
 * password and whether logins are disabled or not. It works on the files beside a running server;
 * both tell each other of changes through the server's socket, and where no server runs, what other
 * processes did is seen within a second.
 */
export async function imapServe(configFile: string | undefined, address: string): Promise<void> {
  const config = toConfig(await readConfigFile(configFile));
  // Standard output belongs to the client; what goes wrong goes to standard error.
  await configureLogging({ ...config.log, level: "warn" });
  const store = await openStore(config);
  try {
    const account = await requireAccount(store.directory, address);
    const mail = await store.openAccount(account.id);
    const notifier = createNotifier();
    const hear = (kind: "changed" | "security") => notifier.nudge(account.id, kind);
    const watch = watchNudges(nudgeSocketPath(config.dataDir), account.id, hear);
    const shutdown = new AbortController();
    void stopSignal().then(() => shutdown.abort());
    let seen = await mail.latestModSeq();
    store.onCommit((_, modSeq) => {
      seen = modSeq;
      hear("changed");
      watch.tell("changed");
    });
    const timer = setInterval(async () => {
      const latest = await mail.latestModSeq().catch(() => undefined);
      if (latest === seen) return;
      // Gone: the session asks the directory, and ends.
      hear(latest === undefined ? "security" : "changed");
      seen = latest ?? seen;
    }, LOOK_MS);
    try {
      await serveConnection(
        new StdioTransport({ input: Deno.stdin, output: Deno.stdout }),
        {
          registry: createRegistry(),
          store,
          authenticator: new Authenticator(store.directory, systemClock, { allowPlaintext: false }),
          notifier,
          clock: systemClock,
          limits: { maxMessageBytes: config.maxMessageBytes },
          times: DEFAULT_TIMES,
          tls: undefined,
          shutdown: shutdown.signal,
        },
        { account, address: account.address },
      );
    } finally {
      clearInterval(timer);
      await watch.close();
    }
  } finally {
    await store.close();
  }
}
