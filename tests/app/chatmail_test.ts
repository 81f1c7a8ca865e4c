import assert from "node:assert/strict";
import nodemailer from "nodemailer";
import { TestClient } from "../support/client.ts";
import { runPostern, startPostern, withFolder } from "./postern_process.ts";

const CONFIG = `
[[listener]]
kind = "web"
address = "127.0.0.1:0"
[[listener]]
kind = "imaps"
address = "127.0.0.1:0"
[chatmail]
domain = "chat.example"
push_url = "none"
admin = "mailto:admin@chat.example"
# The memory and disk of wherever this runs.
min_available_memory = "1M"
min_free_disk_space = "1M"
`;

Deno.test("a chatmail host works with the permissions it is given: page, account, login, entries", () =>
  withFolder(async ({ config }) => {
    const server = await startPostern(["serve", "--config", config]);
    try {
      const web = `http://${server.address("web")}`;
      assert.match(await (await fetch(`${web}/`)).text(), /<svg /);
      const { email, password } = await (await fetch(`${web}/new`, { method: "POST" })).json();
      const port = Number(server.address("imaps").split(":").at(-1));
      const client = await TestClient.connect(port, { tls: true });
      const quoted = password.replace(/["\\]/g, "\\$&");
      const { code } = await client.ok(`LOGIN ${email} "${quoted}"`);
      assert.match(code ?? "", / XCHATMAIL/);
      assert.doesNotMatch(code ?? "", /XDELTAPUSH/, "nobody is pushed");
      const { untagged } = await client.ok('GETMETADATA "" /shared/admin');
      assert.match(untagged.join(), /mailto:admin@chat.example/);
      const { untagged: [quota] } = await client.ok("GETQUOTAROOT INBOX");
      assert.ok(quota);
      client.close();
      const { stdout } = await runPostern(["logins", "--all", "--json", "--config", config]);
      assert.deepEqual(JSON.parse(stdout), [], "nobody can look up who was here, and when");
    } finally {
      const { stderr, code } = await server.stop("SIGTERM");
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stderr, /@chat\.example|127\.0\.0\.1/);
    }
  }, CONFIG));

Deno.test("mail of others wakes an account's devices up, and its own does not", async () => {
  const posted: string[] = [];
  const service = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      posted.push(`${new URL(request.url).pathname} ${await request.text()}`);
      return new Response();
    },
  );
  const toml = CONFIG.replace('"none"', `"http://127.0.0.1:${service.addr.port}/notify"`) +
    '[[listener]]\nkind = "lmtp"\naddress = "127.0.0.1:0"\n';
  await withFolder(async ({ config }) => {
    const server = await startPostern(["serve", "--config", config]);
    const portOf = (kind: string) => Number(server.address(kind).split(":").at(-1));
    const lmtp = nodemailer.createTransport({
      host: "127.0.0.1",
      port: portOf("lmtp"),
      lmtp: true,
      secure: false,
      ignoreTLS: true,
    });
    try {
      const to = "alice-123@chat.example";
      const client = await TestClient.connect(portOf("imaps"), { tls: true });
      const { code } = await client.ok(`LOGIN ${to} "some password"`);
      assert.match(code ?? "", / XDELTAPUSH XCHATMAIL/);
      await client.ok('SETMETADATA INBOX (/private/devicetoken "openpgp:AAAA")');
      const send = (from: string) =>
        lmtp.sendMail({
          envelope: { from: "bounce@lists.example", to },
          raw: `From: Somebody <${from}>\r\n\r\nhello\r\n`,
        });
      await send("ALICE-123@chat.example");
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.deepEqual(posted, []);
      await send("bob@elsewhere.example");
      for (const end = Date.now() + 5_000; posted.length === 0;) {
        assert.ok(Date.now() < end, "nothing was posted");
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      client.close();
    } finally {
      lmtp.close();
      const { code, stderr } = await server.stop("SIGTERM");
      assert.equal(code, 0, stderr);
    }
  }, toml);
  await service.shutdown();
  assert.deepEqual(posted, ["/notify openpgp:AAAA"]);
});
