import type { CertificateStatus, Finding, HostStatus } from "../../web/mod.ts";
import { SELF_ISSUED } from "../certificates.ts";
import { writeSize } from "../../base/mod.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** Certificates are renewed at a month before their end, so by then something is wrong. */
const CERTIFICATE_WARNING_MS = 14 * DAY_MS;
const CERTIFICATE_PROBLEM_MS = 3 * DAY_MS;
/** Share of the disk that is used, and octets that are free, from which on it is told. */
const DISK_WARNING_SHARE = .9;
const DISK_PROBLEM_BYTES = 1024 ** 3;
/** Share of its quota that an account uses, and how many accounts are named. */
export const QUOTA_WARNING_SHARE = .9;
export const MAX_FULL_ACCOUNTS = 10;
/** After half a day senders are told nothing yet, but they wonder. */
const QUEUE_WARNING_MS = 4 * HOUR_MS;
/** People notice when each command takes this much longer. */
const DELAY_WARNING_SECONDS = .25;

/** What is looked at, beside the status. What is not known is left out of the findings. */
export interface HealthFacts
  extends Pick<HostStatus, "hostname" | "certificates" | "disk" | "queue"> {
  readonly nowMs: number;
  /** Whether clients are offered TLS at all. */
  readonly offersTls: boolean;
  /** Certificate files that nothing was ever read from. */
  readonly unusable: readonly { readonly file: string; readonly problem: string }[];
  /** Names that no certificate could be fetched for lately, and why. */
  readonly renewing: ReadonlyMap<string, string>;
  readonly hasRelay: boolean;
  /** Another process has the right to send what is queued. */
  readonly isQueueElsewhere: boolean;
  /** Accounts that are nearly full, the fullest first. */
  readonly fullAccounts: readonly { readonly address: string; readonly share: number }[];
  /** How many connections there is room for, where that is fewer than the configuration wants. */
  readonly connectionRoom: { readonly room: number; readonly wanted: number } | undefined;
  /** There are admin pages, but nobody can log in to them. */
  readonly lacksAdminPassword: boolean;
  readonly allowsPlaintext: boolean;
  /** Addresses of metrics listeners that strangers may reach. */
  readonly openMetrics: readonly string[];
  /** Networks that must wait now. */
  readonly bans: number;
  /** Mistakes in the program that were caught since the start. */
  readonly panics: number;
  /** 99 % of the event loop's delays in the last minutes. */
  readonly loopDelaySeconds: number | undefined;
}

/** What an admin should know of these facts, the worst first. */
export function findFindings(facts: HealthFacts): Finding[] {
  const findings = [
    ...ofCertificates(facts),
    ...ofDisk(facts),
    ...ofQueue(facts),
    ...ofAccounts(facts),
    ...ofServer(facts),
  ];
  const rank = { problem: 0, warning: 1, note: 2 };
  return findings.sort((a, b) => rank[a.severity] - rank[b.severity]);
}

function* ofCertificates(facts: HealthFacts): Generator<Finding> {
  const { certificates, unusable, renewing, hostname, offersTls } = facts;
  if (!offersTls) return;
  for (const certificate of certificates) yield* ofCertificate(certificate, facts.nowMs);
  for (const { file, problem } of unusable) {
    yield finding("problem", `the certificate ${file} cannot be used: ${problem}`, MEND_FILES);
  }
  const named = certificates.flatMap(({ names, source }) => source === "self-signed" ? [] : names);
  for (const [name, reason] of renewing) {
    if (named.includes(name)) continue;
    yield finding(
      "problem",
      `no certificate for ${name} could be fetched: ${reason}`,
      "check that the name leads here and that the port for validation is open; SIGHUP tries again",
    );
  }
  if (certificates.length > 0 && !certificates.some(({ names }) => names.some(isFor(hostname)))) {
    yield finding(
      "warning",
      `no certificate is for ${hostname}, the hostname of this server`,
      "clients that connect by this name refuse the others: get one for it, or correct hostname",
    );
  }
}

const MEND_FILES = "give files that hold a certificate and its private key, both PEM";

function* ofCertificate(
  { names, source, issuer, notBeforeMs, notAfterMs, problem }: CertificateStatus,
  nowMs: number,
): Generator<Finding> {
  const which = `the certificate of ${names[0] ?? source}`;
  const renew = source === "acme"
    ? "the log says why it was not renewed; SIGHUP tries again"
    : source === "self-signed"
    ? "restart the server, which makes another"
    : `renew it: ${source} is read again when it changes`;
  const leftMs = notAfterMs - nowMs;
  if (leftMs <= 0) {
    yield finding("problem", `${which} expired on ${dateOf(notAfterMs)}`, renew);
  } else if (nowMs < notBeforeMs) {
    yield finding(
      "problem",
      `${which} is not valid before ${dateOf(notBeforeMs)}`,
      `here it is ${dateOf(nowMs)}: if that is wrong, set the clock`,
    );
  } else if (leftMs <= CERTIFICATE_WARNING_MS && source !== "self-signed") {
    const severity = leftMs <= CERTIFICATE_PROBLEM_MS ? "problem" : "warning";
    yield finding(severity, `${which} expires in ${writeSpan(leftMs)}`, renew);
  }
  // What stands in until one can be fetched is no certificate that could not be renewed.
  if (problem !== "" && source !== "self-signed") {
    const what = source === "acme" ? "could not be renewed" : "could not be read again";
    yield finding("warning", `${which} ${what}: ${problem}`, "it is used as it was until then");
  }
  if (issuer === SELF_ISSUED) {
    yield finding(
      "warning",
      `${which} is self-signed: clients warn about it, and some refuse it`,
      "give a real one in [tls], or have one fetched by [tls.acme]",
    );
  }
}

