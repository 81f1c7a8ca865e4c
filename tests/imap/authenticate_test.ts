import assert from "node:assert/strict";
import type { LoginAttempt } from "../../src/auth/mod.ts";
import { PASSWORD, USER, withServer } from "../support/server.ts";

Deno.test("an exchange that the client leaves, by a star or by going away, is an attempt that was aborted", async () => {
  const attempts: LoginAttempt[] = [];
  await withServer(async (server) => {
    const cancelling = await server.connect();
    cancelling.send("a AUTHENTICATE PLAIN\r\n");
    assert.equal(await cancelling.response(), "+ ");
    cancelling.send("*\r\n");
    assert.match(await cancelling.response(), /^a BAD /);
    assert.equal(attempts.length, 1);
    const leaving = await server.connect();
    leaving.send("a AUTHENTICATE SCRAM-SHA-256\r\n");
    assert.equal(await leaving.response(), "+ ");
    leaving.close();
    for (let i = 0; i < 200 && attempts.length < 2; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.deepEqual(attempts.map(({ mechanism, result }) => [mechanism, result]), [
      ["PLAIN", "aborted"],
      ["SCRAM-SHA-256", "aborted"],
    ]);
  }, { authenticator: { onAttempt: (attempt) => void attempts.push(attempt) } });
});

Deno.test("wrong credentials are told in words that Delta Chat looks for, other trouble is not", () =>
  withServer(async (server) => {
    const client = await server.connect();
    const wrong = await client.no(`LOGIN ${USER} wrong`, "AUTHENTICATIONFAILED");
    assert.equal(wrong.text, "Authentication failed: wrong username or password.");
    const account = await server.store.directory.resolveAddress(USER);
    assert.ok(account);
    await server.store.directory.setAccountDisabled(account.id, "Please call.");
    const disabled = await client.no(`LOGIN ${USER} "${PASSWORD}"`);
    assert.doesNotMatch(disabled.text, /failed/i);
    assert.match(disabled.text, /Please call\./);
  }));
