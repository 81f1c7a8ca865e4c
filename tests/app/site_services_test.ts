import assert from "node:assert/strict";
import { requestFacts, retentionOf } from "../../src/app/site_services.ts";
import { parseNetwork, type TransportFacts } from "../../src/net/mod.ts";
import { memoryTlsFacts } from "../support/memory_transport.ts";

const DAY_MS = 86_400_000;

Deno.test("pages say in words what is deleted of an account", () => {
  const chatmail = {
    domain: "chat.example.org",
    deleteMailsAfterMs: 20 * DAY_MS,
    deleteLargeAfterMs: DAY_MS / 2,
    deleteInactiveAfterMs: 90 * DAY_MS,
  } as NonNullable<Parameters<typeof retentionOf>[1]["chatmail"]>;
  const policy = { trashAfterMs: DAY_MS, chatmail };
  const trash = "Mail in Trash is deleted 1 day after it came there.";
  assert.deepEqual(retentionOf({ address: "a@example.org" }, policy), [trash]);
  assert.deepEqual(retentionOf({ address: "a@chat.example.org" }, policy), [
    "Mail is deleted 20 days after it came.",
    "Large mail is deleted 12 hours after it came, once it was read.",
    "The account is deleted when nobody logs in for 90 days.",
    "The oldest mail is deleted when the account is nearly full.",
    trash,
  ]);
  const none = { trashAfterMs: undefined, chatmail: undefined };
  assert.deepEqual(retentionOf({ address: "a@example.org" }, none), []);
});

Deno.test("a reverse proxy is who connects from its network, unless it spoke the PROXY protocol", () => {
  const facts: TransportFacts = {
    via: "web",
    remote: { address: "10.1.2.3", port: 1 },
    local: { address: "10.0.0.1", port: 80 },
    proxy: undefined,
    tls: memoryTlsFacts({}),
    compressed: false,
  };
  const networks = [parseNetwork("10.0.0.0/8")];
  assert.equal(requestFacts(facts, networks).isTrustedProxy, true);
  assert.equal(requestFacts(facts, []).isTrustedProxy, false);
  assert.equal(requestFacts(facts, [parseNetwork("10.2.0.0/16")]).isTrustedProxy, false);
  const proxy = { address: "10.9.9.9", port: 2 };
  assert.equal(requestFacts({ ...facts, proxy }, networks).isTrustedProxy, false);
});