/** Whether a name of a certificate, maybe with a wildcard, is good for a host. */
function isFor(host: string): (name: string) => boolean {
  const wanted = host.toLowerCase();
  return (name) =>
    name === wanted || (name.startsWith("*.") && wanted.replace(/^[^.]+/, "*") === name);
}

function* ofDisk({ disk }: HealthFacts): Generator<Finding> {
  if (disk === undefined || disk.totalBytes === 0) return;
  const { freeBytes, totalBytes } = disk;
  const share = 1 - freeBytes / totalBytes;
  const advice = "make room, or move data_dir to a larger disk; mail is refused when it is full";
  if (freeBytes < DISK_PROBLEM_BYTES) {
    yield finding("problem", `the disk has only ${writeSize(freeBytes)} left`, advice);
  } else if (share > DISK_WARNING_SHARE) {
    yield finding(
      "warning",
      `the disk is ${percent(share)} full; ${writeSize(freeBytes)} are left`,
      advice,
    );
  }
}

function* ofQueue({ queue, hasRelay, isQueueElsewhere, nowMs }: HealthFacts): Generator<Finding> {
  const { messages, oldestMs } = queue;
  const count = messages === 1 ? "a message waits" : `${messages} messages wait`;
  if (isQueueElsewhere) {
    yield finding(
      "warning",
      "another process sends what is queued in this data_dir",
      "this server sends nothing until it is restarted after the other has ended",
    );
  }
  if (messages === 0) return;
  if (!hasRelay) {
    yield finding(
      "problem",
      `${count} for other hosts, but no relay is configured`,
      'set [relay] and restart, or see "postern queue list" and "postern queue drop"',
    );
  } else if (oldestMs !== undefined && nowMs - oldestMs >= QUEUE_WARNING_MS) {
    yield finding(
      "warning",
      `${count} to be sent on, the oldest for ${writeSpan(nowMs - oldestMs)}`,
      '"postern queue list" shows why',
    );
  }
}

function* ofAccounts({ fullAccounts }: HealthFacts): Generator<Finding> {
  for (const { address, share } of fullAccounts.slice(0, MAX_FULL_ACCOUNTS)) {
    yield finding(
      "warning",
      `account ${address} is at ${percent(share)} of its quota`,
      `raise it with "postern account quota ${address} SIZE", or have its user remove mail`,
    );
  }
}

function* ofServer(facts: HealthFacts): Generator<Finding> {
  const { connectionRoom, panics, loopDelaySeconds, bans } = facts;
  if (connectionRoom !== undefined) {
    const { room, wanted } = connectionRoom;
    yield finding(
      "warning",
      `the limit of open files leaves room for ${room} connections, not for ${wanted}`,
      "raise it (ulimit -n, or LimitNOFILE of the systemd unit), or lower limits.max_connections",
    );
  }
  if (facts.lacksAdminPassword) {
    yield finding(
      "warning",
      "the admin's pages have no password, so nobody can log in to them",
      '"postern admin password" sets one',
    );
  }
  if (facts.allowsPlaintext) {
    yield finding(
      "warning",
      "passwords are accepted without TLS",
      "set auth.allow_plaintext to false unless nobody can listen on the way",
    );
  }
  for (const address of facts.openMetrics) {
    yield finding(
      "warning",
      `the metrics listener ${address} may be reached by strangers`,
      "give it a loopback or private address, or put a firewall before it",
    );
  }
  if (panics > 0) {
    yield finding(
      "warning",
      `${panics === 1 ? "a mistake" : `${panics} mistakes`} in the program ` +
        `${panics === 1 ? "was" : "were"} caught since the start`,
      "the log has a stack for each: please report it",
    );
  }
  if (loopDelaySeconds !== undefined && loopDelaySeconds >= DELAY_WARNING_SECONDS) {
    yield finding(
      "warning",
      `the server is late by up to ${Math.round(loopDelaySeconds * 1000)} ms`,
      'the disk or the processor is too busy: "postern top" shows who works it',
    );
  }
  if (bans > 0) {
    yield finding(
      "note",
      bans === 1
        ? "one network must wait after failed logins"
        : `${bans} networks must wait after failed logins`,
      '"postern ban list" shows which',
    );
  }
}

function finding(severity: Finding["severity"], text: string, advice: string): Finding {
  return { severity, text, advice };
}

function dateOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}

/** `5 days`, `an hour`: rounded down, so that nobody takes what is over for time left. */
export function writeSpan(ms: number): string {
  const days = Math.floor(ms / DAY_MS);
  const hours = Math.floor(ms / HOUR_MS);
  if (days >= 2) return `${days} days`;
  if (hours >= 1) return hours === 1 ? "an hour" : `${hours} hours`;
  return "less than an hour";
}

/** Rounded down, so that nothing is full before it is. */
function percent(share: number): string {
  return `${Math.floor(share * 100)} %`;
}
