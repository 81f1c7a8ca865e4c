import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { runPostern, startPostern, withFolder } from "./postern_process.ts";

const LISTENER = '[[listener]]\nkind = "imap"\naddress = "127.0.0.1:0"\n';

Deno.test("check finds damage beside the running server, and check --repair mends it and says how", async () => {
  await withFolder(async ({ path, config }) => {
    const run = (args: string[], stdin?: string) =>
      runPostern(["--config", config, ...args], stdin === undefined ? {} : { stdin });
    await run(["domain", "add", "example.org"]);
    const account = "ann@example.org";
    await run(["account", "add", account, "--stdin"], "correct horse battery\n");
    const server = await startPostern(["--config", config, "serve"]);
    try {
      const delivered = await run(["deliver", account], "Subject: one\r\n\r\nbody\r\n");
      assert.equal(delivered.code, 0, delivered.stderr);
      const db = new DatabaseSync(`${path}/data/accounts/1/mail.db`);
      db.exec("UPDATE mailbox SET messages = 7 WHERE name = 'INBOX'; DELETE FROM search_text");
      db.close();

      const found = await run(["check"]);
      assert.equal(found.code, 1);
      assert.match(found.stdout, /^ann@example.org: mailbox INBOX: the counts .*\n/m);
      assert.match(found.stderr, /\d invariants are broken: .*--repair/);

      const mended = await run(["check", "--repair"]);
      assert.equal(mended.code, 0, mended.stderr);
      assert.match(mended.stdout, /a copy of the database as it was is in .*before-repair/);
      assert.match(mended.stdout, /content 1: its text for search is missing; derived anew/);
      assert.match(mended.stdout, /mailboxes were counted anew \(1\)\n/);
      assert.match(mended.stdout, /every invariant holds\n$/);

      const again = JSON.parse((await run(["check", "--repair", "--json"])).stdout);
      assert.deepEqual(again, { mended: [], breaches: [] });
    } finally {
      await server.stop("SIGTERM");
    }
  }, LISTENER);
});

Deno.test("check --repair makes a file anew whose index cannot be read, once the server is stopped", async () => {
  await withFolder(async ({ path, config }) => {
    const run = (args: string[], stdin?: string) =>
      runPostern(["--config", config, ...args], stdin === undefined ? {} : { stdin });
    const [account, message] = ["ann@example.org", "Subject: one\r\n\r\nbody\r\n"];
    await run(["domain", "add", "example.org"]);
    await run(["account", "add", account, "--stdin"], "correct horse battery\n");
    await run(["deliver", account], message);
    const file = `${path}/data/accounts/1/mail.db`;
    const db = new DatabaseSync(file);
    const row = db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'message_modseq'")
      .get();
    db.close();
    const disk = await Deno.open(file, { write: true });
    await disk.seek((Number(row?.["rootpage"]) - 1) * 8192, Deno.SeekMode.Start);
    await disk.write(new Uint8Array(8192));
    disk.close();

    const server = await startPostern(["--config", config, "serve"]);
    try {
      const found = await run(["check"]);
      assert.equal(found.code, 1);
      assert.match(found.stdout, /^ann@example.org: the file is damaged: /);
      assert.equal((await run(["deliver", account], message)).code, 75, "tried again later");
    } finally {
      await server.stop("SIGTERM");
    }
    const mended = await run(["check", "--repair"]);
    assert.equal(mended.code, 0, mended.stderr);
    assert.match(mended.stdout, /: the file was made anew from its tables\n/);
    assert.match(mended.stdout, /every invariant holds\n$/);
    assert.equal((await run(["deliver", account], message)).code, 0);
  }, LISTENER);
});
