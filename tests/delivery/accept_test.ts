import assert from "node:assert/strict";
import {
  deliverMessage,
  type DeliveryResult,
  type MessageSource,
  type Recipient,
  resolveRecipient,
} from "../../src/delivery/mod.ts";
import { traceHeader } from "../../src/delivery/trace_header.ts";
import { type Store, StoreError } from "../../src/store/mod.ts";
import {
  content,
  type House,
  messagesOf,
  NOW,
  openHouse,
  replacing,
  withAccounts,
} from "./house.ts";

const SOURCE: MessageSource = {
  sender: "carol@far.example",
  clientName: "relay.far.example",
  clientAddress: "192.0.2.9",
  protocol: "LMTP",
};
const MESSAGE = "Subject: hello\r\n\r\nworld\r\n";

async function recipients(house: House, ...addresses: string[]): Promise<Recipient[]> {
  const found: Recipient[] = [];
  for (const address of addresses) {
    const recipient = await resolveRecipient(house.services, address);
    if ("kind" in recipient) assert.fail(`${address}: ${recipient.kind}`);
    found.push(recipient);
  }
  return found;
}

const kinds = (results: readonly DeliveryResult[]) => results.map(({ kind }) => kind);

Deno.test("addresses, aliases, details, catch-alls and both forms of a domain lead to their account", async () => {
  await using house = await openHouse();
  const addresses = [
    "alice@example.org",
    "Alice@EXAMPLE.org",
    "alice+lists@example.org",
    "info@example.org",
    "anything@catch.example",
    "leser@bücher.example",
    "leser@xn--bcher-kva.example",
  ];
  for (const { account, address } of await recipients(house, ...addresses)) {
    assert.equal(account.id, house.alice.id, address);
  }
  await house.store.directory.setAccountDisabled(house.alice.id, "Gone fishing.");
  assert.equal((await recipients(house, "alice@example.org")).length, 1);
});

Deno.test("unknown addresses are refused for good, those of a disabled domain for now", async () => {
  await using house = await openHouse();
  const cases = [
    ["nobody@example.org", "unknown-recipient"],
    ["alice@elsewhere.example", "unknown-recipient"],
    ["alice", "unknown-recipient"],
    ["", "unknown-recipient"],
    ["a b@example.org", "unknown-recipient"],
    ["@example.org", "unknown-recipient"],
    ["sleeper@asleep.example", "domain-disabled"],
    ["nobody@asleep.example", "domain-disabled"],
  ] as const;
  for (const [address, kind] of cases) {
    const refusal = await resolveRecipient(house.services, address);
    assert.equal("kind" in refusal ? refusal.kind : "accepted", kind, address);
  }
});

Deno.test("a message is stored as it came, behind the trace fields of its recipient", async () => {
  await using house = await openHouse();
  const to = await recipients(house, "alice+lists@example.org", "bob@example.org");
  const results = await deliverMessage(house.services, to, SOURCE, content(MESSAGE, true));
  assert.deepEqual(results, [
    { kind: "delivered", mailbox: "INBOX", uid: 1 },
    { kind: "delivered", mailbox: "INBOX", uid: 1 },
  ]);
  for (const { account, address } of to) {
    const [text = ""] = await messagesOf(await house.store.openAccount(account.id));
    assert.equal(
      text.replace(/id [0-9a-f]{16}/, "id ID"),
      "Return-Path: <carol@far.example>\r\n" +
        `Delivered-To: ${address}\r\n` +
        "Received: from relay.far.example ([192.0.2.9])\r\n" +
        "\tby mail.example.org with LMTP id ID\r\n" +
        `\tfor <${address}>; Tue, 24 Nov 2026 12:00:00 +0000\r\n` + MESSAGE,
    );
  }
});

Deno.test("recipients that are one account get the message once and hear the same", async () => {
  let stages = 0;
  await using house = await openHouse((store) =>
    watched(store, { onStage: () => stages++, onDiscard: () => {} })
  );
  const to = await recipients(house, "alice@example.org", "info@example.org", "bob@example.org");
  const results = await deliverMessage(house.services, to, SOURCE, content(MESSAGE));
  assert.deepEqual(kinds(results), ["delivered", "delivered", "delivered"]);
  assert.equal(stages, 2);
  assert.equal((await messagesOf(await house.store.openAccount(house.alice.id))).length, 1);
});

Deno.test("one recipient over quota does not keep the message from another", async () => {
  await using house = await openHouse();
  await house.store.directory.setAccountQuota(house.alice.id, 600);
  const to = await recipients(house, "alice@example.org", "bob@example.org");
  const send = async (text: string) =>
    kinds(await deliverMessage(house.services, to, SOURCE, content(text)));
  assert.deepEqual(await send("x".repeat(100)), ["delivered", "delivered"]);
  assert.deepEqual(await send("x".repeat(200)), ["over-quota", "delivered"]);
  assert.deepEqual(await send("x".repeat(601)), ["too-large", "delivered"]);
  assert.equal((await messagesOf(await house.store.openAccount(house.alice.id))).length, 1);
  assert.equal((await messagesOf(await house.store.openAccount(house.bob.id))).length, 3);
});

