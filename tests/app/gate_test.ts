import assert from "node:assert/strict";
import { connect } from "node:net";
import { runPostern, type ServerProcess, startPostern, withFolder } from "./postern_process.ts";

const LISTENERS = `
[auth]
allow_plaintext = true
[limits]
connections_per_address = 5
failed_logins_per_minute = 3
failed_logins_per_day = 6
max_connections_per_user = 2
[[listener]]
kind = "imap"
address = "127.0.0.1:0"
proxy_protocol = ["127.0.0.0/8"]
`;

/** A connection through the trusted proxy, from `source`; says `lines` and gives all that comes. */
function converse(server: ServerProcess, source: string, lines: readonly string[]) {
  const { socket, text } = open(server, source);
  socket.write(lines.map((line) => `${line}\r\n`).join(""));
  return text;
}

function open(server: ServerProcess, source: string) {
  const [host, port] = server.address("imap").split(":");
  const socket = connect({ host, port: Number(port) });
  const header = source === "proxy"
    ? "PROXY UNKNOWN\r\n"
    : `PROXY TCP4 ${source} 198.51.100.1 50000 143\r\n`;
  socket.write(header);
  let received = "";
  const text = new Promise<string>((resolve, reject) => {
    socket.on("data", (data) => received += data.toString());
    socket.on("error", reject);
    socket.on("close", () => resolve(received));
  });
  return { socket, text };
}

const SHORT = ["z LOGOUT"];

