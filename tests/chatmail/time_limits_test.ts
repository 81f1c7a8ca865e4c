import assert from "node:assert/strict";
import { accountId } from "../../src/base/mod.ts";
import {
  Expiry,
  type ExpiryPolicy,
  PushNotifier,
  Registration,
  type RegistrationRules,
} from "../../src/chatmail/mod.ts";
import type {
  Account,
  AccountStore,
  Directory,
  ExpiryRule,
  PushOutcome,
  PushStore,
  Store,
  WaitingPush,
} from "../../src/store/mod.ts";
import { HeldTimers } from "../support/held_timers.ts";

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 0, 1);
const POLICY: ExpiryPolicy = {
  trashAfterMs: undefined,
  chatmail: {
    domain: "chat.example",
    deleteMailsAfterMs: 20 * DAY_MS,
    deleteLargeAfterMs: 7 * DAY_MS,
    deleteInactiveAfterMs: 90 * DAY_MS,
  },
};

/** A store of so many accounts that keeps what it is asked for. */
class FakeStore {
  usedBytes = 0;
  readonly expired: { rule: ExpiryRule; batch: number }[] = [];
  /** How often all accounts, and single ones, were asked for. */
  readonly looks = { all: 0, one: 0 };
  readonly pages: number[] = [];
  commit = (_account: Account["id"]) => {};
  onOpen = () => {};
  readonly #accounts: Account[];

  constructor(count: number) {
    this.#accounts = Array.from(
      { length: count },
      (_, i) => ({ id: accountId(i + 1), address: `a${i}@chat.example` }) as Account,
    );
  }

  readonly directory: Partial<Directory> = {
    listDueForRemoval: () => Promise.resolve([]),
    listUnused: (_domain, _day, _after, limit) => {
      this.pages.push(limit);
      return Promise.resolve([]);
    },
    listAccounts: () => {
      this.looks.all++;
      return Promise.resolve(this.#accounts);
    },
    getAccount: () => {
      this.looks.one++;
      return Promise.resolve(undefined);
    },
  };

  expiry(): Expiry {
    const mail: Partial<AccountStore> = {
      quota: () =>
        Promise.resolve({ usedBytes: this.usedBytes, limitBytes: 1000, usedMessages: 1 }) as never,
      expire: (rule, batch) => {
        this.expired.push({ rule, batch });
        return Promise.resolve({ messages: 0, bytes: 0, more: false });
      },
    };
    const store = {
      directory: this.directory,
      openAccount: () => {
        this.onOpen();
        return Promise.resolve(mail);
      },
      onCommit: (listener: (account: Account["id"]) => void) => {
        this.commit = listener;
        return () => {};
      },
    } as unknown as Store;
    return new Expiry(POLICY, {
      store,
      clock: { now: () => NOW },
      isInUse: () => false,
      removed: () => {},
    });
  }
}

Deno.test("expiry takes 200 messages at a time (EXPIRY_BATCH), 500 accounts a page (EXPIRY_PAGE), and calls 200,000 octets not large (LARGE_MESSAGE_BYTES)", async () => {
  const store = new FakeStore(1);
  await store.expiry().run();
  assert.deepEqual(store.expired.map(({ batch }) => batch), [200, 200]);
  const [, large] = store.expired;
  assert.equal(large?.rule.kind === "age" && large.rule.largerThan, 200_000);
  assert.deepEqual(store.pages, [500]);
});

Deno.test("an account is purged above 75 % (PURGE_ABOVE) down to 70 % of its quota (PURGE_DOWN_TO), but for the last day's (PURGE_SPARES_SECONDS)", async () => {
  const store = new FakeStore(1);
  const purges = () =>
    store.expired.splice(0).flatMap(({ rule }) => rule.kind === "size" ? rule : []);
  store.usedBytes = 750;
  await store.expiry().run();
  assert.deepEqual(purges(), []);
  store.usedBytes = 751;
  await store.expiry().run();
  assert.deepEqual(purges(), [
    { kind: "size", untilBytes: 700, savedBefore: NOW / 1000 - 86_400 },
  ]);
});

Deno.test("after an account expiry rests 200 ms at most (MAX_REST_MS)", async () => {
  const real = { now: performance.now, setTimeout };
  let now = 0;
  const rests: (number | undefined)[] = [];
  const work = [66, 67, 1000];
  const store = new FakeStore(work.length);
  store.onOpen = () => now += work.shift() ?? 0;
  performance.now = () => now;
  globalThis.setTimeout = ((run: () => void, ms?: number) => {
    rests.push(ms);
    return real.setTimeout(run, 0);
  }) as typeof setTimeout;
  try {
    await store.expiry().run();
  } finally {
    performance.now = real.now;
    globalThis.setTimeout = real.setTimeout;
  }
  assert.deepEqual(rests, [198, 200, 200]);
});

