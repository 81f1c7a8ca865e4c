import assert from "node:assert/strict";
import { createRegistry, NO_NOTICES, type NotifyWish, type Session } from "../../src/imap/mod.ts";
import { Modes } from "../../src/session/modes.ts";
import { Notices } from "../../src/session/notices.ts";
import type { AccountStore } from "../../src/store/mod.ts";
import { Writer } from "../../src/wire/mod.ts";
import { put } from "../store/fixture.ts";
import { ModelStore } from "../store/model_store.ts";

const WISH: NotifyWish = {
  selected: undefined,
  groups: [{
    filter: { kind: "PERSONAL" },
    events: new Set(["MessageNew", "MessageExpunge", "MailboxName"] as const),
  }],
};

/** A session's notices on the model store: its own handle, another's, and what is told. */
async function open() {
  const notices = new Notices();
  const store = new ModelStore();
  await store.directory.addDomain("example.org");
  const { id } = await store.directory.addAccount("ann@example.org", "{}");
  const own = await store.openAccount(id, { onOwnChange: (modSeq) => notices.addOwn(modSeq) });
  const other = await store.openAccount(id);
  const writer = new Writer();
  const registry = createRegistry();
  const modes = new Modes(registry);
  const account = { store: own };
  const out = {
    writer,
    untagged: (text: string) => void writer.raw(`* ${text}\r\n`),
    relieve: () => undefined,
  };
  const session = { registry, modes, out, account, view: undefined } as unknown as Session;
  return {
    notices,
    own,
    other,
    session,
    modes,
    /** Puts another store behind the session. */
    useStore: (changed: AccountStore) => account.store = changed,
    /** What is told now, a line each. */
    async told(): Promise<string[]> {
      await notices.tell(session);
      notices.forgetOwn();
      return new TextDecoder().decode(writer.take()).split("\r\n").slice(0, -1);
    },
  };
}

/** `store` with a log that was trimmed. */
function trimmed(store: AccountStore): AccountStore {
  return new Proxy(store, {
    get(target, name, receiver) {
      if (name === "mailboxEvents") return () => Promise.resolve("resync");
      const value = Reflect.get(target, name, receiver);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

Deno.test("own changes are no news, but never hide what others did between them", async () => {
  const { notices, own, other, session, told } = await open();
  await notices.follow(WISH, session);
  await put(own, "INBOX", {});
  assert.deepEqual(await told(), []);
  await put(own, "INBOX", {});
  await put(other, "INBOX", {});
  await put(own, "INBOX", {});
  assert.match((await told()).join(), /^\* STATUS INBOX \(MESSAGES 4 UIDNEXT 5 /);
  await other.createMailbox("a");
  await own.createMailbox("b");
  await own.renameMailbox("b", "c");
  const lines = await told();
  assert.equal(lines[0], '* LIST (\\HasNoChildren \\Subscribed) "/" a');
  assert.ok(!lines.some((line) => line.startsWith("* LIST") && /[bc]$/.test(line)), lines.join());
  assert.deepEqual(await told(), []);
});

Deno.test("when the log was trimmed there is one NOTIFICATIONOVERFLOW, and silence as after NONE", async () => {
  const { notices, own, other, session, useStore, told } = await open();
  await notices.follow(WISH, session);
  await put(other, "INBOX", {});
  useStore(trimmed(own));
  assert.match((await told()).join(), /^\* OK \[NOTIFICATIONOVERFLOW\] [^,]+$/);
  assert.equal(notices.wish, NO_NOTICES);
  assert.equal(notices.isActive, false);
  useStore(own);
  await put(other, "INBOX", {});
  assert.deepEqual(await told(), []);
  await notices.follow(WISH, session);
  await put(other, "INBOX", {});
  assert.match((await told()).join(), /^\* STATUS INBOX \(MESSAGES 3 /);
});

Deno.test("ENABLE METADATA alone goes on behind a trimmed log", async () => {
  const { notices, modes, own, other, session, useStore, told } = await open();
  modes.enable("METADATA");
  await notices.begin(session);
  const set = (value: string) =>
    other.setAnnotations("INBOX", [
      { entry: "/private/a", value: new TextEncoder().encode(value), isBinary: false },
    ]);
  await set("1");
  useStore(trimmed(own));
  assert.deepEqual(await told(), []);
  useStore(own);
  await set("2");
  assert.deepEqual(await told(), ["* METADATA INBOX /private/a"]);
});

Deno.test("more events than a page holds are told, each name once, and cost one page of memory", async () => {
  const { notices, other, session, told } = await open();
  await notices.follow({
    selected: undefined,
    groups: [{ filter: { kind: "PERSONAL" }, events: new Set(["SubscriptionChange"] as const) }],
  }, session);
  for (let i = 0; i < 3001; i++) await other.setSubscribed("x", i % 2 === 0);
  const lines = await told();
  assert.ok(lines.length > 0 && lines.length <= 4, `${lines.length}`);
  assert.equal(lines.at(-1), '* LIST (\\NonExistent \\HasNoChildren \\Subscribed) "/" x');
});
