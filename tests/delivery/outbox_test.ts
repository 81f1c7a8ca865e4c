import assert from "node:assert/strict";
import { StoreError } from "../../src/store/mod.ts";
import { ModelQueue } from "../store/model_queue.ts";
import { replacing, withAccounts } from "./house.ts";
import type { RawClient } from "./raw_client.ts";
import { SubmissionHouse } from "./submission_house.ts";

const MESSAGE = "From: alice@example.org\r\nSubject: hello\r\n\r\n" + "x".repeat(3000) + "\r\n";

async function send(client: RawClient, ...to: string[]): Promise<string> {
  await client.ask("MAIL FROM:<alice@example.org>");
  for (const each of to) assert.match(await client.ask(`RCPT TO:<${each}>`), /^250 /);
  await client.ask("DATA");
  return await client.ask(`${MESSAGE}.`);
}

Deno.test("a mailbox that fills up refuses the message, where there is nobody else", async () => {
  await using house = await SubmissionHouse.open();
  const client = await house.connectTls("alice");
  await house.store.directory.setAccountQuota(house.account("bob").id, 5000);
  assert.match(await send(client, "bob@example.org"), /^250 /);
  assert.equal(await send(client, "bob@example.org"), "452 4.2.2 The mailbox is full");
  assert.deepEqual(await house.queue.list(), []);
});

Deno.test("who has no room now gets it later, when others have it already", async () => {
  await using house = await SubmissionHouse.open();
  const client = await house.connectTls("alice");
  const { directory } = house.store;
  await directory.setAccountQuota(house.account("bob").id, 5000);
  await send(client, "bob@example.org");
  assert.match(await send(client, "bob@example.org", "alice@example.org"), /^250 /);
  assert.equal((await house.inbox("alice")).length, 1);
  const [waiting] = await house.queue.list();
  assert.deepEqual(waiting?.recipients.map(({ address, lastError }) => [address, lastError]), [
    ["bob@example.org", "452 4.2.2 The mailbox is full"],
  ]);
  await directory.setAccountQuota(house.account("bob").id, null);
  await house.until(async () => (await house.queue.list())[0]?.recipients[0]?.attempts === 1);
  house.time += 60_000;
  house.runner.wake();
  await house.until(async () => (await house.queue.list()).length === 0);
  const [, second = ""] = await house.inbox("bob");
  assert.ok(second.endsWith(MESSAGE));
  assert.equal(second.match(/^Received: /gm)?.length, 1);
});

Deno.test("who can never have it is reported, when others have it already", async () => {
  await using house = await SubmissionHouse.open();
  const client = await house.connectTls("alice");
  await house.store.directory.setAccountQuota(house.account("bob").id, 1000);
  assert.match(await send(client, "bob@example.org"), /^552 5\.2\.3 /);
  assert.match(await send(client, "bob@example.org", "alice+copy@example.org"), /^250 /);
  await house.until(async () => (await house.queue.list()).length === 0);
  const [copy = "", report = ""] = await house.inbox("alice");
  assert.ok(copy.endsWith(MESSAGE));
  assert.match(
    report,
    /Final-Recipient: rfc822; bob@example\.org\r\nAction: failed\r\nStatus: 5\.2\.3\r\n/,
  );
  assert.deepEqual(await house.queue.list(), []);
});

Deno.test("a queue that cannot be written refuses for now, and so does a store", async () => {
  const queue = new class extends ModelQueue {
    override add(): Promise<number> {
      return Promise.reject(new StoreError("unavailable", "The disk is full."));
    }
  }();
  await using house = await SubmissionHouse.open({ queue, hasRelay: true });
  const client = await house.connectTls("alice");
  assert.match(await send(client, "eve@far.example"), /^451 4\.3\.0 /);
  await using broken = await SubmissionHouse.open({
    wrap: (store) =>
      withAccounts(store, (account) =>
        replacing(account, {
          append: () => Promise.reject(new StoreError("unavailable", "The disk is full.")),
        })),
  });
  const other = await broken.connectTls("alice");
  assert.match(await send(other, "bob@example.org"), /^451 4\.3\.0 /);
});
