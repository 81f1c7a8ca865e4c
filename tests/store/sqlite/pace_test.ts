import assert from "node:assert/strict";
import { countRoundTrips } from "../../support/round_trips.ts";
import { ALL, box, breaches, newMessage } from "../fixture.ts";
import { withAccountFile, withStore } from "./account_fixture.ts";
import type { AccountStore } from "../../../src/store/mod.ts";

// Whoever has much to do gives way to sockets too, which the runtime looks at in one of 61 rounds.

const COUNT = 2000;

async function fill(account: AccountStore): Promise<void> {
  for (let i = 0; i < COUNT; i += 500) {
    const messages = [];
    for (let j = 0; j < 500; j++) messages.push(await newMessage(account));
    await account.append("INBOX", messages);
  }
}

Deno.test("while an account is checked, others are served", () =>
  withAccountFile(async ({ account }) => {
    await fill(account);
    const trips = await countRoundTrips(() => breaches(account));
    assert.ok(trips >= 5, `${trips} round trips`);
  }));

Deno.test("while an account is mended, others are served", () =>
  withAccountFile(async ({ account, db }) => {
    await fill(account);
    db.exec("UPDATE content SET envelope = x'' WHERE id % 10 = 0");
    const trips = await countRoundTrips(() => Array.fromAsync(account.repair()));
    assert.ok(trips >= 5, `${trips} round trips`);
  }));

Deno.test("while an account is trimmed, others are served", () =>
  withStore({ trim: { contentSeconds: 0 } }, async (store, account) => {
    await fill(account);
    const inbox = await box(account, "INBOX");
    await account.expunge(inbox.id, ALL, { onlyDeleted: false });
    const trips = await countRoundTrips(() => store.trim());
    assert.ok(trips >= 5, `${trips} round trips`);
  }));
