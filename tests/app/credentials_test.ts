import assert from "node:assert/strict";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { TestIdentity } from "../support/client.ts";
import { makeIdentity } from "../support/identities.ts";
import { runPostern, startPostern, withFolder } from "./postern_process.ts";

const LISTENERS = `
[[listener]]
kind = "imaps"
address = "127.0.0.1:0"
client_certificates = true
[[listener]]
kind = "alpn"
address = "127.0.0.1:0"
client_certificates = true
[listener.routes]
imap = "imap"
none = "web"
`;

/** A connection that collects what it hears. */
function open(address: string, identity?: TestIdentity, alpn: string[] = []) {
  const [host, port] = address.split(":");
  const socket: TLSSocket = connectTls({
    host,
    port: Number(port),
    rejectUnauthorized: false,
    ALPNProtocols: alpn,
    ...identity,
  });
  let text = "";
  socket.on("data", (data) => text += data.toString());
  socket.on("error", () => {});
  const ended = new Promise<string>((resolve) => socket.on("close", () => resolve(text)));
  return {
    send: (line: string) => socket.write(`${line}\r\n`),
    close: () => socket.destroy(),
    ended,
    async has(pattern: RegExp) {
      for (let i = 0; i < 300 && !pattern.test(text); i++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assert.match(text, pattern);
    },
  };
}

Deno.test("tlskey and apppassword let programs in, tell of them, and end their sessions at once", () =>
  withFolder(async ({ path, config }) => {
    const cli = async (...args: string[]) => await runPostern([...args, "--config", config]);
    const ok = async (...args: string[]) => {
      const { code, stdout, stderr } = await cli(...args);
      assert.equal(code, 0, stderr);
      return stdout.trim();
    };
    await ok("domain", "add", "example.org");
    await ok("account", "add", "alice@example.org", "--generate");
    const identity = await makeIdentity("ed25519", { name: "Alice's phone" });
    await Deno.writeTextFile(`${path}/both.pem`, identity.key + identity.cert);
    const fingerprint = await ok("tlskey", "add", "alice@example.org", `${path}/both.pem`);
    const [listed] = JSON.parse(await ok("tlskey", "list", "--json"));
    assert.deepEqual({ ...listed, created: "" }, {
      fingerprint,
      address: "alice@example.org",
      name: "Alice's phone",
      type: "Ed25519",
      preauth: true,
      created: "",
    });
    assert.match(await ok("tlskey", "list"), new RegExp(`^FINGERPRINT .*\n${fingerprint} `));
    assert.equal((await cli("tlskey", "add", "alice@example.org", `${path}/both.pem`)).code, 1);
    assert.equal((await cli("tlskey", "add", "bob@example.org", `${path}/both.pem`)).code, 1);
    assert.equal((await cli("tlskey", "add", "alice@example.org", config)).code, 2);
    const quiet = await makeIdentity("ecdsa");
    await Deno.writeTextFile(`${path}/quiet.pem`, quiet.cert);
    const args = ["--name", "tablet", "--no-preauth"];
    await ok("tlskey", "add", "alice@example.org", `${path}/quiet.pem`, ...args);

    const dashed = await cli("tlskey", "remove", "-notThere");
    assert.deepEqual([dashed.code, dashed.stderr], [1, "postern: there is no key -notThere\n"]);

    const add = ["account", "apppassword", "add", "alice@example.org"];
    const password = await ok(...add, "old phone", "--scope", "imap");
    assert.equal((await cli(...add, "old phone")).code, 1);
    assert.equal((await cli(...add, "x", "--scope", "pop3")).code, 2);

    const server = await startPostern(["serve", "--config", config]);
    const preauth = open(server.address("imaps"), identity);
    const routed = open(server.address("alpn"), identity, ["imap"]);
    for (const each of [preauth, routed]) await each.has(/^\* PREAUTH /);
    const external = open(server.address("alpn"), quiet, ["imap"]);
    await external.has(/AUTH=EXTERNAL/);
    external.send("a AUTHENTICATE EXTERNAL =");
    await external.has(/^a OK /m);
    const byPassword = open(server.address("imaps"));
    byPassword.send(`a LOGIN alice@example.org ${password}`);
    await byPassword.has(/^a OK /m);
    assert.match(
      await ok("account", "apppassword", "list", "alice@example.org"),
      /old phone +imap/,
    );

    await ok("tlskey", "remove", fingerprint);
    for (const each of [preauth, routed]) assert.match(await each.ended, /\r\n\* BYE /);
    assert.equal((await cli("tlskey", "remove", fingerprint)).code, 1);
    const logins = JSON.parse(await ok("logins", "--search", fingerprint, "--json"));
    assert.deepEqual(
      logins.map((
        login: Record<string, unknown>,
      ) => [login.mechanism, login.result, login.account]),
      [
        ["CERTIFICATE", "ok", "alice@example.org"],
        ["CERTIFICATE", "ok", "alice@example.org"],
      ],
    );
    assert.match(await open(server.address("imaps"), identity).ended, /^\* BYE \[ALERT\]/);
    await ok("account", "apppassword", "remove", "alice@example.org", "old phone");
    assert.match(await byPassword.ended, /\r\n\* BYE /);
    external.send("b NOOP");
    await external.has(/^b OK /m);
    external.close();
    const { code, stderr } = await server.stop("SIGTERM");
    assert.equal(code, 0, stderr);
  }, LISTENERS));
