import assert from "node:assert/strict";
import { StoreError } from "../../src/store/mod.ts";
import { Database } from "../../src/store/sqlite/database.ts";
import { type CommandText, literal, type Result, type TestClient } from "../support/client.ts";
import { simpleMessage } from "../support/messages.ts";
import { withServer } from "../support/server.ts";

/** Goes to the database in several pieces before the message is whole. */
const LARGE = simpleMessage("large", "line of a large message\r\n".repeat(40_000));

/** Commands of a session that write in several steps, some before their last octet has come. */
const COMMANDS: Readonly<Record<string, CommandText>> = {
  "CATENATE": [
    'APPEND Target (\\Seen new) CATENATE (URL "/INBOX/;UID=1/;SECTION=HEADER" TEXT ',
    literal(LARGE),
    ' URL "/INBOX/;UID=2" TEXT ',
    literal("the end\r\n"),
    ")",
  ],
  "CATENATE of two messages": [
    "APPEND Target CATENATE (TEXT ",
    literal(LARGE),
    ') () CATENATE (URL "/INBOX/;UID=3")',
  ],
  "REPLACE": ["UID REPLACE 2 INBOX (\\Flagged) ", literal(simpleMessage("small"))],
  "REPLACE into another mailbox": ["UID REPLACE 2 Target ", literal(LARGE)],
  "REPLACE with CATENATE": [
    'UID REPLACE 3 Target CATENATE (URL "/INBOX/;UID=3/;SECTION=HEADER" TEXT ',
    literal(LARGE),
    ")",
  ],
};

/** Makes write number `step` of one database fail, whatever it is; no write when undefined. */
class FailingWrites implements Disposable {
  step: number | undefined;
  #target: Database | undefined;
  #writes = 0;
  #isWriting = false;
  readonly #original = {
    run: Database.prototype.run,
    number: Database.prototype.number,
    exec: Database.prototype.exec,
  };

  constructor() {
    // deno-lint-ignore no-this-alias -- each function has the database as its own
    const faults = this;
    const { run, number, exec } = this.#original;
    Database.prototype.run = function (sql, ...values) {
      // The first message names the database that is meant: there are those of logins and search.
      if (/INSERT INTO message /.test(sql)) faults.#target ??= this;
      faults.#check(this);
      return run.call(this, sql, ...values);
    };
    Database.prototype.number = function (sql, ...values) {
      if (/^\s*(UPDATE|INSERT|DELETE)/.test(sql)) faults.#check(this);
      return number.call(this, sql, ...values);
    };
    Database.prototype.exec = function (sql) {
      if (this === faults.#target && sql === "BEGIN IMMEDIATE") faults.#isWriting = true;
      if (sql === "COMMIT" && faults.#isWriting) faults.#check(this);
      if (this === faults.#target && /^(COMMIT|ROLLBACK)$/.test(sql)) faults.#isWriting = false;
      exec.call(this, sql);
    };
  }

  failAt(step: number): void {
    this.step = step;
    this.#writes = 0;
  }

  /** Whether there was such a write; all others succeed from here on. */
  end(): boolean {
    const hasFailed = this.step !== undefined && this.#writes > this.step;
    this.step = undefined;
    return hasFailed;
  }

  #check(db: Database): void {
    if (db !== this.#target || this.step === undefined) return;
    if (this.#writes++ === this.step) throw new StoreError("unavailable", "injected");
  }

  [Symbol.dispose](): void {
    Object.assign(Database.prototype, this.#original);
  }
}

/** All that a client can see of the mailboxes. */
async function everything(client: TestClient): Promise<readonly (readonly string[])[]> {
  const seen: Result[] = [];
  for (const mailbox of ["INBOX", "Target"]) {
    seen.push(await client.ok(`EXAMINE ${mailbox} (CONDSTORE)`));
    seen.push(await client.ok("UID FETCH 1:* (FLAGS MODSEQ BODY.PEEK[])"));
    await client.ok("UNSELECT");
  }
  return seen.map(({ untagged }) => untagged);
}

for (const [name, command] of Object.entries(COMMANDS)) {
  Deno.test(`${name}, of which any write fails, is refused and leaves everything as it was`, () =>
    withServer(async (server) => {
      using faults = new FailingWrites();
      const setUp = await server.login();
      await setUp.ok("CREATE Target");
      for (const subject of ["one", "two", "three"]) {
        await setUp.append("INBOX", simpleMessage(subject));
      }
      const worker = await server.login("INBOX");
      const other = await server.login();
      const before = await everything(other);
      let steps = 0;
      for (;; steps++) {
        faults.failAt(steps);
        const { status, code, text } = await worker.cmd(command);
        if (!faults.end()) {
          assert.equal(status, "OK", text);
          break;
        }
        assert.deepEqual([status, code], ["NO", "UNAVAILABLE"], `step ${steps}: ${text}`);
        assert.deepEqual(await everything(other), before, `after a failure at step ${steps}`);
        assert.deepEqual((await worker.ok("NOOP")).untagged, [], "nothing is told");
      }
      assert.ok(steps >= 5, `${steps} steps`);
      assert.notDeepEqual(await everything(other), before);
    }));
}
