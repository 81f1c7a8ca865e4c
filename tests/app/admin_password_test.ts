import assert from "node:assert/strict";
import { Authenticator } from "../../src/auth/mod.ts";
import { systemClock } from "../../src/base/mod.ts";
import { openSqliteStore } from "../../src/store/sqlite/engine.ts";
import { runPostern, withFolder } from "./postern_process.ts";

Deno.test("admin password sets what the admin's pages ask for: made up, or from stdin", () =>
  withFolder(async ({ path, config }) => {
    const set = (args: string[], stdin?: string) =>
      runPostern(["admin", "password", ...args, "--config", config], {
        ...(stdin === undefined ? {} : { stdin }),
      });
    const isAdmin = async (password: string) => {
      const store = await openSqliteStore({ dataDir: `${path}/data` });
      const auth = new Authenticator(store.directory, systemClock, { allowPlaintext: true });
      const remote = { address: "127.0.0.1" };
      const connection = auth.forConnection(() => ({
        protocol: "web",
        remote,
        local: remote,
        tls: undefined,
      }));
      const { kind } = await connection.verifyAdminPassword(password);
      await store.close();
      return kind === "ok";
    };

    const generated = await set(["--generate"]);
    assert.equal(generated.stderr, "");
    assert.match(generated.stdout, /^([a-z0-9]{5}-){3}[a-z0-9]{5}\n$/);
    assert.ok(await isAdmin(generated.stdout.trim()));

    const given = await set(["--stdin"], "correct horse\n");
    assert.deepEqual(given, { code: 0, stdout: "", stderr: "" });
    assert.ok(await isAdmin("correct horse"));
    assert.ok(!await isAdmin(generated.stdout.trim()));

    const { password } = JSON.parse((await set(["--generate", "--json"])).stdout);
    assert.ok(await isAdmin(password));

    const short = await set(["--stdin"], "short\n");
    assert.equal(short.code, 2);
    assert.match(short.stderr, /^postern: the password is shorter than 8 characters\n$/);
    assert.ok(await isAdmin(password));
  }));