Deno.test("a message can go to another mailbox, which is made on request only", async () => {
  await using house = await openHouse();
  const to = await recipients(house, "alice@example.org");
  const send = async (mailbox: string, create: boolean) =>
    kinds(await deliverMessage(house.services, to, SOURCE, content(MESSAGE), { mailbox, create }));
  assert.deepEqual(await send("Lists/deno", false), ["mailbox-missing"]);
  assert.deepEqual(await send("Lists//deno", true), ["mailbox-invalid"]);
  assert.deepEqual(await send("Lists/deno", true), ["delivered"]);
  assert.deepEqual(await send("Lists/deno", false), ["delivered"]);
  const account = await house.store.openAccount(house.alice.id);
  assert.equal((await messagesOf(account, "Lists/deno")).length, 2);
  assert.equal((await messagesOf(account)).length, 0);
});

Deno.test("a source that breaks off leaves nothing behind", async () => {
  let discarded = 0;
  await using house = await openHouse((store) => watched(store, { onDiscard: () => discarded++ }));
  const to = await recipients(house, "alice@example.org", "bob@example.org");
  async function* broken() {
    yield new TextEncoder().encode("Subject: half");
    throw new Error("The connection is gone.");
  }
  await assert.rejects(deliverMessage(house.services, to, SOURCE, broken()), /connection is gone/);
  assert.equal(discarded, 2);
  for (const { account } of to) {
    assert.deepEqual(await messagesOf(await house.store.openAccount(account.id)), []);
  }
});

Deno.test("a store that fails for one recipient, however it does, is that recipient's trouble only", async () => {
  const failures = [
    new StoreError("unavailable", "The disk is full."),
    new StoreError("corrupt", "Broken."),
    new TypeError("a fault of ours"),
  ];
  for (const method of ["open", "write", "finish", "append"] as const) {
    for (const error of failures) {
      let discarded = 0;
      await using house = await openHouse((store) =>
        watched(store, {
          onDiscard: (account) => discarded += account === 1 ? 1 : 0,
          failing: { method, error, account: 1 },
        })
      );
      const to = await recipients(house, "alice@example.org", "bob@example.org");
      const results = await deliverMessage(house.services, to, SOURCE, content(MESSAGE));
      assert.deepEqual(kinds(results), ["unavailable", "delivered"], method);
      assert.ok(discarded >= (method === "open" ? 0 : 1), method);
    }
  }
});

Deno.test("nobody can add a line to the trace fields", () => {
  const info = {
    sender: "a@b\r\nX-Evil: 1",
    clientName: "evil (comment)\r\nX-Evil: 2",
    clientAddress: "2001:db8::1",
    hostname: "mail.example.org",
    protocol: "LMTP",
    id: "id",
    time: NOW,
  };
  const text = new TextDecoder().decode(traceHeader(info, "x@y\nX-Evil: 3"));
  assert.equal(text.split("\r\n").length, 6);
  assert.ok(!/^X-Evil/m.test(text));
  assert.match(text, /from unknown \(\[IPv6:2001:db8::1\]\)\r\n/);
  const local = new TextDecoder().decode(
    traceHeader({ ...info, sender: "", clientName: undefined, clientAddress: undefined }, "x@y"),
  );
  assert.match(local, /^Return-Path: <>\r\n/);
  assert.match(local, /\r\nReceived: by mail\.example\.org with LMTP id id\r\n/);
  const long = traceHeader({ ...info, clientName: "a".repeat(256) }, "x@y");
  assert.ok(new TextDecoder().decode(long).includes(`from ${"a".repeat(255)} (`));
});

interface Watch {
  readonly onStage?: () => void;
  readonly onDiscard: (account: number) => void;
  readonly failing?: {
    readonly method: "open" | "write" | "finish" | "append";
    readonly error: Error;
    readonly account: number;
  };
}

/** The store, with stages that tell when they are discarded, and a failure for one account. */
function watched(store: Store, { onStage, onDiscard, failing }: Watch): Store {
  return withAccounts(store, (account, id) => {
    const fails = (method: string) => failing?.account === id && failing.method === method;
    if (fails("open")) throw failing?.error;
    const reject = () => Promise.reject(failing?.error);
    return replacing(account, {
      stageMessage() {
        const stage = account.stageMessage();
        onStage?.();
        return {
          size: 0,
          write: fails("write") ? reject : (chunk) => stage.write(chunk),
          finish: fails("finish") ? reject : () => stage.finish(),
          async discard() {
            onDiscard(id);
            await stage.discard();
          },
        };
      },
      ...(fails("append") ? { append: reject } : {}),
    });
  });
}
