import { systemClock } from "../../base/mod.ts";
import type { Finding, HostStatus } from "../../web/mod.ts";
import { openSqliteQueue } from "../../store/sqlite/engine.ts";
import { readCertificateStatus } from "../certificates.ts";
import type { Config } from "../config/config.ts";
import { exists, openStore } from "../data.ts";
import { Failure } from "../failure.ts";
import { diskOf } from "../gauges.ts";
import { versionFacts } from "../version.ts";
import { findFindings } from "./findings.ts";
import { hasPages, offersTls, openMetrics, routesOf } from "./listener_facts.ts";

/** What is known of a host while no server runs. */
export type OfflineStatus = Omit<
  HostStatus,
  "startedMs" | "processId" | "memoryBytes" | "idleSessions"
>;

/**
 * The state of a host from its files and its configuration. What accounts use of their quotas is
 * not among the findings: that would mean opening each of them. Throws Failure when there is
 * nothing yet.
 */
export async function readOfflineStatus(
  config: Config,
): Promise<{ status: OfflineStatus; findings: Finding[] }> {
  const { dataDir, hostname, listeners } = config;
  if (!await exists(dataDir)) {
    throw new Failure(
      `no server runs, and there is no ${dataDir} yet: start one with "postern serve"`,
    );
  }
  const store = await openStore(config);
  const queue = openSqliteQueue(dataDir);
  try {
    const { directory } = store;
    const { certificates, unusable } = await readCertificateStatus(config);
    const { messages, oldest } = await queue.summary();
    const { version, deno, sqlite } = versionFacts();
    const status: OfflineStatus = {
      hostname,
      version,
      deno,
      sqlite,
      listeners: listeners.map((listener) => ({
        kind: listener.kind,
        address: listener.address,
        routes: routesOf(listener),
        connections: 0,
      })),
      certificates,
      ...await directory.count(),
      disk: diskOf(dataDir),
      queue: { messages, oldestMs: oldest === undefined ? undefined : oldest * 1000 },
    };
    const findings = findFindings({
      ...status,
      nowMs: systemClock.now(),
      offersTls: offersTls(config),
      unusable,
      renewing: new Map(),
      hasRelay: config.relay !== undefined,
      isQueueElsewhere: false,
      fullAccounts: [],
      connectionRoom: undefined,
      lacksAdminPassword: hasPages(config) && !await directory.adminVerifier(),
      allowsPlaintext: config.allowPlaintext,
      openMetrics: openMetrics(config),
      bans: 0,
      panics: 0,
      loopDelaySeconds: undefined,
    });
    return { status, findings };
  } finally {
    await queue.close();
    await store.close();
  }
}
