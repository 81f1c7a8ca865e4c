import type { AccountId } from "../../src/base/mod.ts";
import type { HistorySamples } from "../../src/store/mod.ts";
import { bytesOf, put } from "../store/fixture.ts";
import { NOW, type SiteHouse } from "./site_house.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const GIB = 1024 ** 3;
const SAMPLE_SECONDS = 300;

const CLIENTS = ["Thunderbird 140.1", "Apple Mail 16.0", "K-9 Mail 8.2", "Delta Chat 2.57", "Mutt"];

/** A host that something goes on at, and some of it wrong. */
export async function furnish(house: SiteHouse): Promise<void> {
  const { directory } = house.store;
  await directory.addDomain("example.net");
  await directory.addDomain("old.example", { disabled: true });
  const ids: AccountId[] = [];
  for (let i = 0; i < 60; i++) {
    const { id } = await directory.addAccount(`person${i}@example.net`, "{}");
    house.quotas.set(id, {
      usedBytes: (i * 37 % 60) * GIB / 40,
      limitBytes: 2 * GIB,
      usedMessages: i * 100,
      ...{ usedMailboxes: 5, deletedBytes: 0 },
    });
    ids.push(id);
  }
  await directory.setAccountDisabled(ids[3] ?? 0 as AccountId, "Please call the office.");
  await directory.setAccountDisabled(
    ids[5] ?? 0 as AccountId,
    "This account will be removed on 2026-12-01.",
    NOW / 1000 + 7 * 86_400,
  );
  const alice = await house.account("alice");
  const bob = await house.account("bob");
  const mail = await house.store.openAccount(alice.id);
  await put(mail, "INBOX", { bytes: bytesOf(`Subject: x\r\n\r\n${"x".repeat(1_900_000)}\r\n`) });
  await directory.setAccountQuota(alice.id, 2 * 1024 ** 2);
  house.quotas.set(alice.id, await mail.quota());
  for (const alias of ["info", "sales", "postmaster", "abuse"]) {
    await directory.addAddress(`${alias}@example.org`, alice.id);
  }
  await directory.addAddress("@example.net", bob.id);
  await directory.credentials.addClientKey({
    ...{ accountId: alice.id, address: alice.address, name: "phone", keyType: "ECDSA prime256v1" },
    ...{ fingerprint: "0nG2C2dZ0mvxHbo1xdbSDhr3Zo8fXjcP1Y9Pm0LqXrs", allowsPreauth: false },
    certificate: Uint8Array.of(1),
  });
  await directory.credentials.addAppPassword({
    ...{ accountId: alice.id, name: "old phone", scopes: ["imap"], verifier: "{}" },
  });
  await directory.setDisabledCapabilities(alice.id, ["NOTIFY"]);
  await addLogins(house, alice.id);
  await addConnections(house);
  await addQueue(house);
  await addHistory(house);
  await directory.addAllowedNetwork("10.0.0.0/8");
  house.host.rooms.set("session", "debug");
  house.host.facts = {
    ...house.host.facts,
    ...{
      accounts: 62,
      domains: 3,
      idleSessions: 9,
      queue: { messages: 2, oldestMs: NOW - HOUR_MS },
    },
  };
  house.host.problems = [
    {
      severity: "problem",
      text: "the certificate of imap.example.net expires in 5 days",
      advice: "Its renewal fails: see the log of the room acme.",
    },
    { severity: "warning", text: "alice@example.org is 90 % full", advice: "" },
  ];
}