Deno.test("failed logins ban their network, over a restart too, until somebody lets it in again", () =>
  withFolder(async ({ config }) => {
    const cli = async (...args: string[]) => await runPostern([...args, "--config", config]);
    const ok = async (...args: string[]) => {
      const { code, stdout, stderr } = await cli(...args);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    await ok("domain", "add", "example.org");
    const password = (await ok("account", "add", "alice@example.org", "--generate")).trim();
    let server = await startPostern(["serve", "--config", config]);
    const wrong = [
      ...["a", "b", "c"].map((tag) => `${tag} LOGIN alice@example.org wrong`),
      ...SHORT,
    ];
    const refused = await converse(server, "192.0.2.7", wrong);
    assert.equal(refused.match(/ NO \[AUTHENTICATIONFAILED\] Authentication failed/g)?.length, 3);
    assert.match(
      server.stderr(),
      /warn auth: failed authentication: username="alice@example\.org" remote=192\.0\.2\.7 protocol=imap mechanism=LOGIN result=badpassword\n/,
    );
    const bye = /^\* BYE \[UNAVAILABLE\] Too many failed logins/;
    const hello = /^\* OK /;
    assert.match(await converse(server, "192.0.2.7", SHORT), bye);
    assert.match(await converse(server, "192.0.2.8", SHORT), hello);
    for (let i = 0; i < 10; i++) assert.match(await converse(server, "proxy", SHORT), hello);

    const [ban] = JSON.parse(await ok("ban", "list", "--json")).banned;
    assert.equal(ban.network, "192.0.2.7/32");
    assert.equal(
      ban.reason,
      "3 failed logins in a minute, the last from 192.0.2.7 for alice@example.org",
    );
    assert.match(await ok("ban", "list"), /^192\.0\.2\.7\/32 +waits +20\d\d-.* 3 failed logins/m);

    await server.stop("SIGTERM");
    server = await startPostern(["serve", "--config", config]);
    assert.match(await converse(server, "192.0.2.7", SHORT), bye);

    assert.equal((await cli("ban", "remove", "203.0.113.1")).code, 1);
    assert.equal((await cli("ban", "remove", "nonsense")).code, 2);
    await ok("ban", "remove", "192.0.2.7");
    await eventually(async () => hello.test(await converse(server, "192.0.2.7", SHORT)));
    assert.equal((await cli("ban", "remove", "192.0.2.7")).code, 1);

    await ok("ban", "allow", "192.0.2.99/25");
    await eventually(async () => {
      await converse(server, "192.0.2.7", wrong);
      return hello.test(await converse(server, "192.0.2.7", SHORT));
    });
    await converse(server, "192.0.2.7", wrong);
    await converse(server, "192.0.2.7", wrong);
    assert.match(await converse(server, "192.0.2.7", SHORT), hello);
    assert.match(await ok("ban", "list"), /^192\.0\.2\.0\/25 +allowed/m);
    await ok("ban", "disallow", "192.0.2.0/25");
    assert.equal((await cli("ban", "disallow", "192.0.2.0/25")).code, 1);

    // The client says what it is after it has logged in.
    const id = 'b ID ("name" "Test Mail" "version" "7")';
    await converse(server, "203.0.113.9", [`a LOGIN alice@example.org ${password}`, id, ...SHORT]);
    await converse(server, "203.0.113.9", ["a LOGIN nobody@example.org x", ...SHORT]);
    const entries = JSON.parse(await ok("logins", "--json"));
    assert.deepEqual(
      entries.slice(0, 2).map((entry: Record<string, unknown>) => [
        ...[
          entry.result,
          entry.account,
          entry.username,
          entry.remote,
          entry.userAgent,
          entry.count,
        ],
      ]),
      [
        ["baduser", null, "nobody@example.org", "203.0.113.9", "", 1],
        [
          ...["ok", "alice@example.org", "alice@example.org", "203.0.113.9"],
          'name="Test Mail" version="7"',
          1,
        ],
      ],
    );
    const own = JSON.parse(await ok("logins", "alice@example.org", "--json"));
    assert.ok(own.every((entry: { account: string }) => entry.account === "alice@example.org"));
    assert.ok(own.some((entry: { count: number }) => entry.count > 3), "grouped");
    assert.match(await ok("logins", "--search", "test mail"), /Test Mail/);
    assert.equal((await ok("logins", "--search", "no such thing")).trim(), "");
    const first = await cli("logins", "--limit", "1");
    const cursor = /--before (\S+)/.exec(first.stderr)?.[1] ?? "";
    const rest = JSON.parse(await ok("logins", "--json", "--all", "--before", cursor));
    assert.equal(rest.length, entries.length - 1);
    assert.equal((await cli("logins", "--before", "yesterday")).code, 2);
    assert.equal((await cli("logins", "--limit", "0")).code, 2);

    const { code, stderr } = await server.stop("SIGTERM");
    assert.equal(code, 0, stderr);
  }, LISTENERS));

Deno.test("an address has so many connections, an account too, and each hears which it was", () =>
  withFolder(async ({ config }) => {
    const cli = async (...args: string[]) =>
      (await runPostern([...args, "--config", config])).stdout;
    await cli("domain", "add", "example.org");
    const password = (await cli("account", "add", "alice@example.org", "--generate")).trim();
    const server = await startPostern(["serve", "--config", config]);
    const held = Array.from({ length: 5 }, () => open(server, "192.0.2.7"));
    await eventually(async () =>
      /^\* BYE \[LIMIT\] Too many open/.test(await converse(server, "192.0.2.7", SHORT))
    );
    assert.match(await converse(server, "192.0.2.8", SHORT), /^\* OK /);
    for (const { socket } of held.slice(0, 2)) {
      socket.write(`a LOGIN alice@example.org ${password}\r\n`);
    }
    const login = [`a LOGIN alice@example.org ${password}`, ...SHORT];
    await eventually(async () => / NO \[LIMIT\] /.test(await converse(server, "192.0.2.8", login)));
    for (const { socket } of held) socket.destroy();
    await Promise.allSettled(held.map(({ text }) => text));
    await eventually(async () => /\r\na OK /.test(await converse(server, "192.0.2.7", login)));
    await server.stop("SIGTERM");
  }, LISTENERS));

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 100; i++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail("not within two seconds");
}
