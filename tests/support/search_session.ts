import type { AccountId, Bytes } from "../../src/base/mod.ts";
import { decodeUtf8, encodeUtf8 } from "../../src/base/mod.ts";
import type { CatchUp } from "../../src/imap/command.ts";
import { searchCommand, uidSearchCommand } from "../../src/imap/commands/search.ts";
import { coreSearchKeys } from "../../src/imap/core_search_keys.ts";
import type { Extension } from "../../src/imap/extension.ts";
import { modSeqSearchKey } from "../../src/imap/extensions/condstore_search.ts";
import { esearch } from "../../src/imap/extensions/esearch.ts";
import { multisearch } from "../../src/imap/extensions/multisearch.ts";
import { objectid } from "../../src/imap/extensions/objectid.ts";
import { savedate } from "../../src/imap/extensions/savedate.ts";
import { searchres } from "../../src/imap/extensions/searchres.ts";
import { within } from "../../src/imap/extensions/within.ts";
import { ImapError } from "../../src/imap/imap_error.ts";
import { Registry } from "../../src/imap/registry.ts";
import type { Session } from "../../src/imap/session.ts";
import { Modes } from "../../src/session/modes.ts";
import { View } from "../../src/session/view.ts";
import { type AccountStore, StoreError } from "../../src/store/mod.ts";
import { Framer, Reader, WireError, Writer } from "../../src/wire/mod.ts";
import { ModelStore } from "../store/model_store.ts";

const core: Extension = {
  rfc: [9051],
  title: "what searches need of the core",
  commands: [searchCommand, uidSearchCommand],
  searchKeys: [...coreSearchKeys, modSeqSearchKey],
};

const registry = new Registry([
  core,
  esearch,
  searchres,
  within,
  savedate,
  multisearch,
  objectid,
]);

/** When messages come into their mailboxes here. */
export const SAVED_MS = Date.UTC(2026, 0, 15, 12);

/** An account on the model store and a session that speaks nothing but searches. */
export class SearchSession {
  /** Milliseconds since 1970; the tests turn it. */
  nowMs = SAVED_MS;
  /** What the last command let be told of others' changes. */
  catchUp: CatchUp = "none";
  view: View | undefined;
  readonly modes = new Modes(registry);
  readonly #aborter = new AbortController();
  readonly #writer = new Writer();
  #store: AccountStore;
  #flushes = 0;
  #tag = "";

  private constructor(account: AccountStore) {
    this.#store = account;
  }

  static async open(): Promise<SearchSession> {
    const store = new ModelStore({ now: () => SAVED_MS });
    await store.directory.addDomain("example.org");
    const { id } = await store.directory.addAccount("ann@example.org", "{}");
    return new SearchSession(await store.openAccount(id));
  }

  get store(): AccountStore {
    return this.#store;
  }

  /** Puts `store` between this session and the model. */
  wrapStore(wrap: (store: AccountStore) => AccountStore): void {
    this.#store = wrap(this.#store);
  }

  get flushes(): number {
    return this.#flushes;
  }

  /** Ends the connection as far as running commands see it. */
  end(): void {
    this.#aborter.abort();
  }

  async select(name: string, options: { claimRecent?: boolean } = {}): Promise<View> {
    const selected = await this.#store.selectMailbox(name, {
      claimRecent: options.claimRecent ?? false,
    });
    return this.view = new View(selected, false);
  }

  /**
   * Runs a command given with its literals in place and gives the answer's lines, without line
   * ends; text of more than one octet per character is sent as UTF-8.
   */
  async ask(command: string | Bytes): Promise<string[]> {
    const framer = new Framer();
    framer.push(typeof command === "string" ? encodeUtf8(`${command}\r\n`) : command);
    for (;;) {
      const event = framer.next();
      if (!event) throw new Error("the command is not complete");
      if (event.kind === "literal") {
        framer.holdLiteral();
        continue;
      }
      const reader = new Reader(event.frame, this.modes.nameMode);
      this.#tag = reader.tag();
      this.#writer.nameMode = this.modes.nameMode;
      this.#writer.raw(await this.#run(reader));
      return decodeUtf8(this.#writer.take()).split("\r\n").slice(0, -1);
    }
  }

  async #run(reader: Reader): Promise<string> {
    reader.space();
    let name = reader.word();
    if (name === "UID" && reader.trySpace()) name = `UID ${reader.word()}`;
    const spec = registry.commands.get(name);
    if (!spec) throw new Error(`${name} is not for this session`);
    try {
      if (spec.takesSequenceNumbers && this.modes.uidOnly) {
        throw new WireError("Use the UID form", "UIDREQUIRED");
      }
      const args = spec.parse(reader, this.#session());
      reader.end();
      const completion = await spec.run(this.#session(), args);
      this.catchUp = completion?.catchUp ?? spec.catchUp;
      return `${this.#tag} OK\r\n`;
    } catch (error) {
      this.catchUp = spec.catchUp;
      const code = (value: string | undefined) => value === undefined ? "" : ` [${value}]`;
      if (error instanceof WireError) return `${this.#tag} BAD${code(error.code)}\r\n`;
      if (error instanceof ImapError) return `${this.#tag} ${error.status}${code(error.code)}\r\n`;
      if (error instanceof StoreError) return `${this.#tag} NO [${error.code}]\r\n`;
      throw error;
    }
  }

  #session(): Session {
    const writer = this.#writer;
    const { view, modes } = this;
    const account = {
      id: 1 as AccountId,
      address: "ann@example.org",
      disabledMessage: undefined,
      removeAt: undefined,
      quotaBytes: undefined,
      disabledCapabilities: [],
      created: 0,
      securityVersion: 1,
      passwordVersion: 1,
    };
    const login = { account, address: account.address, store: this.#store };
    const session: Partial<Session> = {
      registry,
      modes,
      login,
      account: login,
      view,
      tag: this.#tag,
      signal: this.#aborter.signal,
      limits: { maxMessageBytes: 50_000_000 },
      now: () => this.nowMs,
      out: {
        writer,
        untagged: (text) => void writer.raw(`* ${text}\r\n`),
        flush: () => Promise.resolve(void this.#flushes++),
        relieve: () => undefined,
      },
      enableCondstore() {
        if (!modes.condstore && view) writer.raw(`* OK [HIGHESTMODSEQ ${view.modSeq}]\r\n`);
        modes.enable("CONDSTORE");
      },
    };
    if (view) Object.assign(session, { selected: view });
    return session as Session;
  }
}
