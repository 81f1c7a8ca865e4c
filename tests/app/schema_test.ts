import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { TestClient } from "../support/client.ts";
import { runPostern, startPostern, withFolder } from "./postern_process.ts";

const SETTINGS = `[auth]
allow_plaintext = true
[[listener]]
kind = "imap"
address = "127.0.0.1:0"
`;
const FIXTURES = new URL("../store/fixtures/", import.meta.url);

function alter(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
}

Deno.test("data of a newer version is refused in one line that says what to do, by commands and the server", async () => {
  await withFolder(async ({ path, config }) => {
    const run = (...args: string[]) => runPostern(["--config", config, ...args]);
    await run("domain", "add", "example.org");
    await runPostern(["--config", config, "account", "add", "ann@example.org", "--stdin"], {
      stdin: "correct horse battery\n",
    });
    const mail = `${path}/data/accounts/1/mail.db`;
    alter(mail, "PRAGMA user_version = 99");
    const newer = (kind: string) =>
      new RegExp(
        `^postern: the ${kind} database has schema 99; this version knows \\d+` +
          "; run the newer version again\\n$",
      );
    const check = await run("check");
    assert.equal(check.code, 1);
    assert.match(check.stderr, newer("mail"));

    // One account's data is no reason to refuse the others.
    const server = await startPostern(["--config", config, "serve"]);
    try {
      const client = await TestClient.connect(Number(server.address("imap").split(":").at(-1)));
      await client.no('LOGIN ann@example.org "correct horse battery"', "UNAVAILABLE");
      client.close();
    } finally {
      await server.stop("SIGTERM");
    }
    assert.match(server.stderr(), /schema 99; this version knows/);

    alter(`${path}/data/directory.db`, "PRAGMA user_version = 99");
    for (const command of [["serve"], ["account", "list"]]) {
      const refused = await run(...command);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, newer("directory"));
    }
  }, SETTINGS);
});

Deno.test("data of the earliest version is upgraded by the server, which keeps a copy of it", async () => {
  await withFolder(async ({ path, config }) => {
    const data = `${path}/data`;
    await Deno.mkdir(`${data}/accounts/1`, { recursive: true });
    for (
      const [name, file] of [
        ["directory_0001.sql", "directory.db"],
        ["mail_0001.sql", "accounts/1/mail.db"],
      ] as const
    ) {
      alter(`${data}/${file}`, await Deno.readTextFile(new URL(name, FIXTURES)));
    }
    await runPostern(["--config", config, "account", "password", "ann@example.org", "--stdin"], {
      stdin: "correct horse battery\n",
    });
    const server = await startPostern(["--config", config, "serve"]);
    try {
      const client = await TestClient.connect(Number(server.address("imap").split(":").at(-1)));
      await client.ok('LOGIN ann@example.org "correct horse battery"');
      const { untagged } = await client.ok("STATUS INBOX (MESSAGES)");
      assert.deepEqual(untagged, ["STATUS INBOX (MESSAGES 1)"]);
      client.close();
    } finally {
      await server.stop("SIGTERM");
    }
    const files = [...Deno.readDirSync(data), ...Deno.readDirSync(`${data}/accounts/1`)]
      .map(({ name }) => name).filter((name) => name.includes("before-schema"));
    assert.deepEqual(files.map((name) => name.replace(/\d+$/, "N")).sort(), [
      "directory.db.before-schema-N",
      "mail.db.before-schema-N",
    ]);
    assert.equal((await runPostern(["--config", config, "check"])).code, 0);
  }, SETTINGS);
});
