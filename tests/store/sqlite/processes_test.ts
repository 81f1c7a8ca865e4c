import assert from "node:assert/strict";
import { join } from "node:path";
import type { AccountId } from "../../../src/base/mod.ts";
import { decodeUtf8 } from "../../../src/base/mod.ts";
import { Database } from "../../../src/store/sqlite/database.ts";
import { openSqliteStore, type SqliteStore } from "../../../src/store/sqlite/engine.ts";
import { box, breaches, liveRows, put, raw, refuses } from "../fixture.ts";
import { withFolder } from "./account_fixture.ts";
import { bodyOf } from "./store_process.ts";

class StoreProcess {
  readonly lines: string[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;

  constructor(dataDir: string, account: AccountId, mode: string, seed: number) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        "--config",
        new URL("../../../deno.json", import.meta.url).pathname,
        new URL("./store_process.ts", import.meta.url).pathname,
        dataDir,
        String(account),
        mode,
        String(seed),
      ],
      stdout: "piped",
    }).spawn();
    this.#reading = this.#read();
  }

  async waitFor(line: string | number): Promise<void> {
    const isThere = () =>
      typeof line === "number" ? this.lines.length >= line : this.lines.includes(line);
    while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended();
  }

  async ended(): Promise<void> {
    await this.#child.status;
    await this.#reading;
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      // What comes after the last line end was not said whole.
      rest = lines.pop() ?? "";
      this.lines.push(...lines);
    }
  }
}

async function withHost(
  run: (dataDir: string, id: AccountId, open: () => Promise<SqliteStore>) => Promise<void>,
): Promise<void> {
  await withFolder(async (dataDir) => {
    const store = await openSqliteStore({ dataDir });
    await store.directory.addDomain("example.org");
    const { id } = await store.directory.addAccount("ann@example.org", "{}");
    await store.close();
    await run(dataDir, id, () => openSqliteStore({ dataDir }));
  });
}

Deno.test("after kill -9 everything that was acknowledged is there, and nothing is half there", () =>
  withHost(async (dataDir, id, open) => {
    for (let seed = 1; seed <= 3; seed++) {
      const child = new StoreProcess(dataDir, id, "work", seed);
      await child.waitFor(10 + Math.floor(Math.random() * 40));
      await child.kill();

      const store = await open();
      const account = await store.openAccount(id);
      assert.deepEqual(await breaches(account), []);
      const inbox = await box(account, "INBOX");
      const work = await box(account, `work${seed}`);
      const rows = new Map((await liveRows(account, inbox.id)).map((row) => [row.uid, row]));
      const last = child.lines.at(-1)?.split(" ")[1];
      for (const line of child.lines.filter((it) => it !== "ready")) {
        const [what, number, uidText] = line.split(" ");
        const uid = Number(uidText);
        const row = rows.get(uid as never);
        const isMoved = Number(number) % 4 === 2;
        const isExpunged = Number(number) % 4 === 3;
        // What came after the last acknowledgement may have happened, or not.
        if (what === "appended" && (isMoved || isExpunged || number === last)) continue;
        if (what === "expunged") assert.equal(row, undefined, line);
        else {
          const mailbox = what === "moved" ? work : inbox;
          const text = decodeUtf8(await raw(account, mailbox.id, uid));
          assert.equal(text, decodeUtf8(bodyOf(seed, Number(number))), line);
        }
        if (what === "flagged") assert.deepEqual([row?.flags, row?.keywords], [4, "kept"]);
      }
      // UIDs go on where they were.
      assert.equal(await put(account, "INBOX"), inbox.uidNext);
      await store.close();
    }
  }));

Deno.test("two processes work on one account, and each sees at once what the other did", () =>
  withHost(async (dataDir, id, open) => {
    const store = await open();
    const account = await store.openAccount(id);
    const child = new StoreProcess(dataDir, id, "append", 9);
    await child.waitFor("ready");
    for (let i = 0; i < 60; i++) await put(account, "INBOX");
    await child.waitFor("done");
    const inbox = await box(account, "INBOX");
    assert.equal(inbox.counts.messages, 120);
    assert.equal(inbox.uidNext, 121);
    const modSeqs = (await liveRows(account, inbox.id)).map(({ modSeq }) => modSeq);
    assert.equal(new Set(modSeqs).size, 120);
    await child.ended();
    assert.deepEqual(await breaches(account), []);
    await store.close();
  }));

Deno.test("changes of the directory by another process are seen at once", () =>
  withHost(async (_dataDir, id, open) => {
    const [server, tool] = [await open(), await open()];
    const account = await server.openAccount(id);
    await put(account, "INBOX");
    await tool.directory.setAccountQuota(id, 1);
    await refuses("over-quota", put(account, "INBOX"));
    await tool.directory.setAccountQuota(id, null);
    await put(account, "INBOX");
    const before = await server.directory.getAccount(id);
    await tool.directory.setAccountDisabled(id, "Unpaid.");
    const after = await server.directory.getAccount(id);
    assert.equal(after?.disabledMessage, "Unpaid.");
    assert.ok((after?.securityVersion ?? 0) > (before?.securityVersion ?? 0));
    await tool.directory.removeAccount(id);
    await refuses("not-found", account.listMailboxes());
    await refuses("not-found", put(account, "INBOX"));
    await server.close();
    await tool.close();
  }));

Deno.test("a writer that another process keeps waiting too long is refused, and may try again", () =>
  withHost(async (dataDir, id, open) => {
    const store = await open();
    const account = await store.openAccount(id);
    const other = Database.open(join(dataDir, "accounts", String(id), "mail.db"));
    other.exec("BEGIN IMMEDIATE");
    await refuses("unavailable", account.createMailbox("a"));
    assert.equal((await account.listMailboxes()).length, 6, "readers do not wait");
    other.exec("ROLLBACK");
    other.close();
    await account.createMailbox("a");
    await store.close();
  }));