Deno.test("expiry walks after a minute (EXPIRY_DELAY_MS) and each day (EXPIRY_INTERVAL_MS), and looks at quotas each 10 s (PURGE_INTERVAL_MS)", async () => {
  using timers = new HeldTimers();
  const store = new FakeStore(0);
  const expiry = store.expiry();
  expiry.start();
  store.commit(accountId(1));
  await timers.pass(9_999);
  assert.equal(store.looks.one, 0);
  await timers.pass(1);
  assert.equal(store.looks.one, 1);
  await timers.pass(49_999);
  assert.equal(store.looks.all, 0);
  await timers.pass(1);
  assert.equal(store.looks.all, 1);
  await timers.pass(DAY_MS - 60_001);
  assert.equal(store.looks.all, 1);
  await timers.pass(1);
  assert.equal(store.looks.all, 2);
  await timers.pass(DAY_MS);
  assert.equal(store.looks.all, 3);
  await expiry.stop();
});

Deno.test("a look at free memory and disk holds for 1 s (RESOURCES_FRESH_MS)", async () => {
  let [now, looks] = [0, 0];
  const rules: RegistrationRules = {
    ...{ domain: "chat.example", registration: "open" },
    ...{ usernameMinLength: 9, usernameMaxLength: 9, passwordMinLength: 9 },
    ...{ minAvailableMemoryBytes: 1, minFreeDiskBytes: 0 },
  };
  const registration = new Registration(rules, {
    directory: {} as Directory,
    resources: { availableMemoryBytes: () => ++looks, freeDiskBytes: () => 1 },
    invites: undefined,
    clock: { now: () => now },
  });
  const looksAt = async (time: number) => {
    now = time;
    await registration.offer(undefined);
    return looks;
  };
  assert.deepEqual([await looksAt(0), await looksAt(999), await looksAt(1_000)], [1, 1, 2]);
});

/** A queue with one device that is to be woken up. */
class FakePushes {
  looks = 0;
  readonly outcomes: PushOutcome[] = [];
  #waiting: WaitingPush[];

  constructor(...waiting: Partial<WaitingPush>[]) {
    this.#waiting = waiting.map((each) => ({ token: "t", attempts: 0, ...each }) as WaitingPush);
  }

  notifier(url: string): PushNotifier {
    const store: Partial<PushStore> = {
      dropBefore: () => Promise.resolve(),
      listDue: () => {
        this.looks++;
        return Promise.resolve(this.#waiting.splice(0));
      },
      settle: (_id, outcome) => {
        this.outcomes.push(outcome);
        return Promise.resolve();
      },
    };
    return new PushNotifier(store as PushStore, url, { now: () => NOW });
  }
}

Deno.test("a device is tried for 5 hours (PUSH_GIVE_UP_SECONDS), and each 2 s it is looked what is due (PUSH_LOOK_MS)", async () => {
  using timers = new HeldTimers();
  const due = NOW / 1000 + 8;
  const pushes = new FakePushes({ queued: due - 18_000 }, { queued: due - 18_001 });
  // Nobody listens there.
  const notifier = pushes.notifier("http://127.0.0.1:1/");
  notifier.start();
  await timers.until(2_000);
  assert.deepEqual(pushes.outcomes, [{ kind: "postponed", due }, { kind: "done" }]);
  const { looks } = pushes;
  await timers.pass(1_999);
  assert.equal(pushes.looks, looks);
  await timers.pass(1);
  assert.equal(pushes.looks, looks + 1);
  await notifier.stop();
});

Deno.test("the push service has 60 s to answer (PUSH_TIMEOUT_MS)", async () => {
  const late = Promise.withResolvers<Response>();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => late.promise,
  );
  try {
    using timers = new HeldTimers();
    const pushes = new FakePushes({ queued: NOW / 1000 });
    const notifier = pushes.notifier(`http://127.0.0.1:${server.addr.port}/`);
    notifier.start();
    await timers.until(60_000);
    await timers.pass(59_999);
    assert.deepEqual(pushes.outcomes, []);
    await timers.pass(1);
    assert.deepEqual(pushes.outcomes.map(({ kind }) => kind), ["postponed"]);
    await notifier.stop();
  } finally {
    late.resolve(new Response());
    await server.shutdown();
  }
});
