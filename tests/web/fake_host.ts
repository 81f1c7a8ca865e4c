import type { AccountId } from "../../src/base/mod.ts";
import type {
  Finding,
  Host,
  HostLogLevel,
  HostStatus,
  LiveConnection,
  LogLevels,
} from "../../src/web/mod.ts";

const HOUR_MS = 3_600_000;
const GIB = 1024 ** 3;

/** A host that says what a test wants it to, and keeps what it is told. */
export class FakeHost implements Host {
  live: LiveConnection[] = [];
  problems: Finding[] = [];
  level: HostLogLevel = "info";
  readonly rooms = new Map<string, HostLogLevel>();
  /** Calls of the methods that change something, such as `tellSecurity 1`. */
  readonly told: string[] = [];
  facts: HostStatus = {
    hostname: "mail.example.org",
    version: "0.1.0",
    deno: "2.9.6",
    sqlite: "3.53.1",
    startedMs: Date.UTC(2026, 10, 21, 12),
    processId: 4711,
    memoryBytes: 90 * 1024 ** 2,
    listeners: [
      { kind: "imaps", address: "[::]:993", routes: [], connections: 2 },
      {
        kind: "alpn",
        address: "0.0.0.0:443",
        routes: [
          { protocol: "imap", target: "imap" },
          { protocol: "smtp", target: "submission" },
          { protocol: "http/1.1", target: "web" },
          { protocol: "none", target: "web" },
        ],
        connections: 1,
      },
    ],
    certificates: [{
      names: ["mail.example.org"],
      source: "acme",
      issuer: "Example CA",
      notBeforeMs: Date.UTC(2026, 9, 1),
      notAfterMs: Date.UTC(2026, 11, 30),
      problem: "",
    }],
    accounts: 2,
    domains: 1,
    idleSessions: 1,
    disk: { freeBytes: 40 * GIB, totalBytes: 100 * GIB },
    queue: { messages: 0, oldestMs: undefined },
  };

  /** Adds a connection; gives its number. */
  connect(facts: Partial<LiveConnection>): number {
    const id = this.live.length + 1;
    this.live.push({
      id,
      protocol: "imap",
      listener: "imaps",
      remote: "192.0.2.44",
      tls: "TLSv1.3",
      isCompressed: false,
      sinceMs: Date.UTC(2026, 10, 24, 12) - 5 * HOUR_MS,
      account: undefined,
      client: "Thunderbird 140",
      activity: "IDLE",
      mailbox: "INBOX",
      bytesIn: 1234,
      bytesOut: 5_678_901,
      ...facts,
    });
    return id;
  }

  status(): Promise<HostStatus> {
    return Promise.resolve(this.facts);
  }

  connections(): LiveConnection[] {
    return this.live;
  }

  endConnection(id: number): boolean {
    const at = this.live.findIndex((connection) => connection.id === id);
    if (at < 0) return false;
    this.live.splice(at, 1);
    return true;
  }

  findings(): Promise<Finding[]> {
    return Promise.resolve(this.problems);
  }

  logLevels(): LogLevels {
    return { level: this.level, rooms: this.rooms };
  }

  setLogLevel(level: HostLogLevel | undefined, room?: string): Promise<void> {
    if (room === undefined) this.level = level ?? "info";
    else if (level === undefined) this.rooms.delete(room);
    else this.rooms.set(room, level);
    return Promise.resolve();
  }

  tellSecurity(account: AccountId): void {
    this.told.push(`tellSecurity ${account}`);
  }

  tellNetworks(): void {
    this.told.push("tellNetworks");
  }

  tellQueue(): void {
    this.told.push("tellQueue");
  }
}
