import assert from "node:assert/strict";
import {
  addAppPassword,
  Authenticator,
  type AuthOutcome,
  type ConnectionFacts,
  makeVerifier,
  setPassword,
} from "../../src/auth/mod.ts";
import type { Account } from "../../src/store/mod.ts";
import { ModelDirectory } from "../store/model_directory.ts";
import { ScramClient } from "../support/scram_client.ts";

const COSTS = { slow: 1, scram: { "SHA-1": 64, "SHA-256": 32 } };
const OWN = "correct horse";
const TLS = {
  version: "TLSv1.3",
  cipher: "TLS_AES_128_GCM_SHA256",
  alpn: undefined,
  sni: undefined,
  resumed: false,
  serverEndPoint: undefined,
  clientCertificate: undefined,
};
const IMAP: ConnectionFacts = {
  protocol: "imap",
  remote: { address: "192.0.2.7" },
  local: { address: "192.0.2.1" },
  tls: TLS,
};
const SUBMISSION: ConnectionFacts = { ...IMAP, protocol: "submission" };

interface House {
  readonly directory: ModelDirectory;
  readonly alice: Account;
  readonly auth: Authenticator;
  add(name: string, ...scopes: string[]): Promise<string>;
  login(password: string, facts?: ConnectionFacts): Promise<AuthOutcome>;
  scram(
    password: string,
    hash?: "SHA-1" | "SHA-256",
    facts?: ConnectionFacts,
  ): Promise<AuthOutcome>;
}

async function build(): Promise<House> {
  const directory = new ModelDirectory();
  await directory.addDomain("example.org");
  const alice = await directory.addAccount("alice@example.org", await makeVerifier(OWN, COSTS));
  const auth = new Authenticator(directory, { now: Date.now }, {
    allowPlaintext: false,
    costs: COSTS,
    sleep: async () => {},
  });
  return {
    directory,
    alice,
    auth,
    add: (name, ...scopes) => addAppPassword(directory, { accountId: alice.id, name, scopes }),
    login: (password, facts = IMAP) =>
      auth.forConnection(() => facts).verifyPassword("alice@example.org", password),
    async scram(password, hash = "SHA-256", facts = IMAP) {
      const client = new ScramClient({ hash, username: "alice@example.org", password });
      const exchange = auth.forConnection(() => facts).begin(`SCRAM-${hash}`);
      const encode = (text: string) => new TextEncoder().encode(text);
      let step = await exchange.step(encode(client.first));
      while (step.kind === "challenge") {
        const challenge = new TextDecoder().decode(step.challenge);
        const isFirst = challenge.startsWith("r=");
        if (challenge.startsWith("v=")) assert.ok(client.accepts(challenge), "server's proof");
        step = await exchange.step(encode(isFirst ? await client.final(challenge) : ""));
      }
      return step;
    },
  };
}

Deno.test("an app password is long, and works beside the account's own, in clear and by SCRAM", async () => {
  const { add, login, scram } = await build();
  const phone = await add("phone");
  const tablet = await add("tablet");
  assert.match(phone, /^([a-z2-9]{4}-){6}[a-z2-9]{4}$/);
  assert.notEqual(phone, tablet);
  for (const password of [OWN, phone, tablet]) {
    for (
      const outcome of [
        await login(password),
        await scram(password),
        await scram(password, "SHA-1"),
      ]
    ) assert.equal(outcome.kind, "ok", password);
  }
  for (const wrong of [phone.replace(/^./, "-"), phone.toUpperCase(), `${phone}a`]) {
    assert.equal((await login(wrong)).kind, "credentials");
    assert.equal((await scram(wrong)).kind, "credentials");
  }
});

Deno.test("an app password is good for its scope only", async () => {
  const { add, login, scram } = await build();
  const mail = await add("mail", "imap");
  const both = await add("both", "imap", "submission");
  assert.equal((await login(mail)).kind, "ok");
  assert.equal((await login(mail, SUBMISSION)).kind, "credentials");
  assert.equal((await scram(mail, "SHA-256", SUBMISSION)).kind, "credentials");
  assert.equal((await login(both, SUBMISSION)).kind, "ok");
});

Deno.test("the stored form of an app password does not hold it", async () => {
  const { add, directory, alice } = await build();
  const password = await add("phone");
  const [stored] = await directory.credentials.listAppPasswords(alice.id);
  assert.ok(stored && !stored.verifier.includes(password));
});

Deno.test("the use of an app password is noted, whichever way it was used", async () => {
  const { add, directory, alice, login, scram } = await build();
  const use = { clear: await add("clear"), scram: await add("scram"), unused: await add("unused") };
  await login(use.clear);
  await scram(use.scram);
  await login(OWN);
  const used = (await directory.credentials.listAppPasswords(alice.id))
    .filter(({ lastUsed }) => lastUsed !== undefined);
  assert.deepEqual(used.map(({ name }) => name), ["clear", "scram"]);
});

Deno.test("app passwords go on working after the account's own was changed", async () => {
  const { add, directory, alice, login, scram } = await build();
  const phone = await add("phone");
  await setPassword(directory, alice.id, "another one", {
    slow: 1,
    scram: { "SHA-1": 9, "SHA-256": 9 },
  });
  for (const outcome of [await login(phone), await scram(phone), await scram("another one")]) {
    assert.equal(outcome.kind, "ok");
  }
  assert.equal((await scram(OWN)).kind, "credentials");
});

Deno.test("without app passwords a new password has a new salt", async () => {
  const { directory, alice } = await build();
  const salts = async () =>
    [...(await directory.passwordVerifier(alice.id) ?? "").matchAll(/"salt":"([^"]+)"/g)]
      .map(([, salt]) => salt);
  const before = await salts();
  await setPassword(directory, alice.id, OWN, COSTS);
  assert.equal(before.length, 3);
  assert.ok((await salts()).every((salt) => !before.includes(salt)));
});

Deno.test("a session stands and falls with the app password that it came by", async () => {
  const { add, directory, alice, auth, login, scram } = await build();
  const phone = await login(await add("phone"));
  const tablet = await scram(await add("tablet"));
  const own = await login(OWN);
  assert.ok(phone.kind === "ok" && tablet.kind === "ok" && own.kind === "ok");
  const stay = () =>
    Promise.all(
      [phone, tablet, own].map(({ account, credential }) => auth.mayStay(account, credential)),
    );
  assert.deepEqual(await stay(), [true, true, true]);
  await directory.credentials.removeAppPassword(alice.id, "tablet");
  assert.deepEqual(await stay(), [true, false, true]);
  await setPassword(directory, alice.id, "another one", COSTS);
  assert.deepEqual(await stay(), [true, false, false]);
  await directory.setAccountDisabled(alice.id, "Gone.");
  assert.deepEqual(await stay(), [false, false, false]);
});
