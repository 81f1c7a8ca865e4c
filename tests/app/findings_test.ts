import assert from "node:assert/strict";
import { findFindings, type HealthFacts } from "../../src/app/live/findings.ts";
import type { CertificateStatus, Finding } from "../../src/web/mod.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const GIB = 1024 ** 3;
const NOW = Date.parse("2026-11-24T12:00:00Z");

const CERTIFICATE: CertificateStatus = {
  names: ["mail.example.org"],
  source: "/etc/cert.pem",
  issuer: "Some Authority",
  notBeforeMs: NOW - 30 * DAY_MS,
  notAfterMs: NOW + 60 * DAY_MS,
  problem: "",
};

const WELL: HealthFacts = {
  nowMs: NOW,
  hostname: "mail.example.org",
  offersTls: true,
  certificates: [CERTIFICATE],
  unusable: [],
  renewing: new Map(),
  disk: { freeBytes: 50 * GIB, totalBytes: 100 * GIB },
  queue: { messages: 0, oldestMs: undefined },
  hasRelay: true,
  isQueueElsewhere: false,
  fullAccounts: [],
  connectionRoom: undefined,
  lacksAdminPassword: false,
  allowsPlaintext: false,
  openMetrics: [],
  bans: 0,
  panics: 0,
  loopDelaySeconds: undefined,
};

function found(differing: Partial<HealthFacts>): string[] {
  return findFindings({ ...WELL, ...differing })
    .map(({ severity, text }) => `${severity}: ${text}`);
}

function foundOf(differing: Partial<CertificateStatus>): string[] {
  return found({ certificates: [{ ...CERTIFICATE, ...differing }] });
}

Deno.test("a server that is well has no findings", () => {
  assert.deepEqual(found({}), []);
  assert.deepEqual(found({ disk: undefined, hasRelay: false }), []);
});

Deno.test("a certificate that ends within 14 days, has ended or does not hold yet is told", () => {
  const endsIn = (ms: number) => foundOf({ notAfterMs: NOW + ms });
  assert.deepEqual(endsIn(14 * DAY_MS + 1), []);
  assert.deepEqual(endsIn(14 * DAY_MS), [
    "warning: the certificate of mail.example.org expires in 14 days",
  ]);
  assert.deepEqual(endsIn(5.9 * DAY_MS), [
    "warning: the certificate of mail.example.org expires in 5 days",
  ]);
  assert.deepEqual(endsIn(26 * HOUR_MS), [
    "problem: the certificate of mail.example.org expires in 26 hours",
  ]);
  assert.deepEqual(endsIn(0), [
    "problem: the certificate of mail.example.org expired on 2026-11-24",
  ]);
  assert.deepEqual(foundOf({ notBeforeMs: NOW + DAY_MS }), [
    "problem: the certificate of mail.example.org is not valid before 2026-11-25",
  ]);
  // The clock is what is wrong, more often than the certificate.
  const [finding] = findFindings({
    ...WELL,
    certificates: [{ ...CERTIFICATE, notBeforeMs: NOW + DAY_MS }],
  });
  assert.match(finding?.advice ?? "", /2026-11-24: if that is wrong, set the clock/);
});

Deno.test("a certificate that nobody else issued, or that is not for the host, is told", () => {
  assert.deepEqual(foundOf({ issuer: "itself" }), [
    "warning: the certificate of mail.example.org is self-signed: clients warn about it, and some refuse it",
  ]);
  // It is made anew by itself.
  assert.deepEqual(
    foundOf({ issuer: "itself", source: "self-signed", notAfterMs: NOW + DAY_MS }).length,
    1,
  );
  assert.deepEqual(foundOf({ names: ["example.org", "*.example.net"] }), [
    "warning: no certificate is for mail.example.org, the hostname of this server",
  ]);
  assert.deepEqual(foundOf({ names: ["*.example.org"] }), []);
  assert.deepEqual(found({ offersTls: false, certificates: [{ ...CERTIFICATE, names: [] }] }), []);
});

