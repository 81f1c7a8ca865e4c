import { encodeUtf8, RangeSet } from "../../src/base/mod.ts";
import { type DeliveryServices, LmtpServer } from "../../src/delivery/mod.ts";
import { listen, type Listener } from "../../src/net/mod.ts";
import type { Account, AccountStore, Store } from "../../src/store/mod.ts";
import { ModelStore } from "../store/model_store.ts";

/** 2026-11-24 12:00:00 UTC. */
export const NOW = Date.UTC(2026, 10, 24, 12);

/** A store with alice, alice's alias and catch-all, bob, and a domain that is disabled. */
export interface House extends AsyncDisposable {
  readonly store: Store;
  readonly services: DeliveryServices;
  readonly alice: Account;
  readonly bob: Account;
  readonly lmtp: LmtpServer;
  /** Starts a listener; gives what `net` says it is bound to. */
  listen(address?: string): Promise<Listener>;
}

export const MAX_MESSAGE_BYTES = 100_000;

export async function openHouse(
  wrap: (store: Store) => Store = (store) => store,
): Promise<House> {
  const store = new ModelStore({ now: () => NOW });
  const { directory } = store;
  for (const domain of ["example.org", "catch.example", "bücher.example"]) {
    await directory.addDomain(domain);
  }
  await directory.addDomain("asleep.example", { disabled: true });
  const alice = await directory.addAccount("alice@example.org", "{}");
  const bob = await directory.addAccount("bob@example.org", "{}");
  await directory.addAccount("sleeper@asleep.example", "{}");
  await directory.addAddress("postmaster@mail.example.org", alice.id).catch(() => {});
  await directory.addAddress("info@example.org", alice.id);
  await directory.addAddress("@catch.example", alice.id);
  await directory.addAddress("leser@bücher.example", alice.id);
  const services = { store: wrap(store), clock: { now: () => NOW }, hostname: "mail.example.org" };
  const lmtp = new LmtpServer({ ...services, maxMessageBytes: MAX_MESSAGE_BYTES });
  const listeners: Listener[] = [];
  const served = new Set<Promise<void>>();
  return {
    store,
    services,
    alice,
    bob,
    lmtp,
    async listen(address = "127.0.0.1:0") {
      const listener = await listen({
        kind: "lmtp",
        address,
        onConnection: (transport) => {
          const done = lmtp.serve(transport).finally(() => served.delete(done));
          served.add(done);
        },
      });
      listeners.push(listener);
      return listener;
    },
    async [Symbol.asyncDispose]() {
      for (const listener of listeners) listener.close();
      await lmtp.close(1000);
      await Promise.all(served);
    },
  };
}

/** The messages of a mailbox, oldest first, as text. */
export async function messagesOf(account: AccountStore, mailbox = "INBOX"): Promise<string[]> {
  const found = await account.findMailbox(mailbox);
  if (found === undefined) return [];
  const texts: string[] = [];
  for await (
    const rows of account.fetchMessages(found.id, RangeSet.range(1, 0xffff_ffff), ["raw"])
  ) {
    for (const { raw } of rows) texts.push(new TextDecoder().decode(raw));
  }
  return texts;
}

/** A message in pieces of one octet each when `isSplit`. */
export async function* content(text: string, isSplit = false): AsyncGenerator<Uint8Array> {
  const bytes = encodeUtf8(text);
  for (let i = 0; i < bytes.length; i += isSplit ? 1 : bytes.length) {
    yield bytes.subarray(i, isSplit ? i + 1 : bytes.length);
  }
}

/** The account with some of its methods replaced. */
export function replacing(account: AccountStore, methods: Partial<AccountStore>): AccountStore {
  return new Proxy(account, {
    get(target, name: keyof AccountStore) {
      const own = target[name];
      return methods[name] ?? (typeof own === "function" ? own.bind(target) : own);
    },
  });
}

/** The store with its accounts changed on their way out. */
export function withAccounts(
  store: Store,
  change: (account: AccountStore, id: number) => AccountStore | Promise<AccountStore>,
): Store {
  return {
    directory: store.directory,
    openAccount: async (id) => await change(await store.openAccount(id), id),
    onCommit: (listener) => store.onCommit(listener),
    close: () => store.close(),
  };
}
