import assert from "node:assert/strict";
import { Expiry } from "../../src/chatmail/mod.ts";
import { newMessage } from "../store/fixture.ts";
import { withStore } from "../store/sqlite/account_fixture.ts";
import { countRoundTrips } from "../support/round_trips.ts";

Deno.test("while many messages expire, others are served", () =>
  withStore({}, async (store, account) => {
    for (let i = 0; i < 6; i++) {
      const messages = [];
      for (let j = 0; j < 500; j++) messages.push(await newMessage(account));
      await account.append("Trash", messages);
    }
    const expiry = new Expiry({ trashAfterMs: 1000, chatmail: undefined }, {
      store,
      clock: { now: () => Date.now() + 60_000 },
      isInUse: () => false,
      removed: () => {},
    });
    const trips = await countRoundTrips(() => expiry.run());
    await expiry.stop();
    const [trash] = (await account.listMailboxes()).filter(({ name }) => name === "Trash");
    assert.equal(trash?.counts.messages, 0);
    assert.ok(trips >= 5, `${trips} round trips`);
  }));
