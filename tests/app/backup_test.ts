import assert from "node:assert/strict";
import { openSqliteStore } from "../../src/store/sqlite/engine.ts";
import { literal, TestClient } from "../support/client.ts";
import { contentsOf } from "../transfer/contents.ts";
import { runPostern, startPostern, withFolder } from "./postern_process.ts";

const PASSWORD = "a long password";
const USERS = ["a@example.org", "b@example.org", "c@example.org"];

/** Appends numbered messages until it is told to stop; gives how many were acknowledged. */
async function load(
  port: number,
  user: string,
  state: { isOver: boolean; acknowledged: number },
): Promise<void> {
  const client = await TestClient.connect(port);
  await client.ok(`LOGIN ${user} "${PASSWORD}"`);
  while (!state.isOver) {
    const text = `Subject: ${state.acknowledged + 1}\r\n\r\n${"x".repeat(2000)}\r\n`;
    await client.ok(["APPEND INBOX ", literal(text)]);
    state.acknowledged++;
  }
  await client.ok("LOGOUT");
  client.close();
}

async function contentsBelow(dataDir: string): Promise<Record<string, unknown>> {
  const store = await openSqliteStore({ dataDir });
  try {
    const contents: Record<string, unknown> = {};
    for (const { id, address } of await store.directory.listAccounts()) {
      contents[address] = await contentsOf(await store.openAccount(id));
    }
    return contents;
  } finally {
    await store.close();
  }
}

Deno.test("a backup under load is of one instant, and the next run brings the rest", () =>
  withFolder(async ({ path, config }) => {
    const run = async (args: string[], stdin = "", file = config) => {
      const result = await runPostern(["--config", file, ...args], { stdin });
      assert.equal(result.code, 0, `${args.join(" ")}: ${result.stderr}`);
      return result.stdout;
    };
    await run(["domain", "add", "example.org"]);
    for (const user of USERS) await run(["account", "add", user, "--stdin"], `${PASSWORD}\n`);
    const elsewhere = `${path}/elsewhere.toml`;
    await Deno.writeTextFile(elsewhere, 'hostname = "x"\ndata_dir = "restored"\n');
    const server = await startPostern(["--config", config, "serve"]);
    try {
      const port = Number(server.address("imap").split(":").at(-1));
      const states = [0, 1].map(() => ({ isOver: false, acknowledged: 0 }));
      const loads = Promise.all(states.map((state, i) => load(port, USERS[i] ?? "", state)));
      // Told below; until then another failure may be the first.
      loads.catch(() => undefined);
      while (states.some(({ acknowledged }) => acknowledged < 20)) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      const before = states.map(({ acknowledged }) => acknowledged);
      assert.deepEqual(JSON.parse(await run(["backup", `${path}/backup`, "--json"])), {
        ...{ accounts: 3, copied: 3 },
      });
      const after = states.map(({ acknowledged }) => acknowledged);
      for (const state of states) state.isOver = true;
      await loads;
      assert.ok(after.every((count, i) => count > (before[i] ?? 0)), "mail flowed meanwhile");

      await run(["restore", `${path}/backup`], "", elsewhere);
      assert.equal(await run(["check"], "", elsewhere), "every invariant holds\n");
      for (const [i, user] of USERS.slice(0, 2).entries()) {
        const shown = JSON.parse(await run(["account", "show", user, "--json"], "", elsewhere));
        const inbox = shown.mailboxes.find(({ name }: { name: string }) => name === "INBOX");
        assert.ok(inbox.messages >= (before[i] ?? 0), "what was acknowledged before is there");
        assert.ok(inbox.messages <= (states[i]?.acknowledged ?? 0));
      }
      assert.deepEqual(JSON.parse(await run(["backup", `${path}/backup`, "--json"])), {
        ...{ accounts: 3, copied: 2 },
      });
    } finally {
      assert.equal((await server.stop("SIGTERM")).code, 0);
    }
    const refused = await runPostern(["--config", elsewhere, "restore", `${path}/backup`]);
    assert.deepEqual([refused.code, refused.stdout], [1, ""]);
    assert.match(
      refused.stderr,
      /^postern: .*restored holds data, and nothing is overwritten.*\n$/,
    );
    await Deno.remove(`${path}/restored`, { recursive: true });
    await run(["restore", `${path}/backup`], "", elsewhere);
    assert.deepEqual(await contentsBelow(`${path}/restored`), await contentsBelow(`${path}/data`));
  }, '[[listener]]\nkind = "imap"\naddress = "127.0.0.1:0"\n[auth]\nallow_plaintext = true\n'));

Deno.test("one account is put back beside a running server, whose sessions of it end", () =>
  withFolder(async ({ path, config }) => {
    const run = (args: string[], stdin = "") =>
      runPostern(["--config", config, ...args], { stdin });
    const user = "a@example.org";
    await run(["domain", "add", "example.org"]);
    await run(["account", "add", user, "--stdin"], `${PASSWORD}\n`);
    await run(["deliver", user], "Subject: kept\n\n");
    assert.equal((await run(["backup", `${path}/backup`])).code, 0);
    const server = await startPostern(["--config", config, "serve"]);
    try {
      const port = Number(server.address("imap").split(":").at(-1));
      const client = await TestClient.connect(port);
      await client.ok(`LOGIN ${user} "${PASSWORD}"`);
      await client.ok(["APPEND INBOX ", literal("Subject: later\r\n\r\n")]);
      const restore = ["restore", `${path}/backup`, "--account", user];
      const refused = await run(restore);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /exists, and nothing is overwritten: with --replace/);
      const replaced = await run([...restore, "--replace"]);
      assert.deepEqual([replaced.code, replaced.stderr], [0, ""]);
      assert.equal(replaced.stdout, `${user} restored in place of what was there\n`);
      const again = await TestClient.connect(port);
      await again.ok(`LOGIN ${user} "${PASSWORD}"`);
      assert.ok((await again.ok("SELECT INBOX")).untagged.includes("1 EXISTS"));
      client.close();
      again.close();
      for (
        const [args, why] of [
          [["restore", `${path}/data`], /there is no backup in/],
          [["restore", `${path}/backup`, "--account", "eve@example.org"], /has no account/],
          [["backup", path], /is not empty and not a backup/],
        ] as const
      ) {
        const { code, stderr } = await run([...args]);
        assert.equal(code, 1);
        assert.match(stderr, why);
      }
      assert.equal((await run(["restore", `${path}/backup`, "--replace"])).code, 2);
    } finally {
      assert.equal((await server.stop("SIGTERM")).code, 0);
    }
  }, '[[listener]]\nkind = "imap"\naddress = "127.0.0.1:0"\n[auth]\nallow_plaintext = true\n'));
