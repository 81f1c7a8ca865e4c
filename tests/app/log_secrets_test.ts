import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { literal, TestClient } from "../support/client.ts";
import { runPostern, startPostern, withFolder } from "./postern_process.ts";

const USER = "ann@example.org";
const PASSWORD = "xyzzy-plugh-plover";
const WRONG = "not-the-plover";
const CONTENT = "what-only-ann-may-read";
const TOML = `[log]
level = "trace"
[[listener]]
kind = "imaps"
address = "127.0.0.1:0"
`;

Deno.test("no log level shows passwords or mail (behaviour 8.1, 8.2 26)", async () => {
  await withFolder(async ({ config }) => {
    const run = (args: string[], stdin?: string) =>
      runPostern(["--config", config, ...args], stdin === undefined ? {} : { stdin });
    await run(["domain", "add", "example.org"]);
    await run(["account", "add", USER, "--stdin"], `${PASSWORD}\n`);
    const server = await startPostern(["--config", config, "serve"]);
    const plain = (password: string) => Buffer.from(`\0${USER}\0${password}`).toString("base64");
    try {
      const port = Number(server.address("imaps").split(":")[1]);
      const stranger = await TestClient.connect(port, { tls: true });
      await stranger.no(`LOGIN ${USER} ${WRONG}`);
      await stranger.no(`AUTHENTICATE PLAIN ${plain(WRONG)}`);
      await stranger.bad(`LOGIN ${USER} ${PASSWORD} ${PASSWORD}`);
      await stranger.ok(["LOGIN ", literal(USER), " ", literal(PASSWORD)]);
      const owner = await TestClient.connect(port, { tls: true });
      await owner.ok(`AUTHENTICATE PLAIN ${plain(PASSWORD)}`);
      await owner.append("INBOX", `Subject: ${CONTENT}\r\n\r\n${CONTENT}\r\n`);
      await owner.bad(["APPEND INBOX (\\Wrong) ", literal(CONTENT, { nonSync: true })]);
      await owner.ok("SELECT INBOX");
      await owner.ok(`SEARCH TEXT ${CONTENT}`);
      await owner.ok("FETCH 1 (BODY[] ENVELOPE)");
      await owner.bad(`SEARCH ${CONTENT}`);
      await run(["deliver", USER], `Subject: ${CONTENT}\r\n\r\n${CONTENT}\r\n`);
      for (const client of [stranger, owner]) await client.logout();
    } finally {
      await server.stop("SIGTERM");
    }
    const log = server.stderr();
    assert.match(log, /FETCH ok in /, "the level is below debug");
    for (const secret of [PASSWORD, WRONG, CONTENT, plain(PASSWORD), plain(WRONG)]) {
      assert.ok(!log.includes(secret), `${secret} is in the log`);
    }
  }, TOML);
});
