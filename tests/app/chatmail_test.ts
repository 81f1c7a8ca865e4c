import assert from "node:assert/strict";
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