Deno.test("what keeps a certificate from being renewed, read or fetched is told", () => {
  assert.deepEqual(foundOf({ source: "acme", problem: "no route" }), [
    "warning: the certificate of mail.example.org could not be renewed: no route",
  ]);
  assert.deepEqual(foundOf({ problem: "wrong key" }), [
    "warning: the certificate of mail.example.org could not be read again: wrong key",
  ]);
  assert.deepEqual(found({ unusable: [{ file: "/x.pem", problem: "not PEM" }] }), [
    "problem: the certificate /x.pem cannot be used: not PEM",
  ]);
  assert.deepEqual(
    found({ renewing: new Map([["mx.example.org", "refused"], ["mail.example.org", "refused"]]) }),
    ["problem: no certificate for mx.example.org could be fetched: refused"],
  );
  const standIn = { ...CERTIFICATE, source: "self-signed", issuer: "itself", problem: "refused" };
  assert.deepEqual(
    found({
      certificates: [standIn],
      renewing: new Map([["mail.example.org", "refused"]]),
    }),
    [
      "problem: no certificate for mail.example.org could be fetched: refused",
      "warning: the certificate of mail.example.org is self-signed: clients warn about it, and some refuse it",
    ],
  );
});

Deno.test("a disk above 90 %, or with less than 1 GiB free, is told", () => {
  const free = (freeBytes: number, totalBytes = 100 * GIB) =>
    found({ disk: { freeBytes, totalBytes } });
  assert.deepEqual(free(10 * GIB), []);
  assert.deepEqual(free(9.9 * GIB), ["warning: the disk is 90 % full; 9.9G are left"]);
  assert.deepEqual(free(GIB, 2 * GIB), []);
  assert.deepEqual(free(GIB - 1024 ** 2, 2 * GIB), ["problem: the disk has only 1023M left"]);
});

Deno.test("mail that waits without a relay, or for four hours, is told, and who else sends it", () => {
  const waiting = (hours: number) => ({ messages: 3, oldestMs: NOW - hours * HOUR_MS });
  assert.deepEqual(found({ queue: waiting(3.9) }), []);
  assert.deepEqual(found({ queue: waiting(4) }), [
    "warning: 3 messages wait to be sent on, the oldest for 4 hours",
  ]);
  assert.deepEqual(found({ queue: { ...waiting(0), messages: 1 }, hasRelay: false }), [
    "problem: a message waits for other hosts, but no relay is configured",
  ]);
  assert.deepEqual(found({ isQueueElsewhere: true }), [
    "warning: another process sends what is queued in this data_dir",
  ]);
});

Deno.test("ten accounts that are nearly full are named, with a share that is not rounded up", () => {
  const accounts = Array.from({ length: 12 }, (_, i) => ({
    address: `u${i}@example.org`,
    share: .999 - i / 1000,
  }));
  const texts = found({ fullAccounts: accounts });
  assert.equal(texts.length, 10);
  assert.equal(texts[0], "warning: account u0@example.org is at 99 % of its quota");
});

Deno.test("what the host lets in, lacks or suffers from is told, and bans only as a note", () => {
  const cases: [Partial<HealthFacts>, RegExp][] = [
    [{ connectionRoom: { room: 500, wanted: 20_000 } }, /^warning: .*room for 500 .*20000/],
    [{ lacksAdminPassword: true }, /^warning: the admin's pages have no password/],
    [{ allowsPlaintext: true }, /^warning: passwords are accepted without TLS/],
    [{ openMetrics: ["0.0.0.0:9143"] }, /^warning: the metrics listener 0\.0\.0\.0:9143/],
    [{ panics: 1 }, /^warning: a mistake in the program was caught/],
    [{ panics: 2 }, /^warning: 2 mistakes in the program were caught/],
    [{ loopDelaySeconds: .25 }, /^warning: the server is late by up to 250 ms/],
    [{ bans: 1 }, /^note: one network must wait/],
    [{ bans: 7 }, /^note: 7 networks must wait/],
  ];
  for (const [facts, text] of cases) {
    const texts = found(facts);
    assert.equal(texts.length, 1, String(text));
    assert.match(texts[0] ?? "", text);
  }
  assert.deepEqual(found({ loopDelaySeconds: .249 }), []);
});

Deno.test("the worst comes first, and each says what to do", () => {
  const findings = findFindings({
    ...WELL,
    bans: 1,
    panics: 1,
    disk: { freeBytes: 0, totalBytes: GIB },
    fullAccounts: [{ address: "a@example.org", share: 1 }],
  });
  assert.deepEqual(
    findings.map(({ severity }): Finding["severity"] => severity),
    ["problem", "warning", "warning", "note"],
  );
  for (const { advice } of findings) assert.notEqual(advice, "");
});
