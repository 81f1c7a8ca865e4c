import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { DatabaseSync } from "node:sqlite";

/** Longest wait for something that the client tells of. */
const TIMEOUT_MS = 30_000;

/** Where the core of Delta Chat lies; undefined where npm has none for this machine. */
export async function findCore(): Promise<string | undefined> {
  if (Deno.build.target !== "x86_64-unknown-linux-gnu") return undefined;
  // The import has Deno fetch the package; the program is not a module.
  await import("@deltachat/stdio-rpc-server-linux-x64/package.json", { with: { type: "json" } });
  return createRequire(import.meta.url)
    .resolve("@deltachat/stdio-rpc-server-linux-x64/package.json")
    .replace(/package\.json$/, "deltachat-rpc-server");
}

/** What the tests look at in an event of the core. */
export interface CoreEvent {
  readonly kind: string;
  readonly msgId?: number;
  readonly progress?: number;
}

export interface CoreMessage {
  readonly text: string;
  readonly showPadlock: boolean;
  readonly file: string | null;
  readonly downloadState: string;
}

/** Where to log in and how, for `add_or_update_transport`. */
export interface LoginParameters {
  readonly addr: string;
  readonly password: string;
  readonly imapServer: string;
  readonly imapPort: number;
  readonly imapSecurity: "ssl";
  readonly smtpServer: string;
  readonly smtpPort: number;
  readonly smtpSecurity: "ssl";
  readonly certificateChecks: "acceptInvalidCertificates";
}

type Event = { readonly account: number; readonly event: CoreEvent };
type Answer = { readonly id: number; readonly result?: unknown; readonly error?: unknown };

/**
 * The core of Delta Chat, with as many accounts as a test wants: JSON-RPC with a child process, a
 * line for each message. Its own client is not used, as it brings other types for Node along.
 */
export class DeltaChat {
  readonly events: Event[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #done: Promise<unknown>;
  #lastId = 0;
  #wake: (() => void)[] = [];

  constructor(core: string, folder: string) {
    this.#child = new Deno.Command(core, {
      env: { DC_ACCOUNTS_PATH: `${folder}/accounts`, RUST_LOG: "error" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#stdin = this.#child.stdin.getWriter();
    this.#done = Promise.all([this.#read(), this.#follow()]);
  }

  /** Calls a method of the core, by its name there. */
  async call<Result = null>(method: string, ...params: readonly unknown[]): Promise<Result> {
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<unknown>();
    this.#asked.set(id, answer);
    // The core may end before the line is written, and so before anybody waits for the answer.
    answer.promise.catch(() => {});
    const line = JSON.stringify({ jsonrpc: "2.0", id, method, params }) + "\n";
    await this.#stdin.write(new TextEncoder().encode(line));
    return await answer.promise as Result;
  }

  /**
   * Has the core remember the address of a name, in its accounts of now, for when it asks DNS in
   * vain: it keeps what DNS said before in the databases of its accounts.
   */
  async rememberName(folder: string, name: string, address: string): Promise<void> {
    for await (const entry of Deno.readDir(`${folder}/accounts`)) {
      if (!entry.isDirectory) continue;
      const db = new DatabaseSync(`${folder}/accounts/${entry.name}/dc.db`);
      db.prepare("INSERT OR REPLACE INTO dns_cache VALUES (?, ?, ?)")
        .run(name, address, Math.floor(Date.now() / 1000));
      db.close();
    }
  }

  /** The first event that fits, of those from number `from` on. */
  async event(account: number, kind: string, from = 0): Promise<CoreEvent> {
    const end = Date.now() + TIMEOUT_MS;
    for (;;) {
      const found = this.events.slice(from).find((each) =>
        each.account === account && each.event.kind === kind
      );
      if (found) return found.event;
      const left = end - Date.now();
      assert.ok(left > 0, `no ${kind}: ${this.problems(account).join("\n")}`);
      let timer: ReturnType<typeof setTimeout> | undefined;
      await Promise.race([
        new Promise<void>((resolve) => this.#wake.push(resolve)),
        new Promise((resolve) => timer = setTimeout(resolve, left)),
      ]);
      clearTimeout(timer);
    }
  }

  /** What the account complained of. */
  problems(account: number): string[] {
    return this.events
      .filter((each) => each.account === account && /Error|Warning/.test(each.event.kind))
      .map(({ event }) => JSON.stringify(event));
  }

  async close(): Promise<void> {
    await this.#stdin.close();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 5_000);
    await Promise.all([this.#child.status, this.#done]);
    clearTimeout(timer);
  }

  async #read(): Promise<void> {
    let text = "";
    for await (const piece of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      text += piece;
      for (let end; (end = text.indexOf("\n")) >= 0; text = text.slice(end + 1)) {
        const { id, result, error }: Answer = JSON.parse(text.slice(0, end));
        const asked = this.#asked.get(id);
        this.#asked.delete(id);
        if (error === undefined) asked?.resolve(result);
        else asked?.reject(new Error(JSON.stringify(error)));
      }
    }
    for (const { reject } of this.#asked.values()) reject(new Error("the core has ended"));
  }

  async #follow(): Promise<void> {
    try {
      for (;;) {
        const batch = await this.call<{ contextId: number; event: CoreEvent }[]>(
          "get_next_event_batch",
        );
        for (const { contextId, event } of batch) this.events.push({ account: contextId, event });
        for (const wake of this.#wake.splice(0)) wake();
      }
    } catch {
      // The core has ended.
    }
  }
}
