import assert from "node:assert/strict";
import { readClientKey } from "../../src/auth/mod.ts";
import { makeIdentity } from "../support/identities.ts";
import { OAuthIssuer } from "../support/oauth_issuer.ts";
import { RawClient } from "./raw_client.ts";
import { plain, SubmissionHouse } from "./submission_house.ts";

Deno.test("the key of a client's certificate logs in by EXTERNAL, from the start and after STARTTLS", async () => {
  await using house = await SubmissionHouse.open({ clientCertificates: true });
  const identity = await makeIdentity("ecdsa");
  const alice = house.account("alice");
  await house.store.directory.credentials.addClientKey({
    ...readClientKey(identity.cert),
    accountId: alice.id,
    address: alice.address,
    allowsPreauth: true,
  });
  const implicit = await RawClient.connectTls(house.port("submissions"), identity);
  assert.match(await implicit.reply(), /^220 /);
  const clear = await house.connect();
  await clear.ask("EHLO client.example");
  await clear.ask("STARTTLS");
  await clear.startTls(identity);
  for (const client of [implicit, clear]) {
    assert.match(await client.ask("EHLO client.example"), /^250 AUTH EXTERNAL /m);
    // A password of somebody else does not do beside the key.
    assert.match(await client.ask(`AUTH PLAIN ${plain("bob")}`), /^535 /);
    assert.match(await client.ask("MAIL FROM:<alice@example.org>"), /^530 /);
    assert.match(await client.ask("AUTH EXTERNAL ="), /^235 /);
    assert.match(await client.ask("MAIL FROM:<alice@example.org>"), /^250 /);
    client.destroy();
  }
});

Deno.test("tokens log in by OAUTHBEARER and XOAUTH2, up to the longest", async () => {
  const issuer = await OAuthIssuer.start();
  try {
    await using house = await SubmissionHouse.open({
      authenticator: { oauth: { issuer: issuer.url, audience: "mail", usernameClaim: "email" } },
    });
    house.time = Date.now();
    const token = await issuer.token();
    const long = await issuer.token({ groups: "g".repeat(8500) });
    for (
      const [mechanism, message] of [
        ["OAUTHBEARER", `n,a=alice@example.org,\x01auth=Bearer ${token}\x01\x01`],
        ["OAUTHBEARER", `n,a=alice@example.org,\x01auth=Bearer ${long}\x01\x01`],
        ["XOAUTH2", `user=alice@example.org\x01auth=Bearer ${token}\x01\x01`],
      ] as const
    ) {
      const client = await house.connectTls();
      assert.match(await client.ask("EHLO x"), new RegExp(`AUTH .*${mechanism}`));
      assert.match(await client.ask(`AUTH ${mechanism} ${btoa(message)}`), /^235 /);
      assert.match(await client.ask("MAIL FROM:<alice@example.org>"), /^250 /);
      client.destroy();
    }
    const client = await house.connectTls();
    const wrong = btoa("n,,\x01auth=Bearer nonsense\x01\x01");
    const answer = await client.ask(`AUTH OAUTHBEARER ${wrong}`);
    assert.match(answer, /^334 /);
    assert.equal(JSON.parse(atob(answer.slice(4))).status, "invalid_token");
    assert.match(await client.ask(btoa("\x01")), /^535 /);
    assert.match(await client.ask(`AUTH PLAIN ${"A".repeat(20_000)}`), /^421 /);
  } finally {
    await issuer.stop();
  }
});
