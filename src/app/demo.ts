import { join, resolve } from "node:path";
import { stringify } from "smol-toml";
import { makeVerifier } from "../auth/mod.ts";
import type { AccountStore, Store } from "../store/mod.ts";
import { toConfig } from "./config/config.ts";
import { parseConfig } from "./config/load.ts";
import { openStore } from "./data.ts";
import { sampleMail } from "./sample_mail.ts";
import { serve } from "./serve.ts";
import { printLine } from "./terminal.ts";

const DOMAIN = "localhost";
const ADDRESS = `demo@${DOMAIN}`;
const PASSWORD = "postern-demo";

/** Ports of the demo's listeners; 0: any free one. */
export interface DemoPorts {
  readonly imap: number;
  readonly imaps: number;
  readonly alpn: number;
  readonly submission: number;
  readonly lmtp: number;
}

/**
 * Runs a complete server out of one folder, until it is told to stop. The folder is made when it is
 * missing, with a configuration that the other commands can be given by `--config`.
 */
export async function demo(folder: string, host: string, ports: DemoPorts): Promise<void> {
  const dataDir = resolve(folder);
  const configFile = join(dataDir, "postern.toml");
  const toml = writeDemoConfig(host, ports);
  const file = parseConfig(toml, configFile);
  const store = await openStore(toConfig(file));
  try {
    await addDemoAccount(store);
  } finally {
    await store.close();
  }
  await Deno.writeTextFile(configFile, toml);
  await serve(file, ({ listeners }) => {
    const addressOf = (wanted: string) =>
      listeners.find(({ kind }) => kind === wanted)?.address ?? "";
    const [imaps, alpn] = [addressOf("imaps"), addressOf("alpn")];
    const port = imaps.slice(imaps.lastIndexOf(":") + 1);
    printLine(`
Account   ${ADDRESS}
Password  ${PASSWORD}
Data      ${dataDir}

Read the newest message:
  curl -k --user ${ADDRESS}:${PASSWORD} 'imaps://${imaps}/INBOX;MAILINDEX=*'
Or take a mail program: server ${host}, port ${port}, SSL/TLS, the account and password above. It
will warn about the certificate, and rightly so: the demo made it itself.
Web pages, with the same password:
  https://${alpn}/account   what ${ADDRESS} sees
  https://${alpn}/admin     what an administrator sees
Other commands work on this server too, with --config ${configFile}
Ctrl-C stops it.`);
  });
}

function writeDemoConfig(host: string, ports: DemoPorts): string {
  const address = (port: number) => host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const config = {
    hostname: DOMAIN,
    data_dir: ".",
    listener: [
      { kind: "imap", address: address(ports.imap) },
      { kind: "imaps", address: address(ports.imaps) },
      {
        kind: "alpn",
        address: address(ports.alpn),
        routes: { imap: "imap", smtp: "submission", "http/1.1": "web", none: "web" },
      },
      { kind: "submission", address: address(ports.submission) },
      { kind: "lmtp", address: address(ports.lmtp) },
    ],
  };
  return `# Written by "postern demo" at each start.\n${stringify(config)}`;
}

async function addDemoAccount(store: Store): Promise<void> {
  const { directory } = store;
  if (!await directory.findDomain(DOMAIN)) await directory.addDomain(DOMAIN);
  const verifier = await makeVerifier(PASSWORD);
  if (!await directory.adminVerifier()) await directory.setAdminVerifier(verifier);
  if (await directory.resolveAddress(ADDRESS)) return;
  const { id } = await directory.addAccount(ADDRESS, verifier);
  await addSampleMail(await store.openAccount(id));
}

async function addSampleMail(mail: AccountStore): Promise<void> {
  for (const { mailbox, flags, received, raw } of sampleMail(Math.floor(Date.now() / 1000))) {
    const stage = mail.stageMessage();
    try {
      await stage.write(raw);
      const staged = await stage.finish();
      const internalDate = { seconds: received, zoneMinutes: 0 };
      await mail.append(mailbox, [{ staged, flags, keywords: [], internalDate }]);
    } catch (error) {
      await stage.discard();
      throw error;
    }
  }
}