async function addLogins(house: SiteHouse, alice: AccountId): Promise<void> {
  const base = { local: "", tls: "TLSv1.3", fingerprint: "", protocol: "imap" };
  for (let i = 0; i < 70; i++) {
    const isFailure = i % 4 === 0;
    await house.loginLog.add([{
      ...base,
      ...{ accountId: isFailure ? undefined : alice, remote: `192.0.2.${i}`, isFailure },
      username: isFailure ? "root@example.org" : "alice@example.org",
      ...{ userAgent: CLIENTS[i % 5] ?? "", mechanism: "SCRAM-SHA-256-PLUS" },
      ...{ result: isFailure ? "badpassword" : "ok", timeMs: NOW - i * 11 * MINUTE_MS },
    }], []);
  }
  await house.loginLog.add([{
    ...{ ...base, accountId: undefined, username: "", remote: "192.0.2.7", userAgent: "Firefox" },
    ...{ protocol: "web", mechanism: "ADMIN", result: "ok", isFailure: false, timeMs: NOW },
  }], [{
    ...{ network: "203.0.113.9/32", minuteStartMs: NOW, minuteFailures: 3, dayStartMs: NOW },
    dayFailures: 50,
    ban: {
      reason: "50 failed logins in a day, the last from 203.0.113.9 for root",
      ...{ sinceMs: NOW - HOUR_MS, untilMs: NOW + 23 * HOUR_MS },
    },
  }]);
}

async function addConnections(house: SiteHouse): Promise<void> {
  const people = [await house.account("alice"), await house.account("bob")];
  for (let i = 0; i < 12; i++) {
    const account = i === 7 ? undefined : people[i % 2];
    house.host.connect({
      ...{ account, client: account ? CLIENTS[i % 5] ?? "" : "", remote: `2001:db8:17:${i}::9` },
      sinceMs: NOW - (12 - i) * 47 * MINUTE_MS,
      ...(i % 5 === 4 ? { protocol: "submission", activity: "", mailbox: "" } : {}),
      ...(i === 7 ? { tls: undefined, activity: "", mailbox: "" } : {}),
    });
  }
}

async function addQueue({ queue }: SiteHouse): Promise<void> {
  const content = async function* () {
    yield bytesOf("Subject: x\r\n\r\nText\r\n");
  };
  const seconds = NOW / 1000;
  await queue.add({
    ...{ sender: "alice@example.org", queued: seconds - 3600, expires: seconds + 4 * 86_400 },
    isUtf8: false,
    recipients: [
      {
        ...{ address: "carol@elsewhere.example", due: seconds + 900 },
        lastError: "451 4.7.1 mx.elsewhere.example: greylisted, please try again later",
      },
      { address: "dave@elsewhere.example", due: seconds - 1, lastError: "" },
    ],
  }, content());
  await queue.add({
    ...{ sender: "", queued: seconds - 600, expires: seconds + 5 * 86_400, isUtf8: false },
    recipients: [{ address: "eve@far.example", due: seconds + 60, lastError: "" }],
  }, content());
}

async function addHistory({ history }: SiteHouse): Promise<void> {
  const end = NOW / 1000;
  for (let i = 0; i < 3 * 288; i++) {
    const time = end - (i + 1) * SAMPLE_SECONDS;
    const day = 0.55 + 0.45 * Math.sin((time % 86_400 / 86_400 - 0.3) * 2 * Math.PI);
    const jitter = (Math.sin(i * 1.7) + Math.sin(i * 0.31) + 2) / 4;
    const samples: HistorySamples = {
      connectionsImap: Math.round(80 + 60 * day + 6 * jitter),
      connectionsSubmission: Math.round(4 * day * jitter),
      connectionsLmtp: Math.round(2 * day),
      connectionsWeb: Math.round(3 * day * jitter),
      loginsOk: Math.round(20 * day + 8 * jitter),
      loginsFailed: i % 40 === 0 ? 9 : Math.round(1.2 * jitter),
      deliveriesIn: Math.round(25 * day + 10 * jitter),
      deliveriesOut: Math.round(8 * day + 4 * jitter),
      storageBytes: (41 - i / 900) * GIB,
      messages: 900_000 - 30 * i,
      queueLength: Math.round(3 * jitter * day),
      memoryBytes: (150 + 40 * day) * 1024 ** 2,
      eventLoopDelayP99: 0.003 + 0.012 * jitter * day,
    };
    await history.add(time, samples);
  }
}
