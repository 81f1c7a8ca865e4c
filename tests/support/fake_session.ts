import { encodeUtf8, type RangeSet } from "../../src/base/mod.ts";
import { mailboxCommands } from "../../src/imap/commands/mailbox_commands.ts";
import { appendLimit } from "../../src/imap/extensions/appendlimit.ts";
import { children } from "../../src/imap/extensions/children.ts";
import { enable } from "../../src/imap/extensions/enable.ts";
import { id } from "../../src/imap/extensions/id.ts";
import { listExtended } from "../../src/imap/extensions/list_extended.ts";
import { listStatus } from "../../src/imap/extensions/list_status.ts";
import { namespace } from "../../src/imap/extensions/namespace.ts";
import { specialUse } from "../../src/imap/extensions/special_use.ts";
import { statusSize } from "../../src/imap/extensions/status_size.ts";
import { ImapError } from "../../src/imap/imap_error.ts";
import { Registry } from "../../src/imap/registry.ts";
import type { Extension } from "../../src/imap/extension.ts";
import type { Login, Modes, Responder, Session, View } from "../../src/imap/session.ts";
import { coreStatusItems } from "../../src/imap/status_items.ts";
import { storeFailure } from "../../src/imap/store_failure.ts";
import { type AccountStore, type Mailbox, StoreError } from "../../src/store/mod.ts";
import { type FramePart, type NameMode, Reader, WireError, Writer } from "../../src/wire/mod.ts";
import { ModelStore } from "../store/model_store.ts";

const decoder = new TextDecoder();

/** ENABLE with consequences, without a connection. */
class FakeModes implements Modes {
  readonly enabled = new Set<string>();
  constructor(private readonly registry: Registry) {}

  get rev2(): boolean {
    return this.enabled.has("IMAP4REV2");
  }
  get utf8(): boolean {
    return this.enabled.has("UTF8=ACCEPT");
  }
  get condstore(): boolean {
    return this.enabled.has("CONDSTORE");
  }
  get qresync(): boolean {
    return this.enabled.has("QRESYNC");
  }
  get uidOnly(): boolean {
    return this.enabled.has("UIDONLY");
  }
  get nameMode(): NameMode {
    return this.rev2 || this.utf8 ? "utf8" : "utf7";
  }
  enable(name: string): void {
    this.enabled.add(name);
    for (const implied of this.registry.enables.get(name)?.implies ?? []) this.enable(implied);
  }
}

/**
 * Runs commands that touch no message against the model store, without a connection: what they
 * write and how they end, line by line.
 */
export class FakeSession {
  readonly registry: Registry;
  readonly modes: Modes;
  readonly writer = new Writer();
  login: Login | undefined;
  view: Pick<View, "mailboxId" | "recent"> | undefined;
  hasLoggedOut = false;
  userAgent: string | undefined;
  readonly store: AccountStore;

  constructor(extensions: readonly Extension[], login: Login) {
    this.registry = new Registry(extensions);
    this.modes = new FakeModes(this.registry);
    this.login = login;
    this.store = login.store;
  }

  select(mailbox: Mailbox, recent: RangeSet): void {
    this.view = { mailboxId: mailbox.id, recent };
  }

  /** Runs `text`, a command without tag; literals are given as further parts, each with its text. */
  async run(text: string, ...more: readonly [literal: string, text: string][]): Promise<string[]> {
    const parts: FramePart[] = [text];
    for (const [literal, rest] of more) {
      const bytes = encodeUtf8(literal);
      const { length: size } = bytes;
      parts.push({ size, isSynchronizing: true, isBinary: false, bytes, streamed: undefined });
      parts.push(rest);
    }
    const end = await this.#end(parts);
    return [...decoder.decode(this.writer.take()).split("\r\n").filter((line) => line !== ""), end];
  }

  async #end(parts: FramePart[]): Promise<string> {
    try {
      const reader = new Reader({ parts }, this.modes.nameMode);
      const spec = this.registry.commands.get(reader.word());
      if (!spec) throw new WireError("Unknown command");
      const session = this.#session();
      const args = spec.parse(reader, session);
      reader.end();
      await spec.run(session, args);
      return "OK";
    } catch (error) {
      if (error instanceof WireError) return "BAD";
      const failure = error instanceof StoreError ? storeFailure(error) : error;
      if (!(failure instanceof ImapError)) throw error;
      return `${failure.status}${failure.code === undefined ? "" : ` [${failure.code}]`}`;
    }
  }

  #session(): Session {
    const { writer } = this;
    const out: Responder = {
      writer,
      untagged: (text) => void writer.raw(`* ${text}\r\n`),
      flush: () => Promise.resolve(),
      relieve: () => undefined,
    };
    const session = {
      registry: this.registry,
      modes: this.modes,
      out,
      login: this.login,
      account: this.login,
      view: this.view,
      facts: { isTls: true, mechanisms: ["PLAIN"] },
      limits: { maxMessageBytes: 50_000_000 },
      logOut: () => this.hasLoggedOut = true,
      identify: (userAgent: string) => this.userAgent = userAgent,
      enableCondstore: () => this.modes.enable("CONDSTORE"),
    };
    return session as unknown as Session;
  }
}

const core: Extension = {
  rfc: [9051, 3501],
  title: "core",
  commands: mailboxCommands,
  statusItems: coreStatusItems,
  capabilities: [{ name: "IMAP4rev2", when: "always" }],
  enables: [
    { name: "IMAP4REV2" },
    { name: "UTF8=ACCEPT" },
    { name: "CONDSTORE" },
    { name: "QRESYNC", implies: ["CONDSTORE"] },
  ],
};

/** The base commands on mailboxes and the extensions that belong to them. */
const mailboxExtensions: readonly Extension[] = [
  core,
  enable,
  id,
  children,
  namespace,
  listExtended,
  listStatus,
  specialUse,
  statusSize,
  appendLimit,
];

/** A session of an account made anew, which has an INBOX; `more` adds to what it speaks. */
export async function openFakeSession(...more: Extension[]): Promise<FakeSession> {
  const store = new ModelStore();
  await store.directory.addDomain("example.org");
  const account = await store.directory.addAccount("ann@example.org", "{}");
  const mail = await store.openAccount(account.id);
  const login = { account, address: account.address, store: mail };
  return new FakeSession([...mailboxExtensions, ...more], login);
}
