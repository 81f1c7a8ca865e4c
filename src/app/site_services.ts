import { join } from "node:path";
import { createRegistry } from "../imap/mod.ts";
import { contains, type Network, type TransportFacts } from "../net/mod.ts";
import type { Account } from "../store/mod.ts";
import type { RequestFacts, SiteServices } from "../web/mod.ts";
import type { Config } from "./config/config.ts";
import { networksOverlap, readNetwork } from "./network_names.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What the web pages are told of the configuration. */
export function siteFacts(
  config: Config,
): Pick<SiteServices, "hostname" | "capabilities" | "retention" | "uploads" | "networks"> {
  const names = createRegistry(config.unauthenticate ? [] : ["UNAUTHENTICATE"]).capabilities
    .map(({ name }) => name.toUpperCase());
  return {
    hostname: config.hostname,
    capabilities: [...new Set(names)].sort(),
    retention: (account) => retentionOf(account, config),
    uploads: { folder: join(config.dataDir, "uploads") },
    networks: { read: readNetwork, overlap: networksOverlap },
  };
}

/** What is known of a connection of a browser, and whether it is that of a reverse proxy. */
export function requestFacts(
  { remote, local, tls, proxy }: TransportFacts,
  webProxies: readonly Network[],
): RequestFacts {
  const { address } = proxy ?? remote;
  return {
    ...{ remote, local, tls },
    // One who speaks the PROXY protocol has said already who is behind it.
    isTrustedProxy: proxy === undefined && webProxies.some((network) => contains(network, address)),
  };
}

/** What is deleted of an account, and when, in sentences. */
export function retentionOf(
  { address }: Pick<Account, "address">,
  { trashAfterMs, chatmail }: Pick<Config, "trashAfterMs" | "chatmail">,
): string[] {
  const sentences: string[] = [];
  if (chatmail && address.endsWith(`@${chatmail.domain}`)) {
    sentences.push(
      `Mail is deleted ${ageText(chatmail.deleteMailsAfterMs)} after it came.`,
      `Large mail is deleted ${
        ageText(chatmail.deleteLargeAfterMs)
      } after it came, once it was read.`,
      `The account is deleted when nobody logs in for ${ageText(chatmail.deleteInactiveAfterMs)}.`,
      "The oldest mail is deleted when the account is nearly full.",
    );
  }
  if (trashAfterMs !== undefined) {
    sentences.push(`Mail in Trash is deleted ${ageText(trashAfterMs)} after it came there.`);
  }
  return sentences;
}

function ageText(ms: number): string {
  const [count, unit] = ms >= DAY_MS && ms % DAY_MS === 0
    ? [ms / DAY_MS, "day"]
    : [Math.max(1, Math.round(ms / HOUR_MS)), "hour"];
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
