import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { Buffer } from "node:buffer";
import { BaseDeltaChat, type T, yerpc } from "@deltachat/jsonrpc-client";

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

/** JSON-RPC, a line for each message, with a child process. */
class ChildTransport extends yerpc.BaseTransport {
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly done: Promise<void>;

  constructor(child: Deno.ChildProcess) {
    super();
    this.#child = child;
    this.#stdin = child.stdin.getWriter();
    this.done = this.#read();
  }

  override _send(message: unknown): void {
    // When the program is gone, what it was asked is never answered.
    this.#stdin.write(Buffer.from(JSON.stringify(message) + "\n")).catch(() => {});
  }

  async #read(): Promise<void> {
    let text = "";
    for await (const piece of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      text += piece;
      for (let end; (end = text.indexOf("\n")) >= 0; text = text.slice(end + 1)) {
        this._onmessage(JSON.parse(text.slice(0, end)));
      }
    }
  }

  async end(): Promise<void> {
    await this.#stdin.close();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 5_000);
    await Promise.all([this.#child.status, this.done]);
    clearTimeout(timer);
  }
}

type Event = { readonly account: number; readonly event: T.EventType };

/** The core of Delta Chat, with as many accounts as a test wants. */
export class DeltaChat {
  readonly client: BaseDeltaChat<ChildTransport>;
  readonly #transport: ChildTransport;
  readonly events: Event[] = [];
  #wake: (() => void)[] = [];

  constructor(core: string, folder: string) {
    const child = new Deno.Command(core, {
      env: { DC_ACCOUNTS_PATH: `${folder}/accounts`, RUST_LOG: "error" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#transport = new ChildTransport(child);
    this.client = new BaseDeltaChat(this.#transport, true);
    this.client.on("ALL", (account, event) => {
      this.events.push({ account, event });
      for (const wake of this.#wake.splice(0)) wake();
    });
  }

  get rpc(): BaseDeltaChat<ChildTransport>["rpc"] {
    return this.client.rpc;
  }

  /** The first event that fits, of those from number `from` on. */
  async event<Kind extends T.EventType["kind"]>(
    account: number,
    kind: Kind,
    from = 0,
  ): Promise<Extract<T.EventType, { kind: Kind }>> {
    const end = Date.now() + TIMEOUT_MS;
    for (;;) {
      const found = this.events.slice(from).find((each) =>
        each.account === account && each.event.kind === kind
      );
      if (found) return found.event as Extract<T.EventType, { kind: Kind }>;
      const left = end - Date.now();
      assert.ok(left > 0, `no ${kind}: ${this.problems(account).join("\n")}`);
      await Promise.race([
        new Promise<void>((resolve) => this.#wake.push(resolve)),
        new Promise((resolve) => setTimeout(resolve, Math.min(left, 200))),
      ]);
    }
  }

  /** What the account complained of. */
  problems(account: number): string[] {
    return this.events
      .filter((each) => each.account === account && /Error|Warning/.test(each.event.kind))
      .map(({ event }) => JSON.stringify(event));
  }

  async close(): Promise<void> {
    await this.#transport.end();
  }
}
