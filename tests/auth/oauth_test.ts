import assert from "node:assert/strict";
import { SignJWT, UnsecuredJWT } from "jose";
import {
  Authenticator,
  type AuthOutcome,
  type ConnectionFacts,
  Gate,
  type LoginAttempt,
  makeVerifier,
  type OAuthOptions,
} from "../../src/auth/mod.ts";
import {
  CLOCK_SKEW_SECONDS,
  ISSUER_FRESH_MS,
  ISSUER_RETRY_MS,
  ISSUER_STALE_MS,
  MAX_TOKEN_MESSAGE_BYTES,
} from "../../src/auth/limits.ts";
import { ModelDirectory } from "../store/model_directory.ts";
import { OAuthIssuer } from "../support/oauth_issuer.ts";

const FACTS: ConnectionFacts = {
  protocol: "imap",
  remote: { address: "192.0.2.7" },
  local: { address: "192.0.2.1" },
  tls: {
    version: "TLSv1.3",
    cipher: "TLS_AES_128_GCM_SHA256",
    alpn: undefined,
    sni: "mail.example.org",
    resumed: false,
    serverEndPoint: undefined,
    clientCertificate: undefined,
  },
};

interface House {
  readonly issuer: OAuthIssuer;
  readonly directory: ModelDirectory;
  readonly auth: Authenticator;
  readonly attempts: LoginAttempt[];
  readonly time: { now: number };
  /** One exchange; gives what the server said before its outcome. */
  run(mechanism: string, message: string): Promise<{ said: string[]; outcome: AuthOutcome }>;
  bearer(token: string, extra?: string): Promise<{ said: string[]; outcome: AuthOutcome }>;
}

async function withHouse(
  test: (house: House) => Promise<void>,
  options: Partial<OAuthOptions> = {},
): Promise<void> {
  const issuer = await OAuthIssuer.start();
  const directory = new ModelDirectory();
  await directory.addDomain("example.org");
  const verifier = await makeVerifier("correct horse", {
    slow: 1,
    scram: { "SHA-1": 1, "SHA-256": 1 },
  });
  await directory.addAccount("alice@example.org", verifier);
  await directory.addAccount("bob@example.org", verifier);
  const attempts: LoginAttempt[] = [];
  const time = { now: Date.now() };
  const auth = new Authenticator(directory, { now: () => time.now }, {
    allowPlaintext: false,
    oauth: {
      issuer: issuer.url,
      audience: "mail",
      usernameClaim: "email",
      client: { id: "postern", secret: "very secret" },
      ...options,
    },
    onAttempt: (attempt) => void attempts.push(attempt),
    sleep: async () => {},
    // What is counted is the gate's affair.
    gate: new Gate({ now: Date.now }, { isExempt: () => true }),
  });
  const run: House["run"] = async (mechanism, message) => {
    const exchange = auth.forConnection(() => FACTS).begin(mechanism);
    const said: string[] = [];
    let step = await exchange.step(new TextEncoder().encode(message));
    while (step.kind === "challenge") {
      said.push(new TextDecoder().decode(step.challenge));
      step = await exchange.step(Uint8Array.of(1));
    }
    return { said, outcome: step };
  };
  const bearer: House["bearer"] = (token, extra = "") =>
    run("OAUTHBEARER", `n,,\x01${extra}auth=Bearer ${token}\x01\x01`);
  try {
    await test({ issuer, directory, auth, attempts, time, run, bearer });
  } finally {
    await issuer.stop();
  }
}

/** That a token is refused as RFC 7628 3.2.2 has it, and counted as wrong credentials. */
async function refused(house: House, token: string, status = "invalid_token"): Promise<void> {
  const { said, outcome } = await house.bearer(token);
  assert.deepEqual(said.map((text) => JSON.parse(text).status), [status]);
  assert.equal(outcome.kind, "credentials");
}

Deno.test("a token of the issuer logs its owner in, by both mechanisms", () =>
  withHouse(async (house) => {
    const token = await house.issuer.token();
    for (
      const [mechanism, message] of [
        [
          "OAUTHBEARER",
          `n,a=alice@example.org,\x01host=Mail.example.org\x01port=993\x01` +
          `auth=bearer ${token}\x01\x01`,
        ],
        ["OAUTHBEARER", `y,,\x01unknown=x\x01auth=BEARER ${token}\x01\x01`],
        ["XOAUTH2", `user=alice+x@example.org\x01auth=Bearer ${token}\x01\x01`],
      ] as const
    ) {
      const { said, outcome } = await house.run(mechanism, message);
      assert.deepEqual(said, []);
      assert.ok(outcome.kind === "ok", JSON.stringify(outcome));
      assert.equal(outcome.account.address, "alice@example.org");
      assert.deepEqual(outcome.credential, { kind: "token" });
    }
    assert.deepEqual(
      house.attempts.map(({ mechanism, result, username }) => [
        ...[mechanism, result, username],
      ]),
      [
        ["OAUTHBEARER", "ok", "alice@example.org"],
        ["OAUTHBEARER", "ok", "alice@example.org"],
        ["XOAUTH2", "ok", "alice@example.org"],
      ],
    );
  }));

Deno.test("the mechanisms are announced where an issuer is configured and TLS protects tokens", () =>
  withHouse(async ({ auth, directory }) => {
    assert.deepEqual(auth.forConnection(() => FACTS).mechanisms().slice(-2), [
      ...["OAUTHBEARER", "XOAUTH2"],
    ]);
    const clear = auth.forConnection(() => ({ ...FACTS, tls: undefined }));
    assert.ok(!clear.mechanisms().includes("OAUTHBEARER"));
    const without = new Authenticator(directory, { now: Date.now }, { allowPlaintext: true });
    assert.ok(!without.forConnection(() => FACTS).mechanisms().includes("XOAUTH2"));
  }));

Deno.test("a refusal says where to get a token", () =>
  withHouse(async (house) => {
    const { said, outcome } = await house.bearer("x.y.z");
    assert.deepEqual(said.map((text) => JSON.parse(text)), [{
      status: "invalid_token",
      scope: "mail",
      "openid-configuration": `${house.issuer.url}/.well-known/openid-configuration`,
    }]);
    assert.equal(outcome.kind, "credentials");
    assert.equal(house.attempts[0]?.result, "badtoken");
  }, { scope: "mail" }));

Deno.test("a token that is late, early, for others, of others or changed is refused", () =>
  withHouse(async (house) => {
    const { issuer } = house;
    const now = Math.floor(Date.now() / 1000);
    const wrong = [
      { exp: now - 90 },
      { exp: undefined },
      { nbf: now + 90 },
      { aud: "files" },
      { aud: undefined },
      { iss: "https://elsewhere.example" },
      { email: undefined },
      { email: 7 },
      { email: "nobody@example.org" },
      { email_verified: false },
    ];
    for (const claims of wrong) await refused(house, await issuer.token(claims));
    const [head, body, signature = ""] = (await issuer.token()).split(".");
    await refused(
      house,
      `${head}.${body}.${signature.replace(/^./, (c) => c === "A" ? "B" : "A")}`,
    );
    const claims = { iss: issuer.url, aud: "mail", exp: now + 60, email: "alice@example.org" };
    await refused(house, new UnsecuredJWT(claims).encode());
    const shared = await new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "one" })
      .sign(new TextEncoder().encode("x".repeat(32)));
    await refused(house, shared);
  }));

Deno.test("clocks may differ by a minute", () =>
  withHouse(async (house) => {
    const now = Math.floor(Date.now() / 1000);
    const [within, beyond] = [CLOCK_SKEW_SECONDS - 15, CLOCK_SKEW_SECONDS + 15];
    for (const claims of [{ exp: now - within }, { nbf: now + within }]) {
      const token = await house.issuer.token(claims);
      assert.equal((await house.bearer(token)).outcome.kind, "ok");
    }
    for (const claims of [{ exp: now - beyond }, { nbf: now + beyond }]) {
      await refused(house, await house.issuer.token(claims));
    }
  }));

Deno.test("a message with a token has MAX_TOKEN_MESSAGE_BYTES octets at most", () =>
  withHouse(async ({ run }) => {
    const start = "user=alice@example.org\x01auth=Bearer ";
    const message = (octets: number) => `${start.padEnd(octets - 2, "x")}\x01\x01`;
    const longest = await run("XOAUTH2", message(MAX_TOKEN_MESSAGE_BYTES));
    assert.equal(longest.outcome.kind, "credentials");
    const longer = await run("XOAUTH2", message(MAX_TOKEN_MESSAGE_BYTES + 1));
    assert.equal(longer.outcome.kind, "protocol");
  }));

Deno.test("a token opens one mailbox only, and not that of a disabled account", () =>
  withHouse(async ({ issuer, run, bearer, directory }) => {
    const token = await issuer.token();
    const other = await run("XOAUTH2", `user=bob@example.org\x01auth=Bearer ${token}\x01\x01`);
    assert.equal(other.said.length, 1);
    assert.equal(other.outcome.kind, "authorization");
    const account = await directory.resolveAddress("alice@example.org");
    assert.ok(account);
    await directory.setAccountDisabled(account.id, "Please call.");
    const disabled = await bearer(token);
    assert.equal(disabled.outcome.kind, "disabled");
    assert.equal(disabled.outcome.kind === "disabled" && disabled.outcome.text, "Please call.");
  }));

Deno.test("a client that believes to talk to another host is refused", () =>
  withHouse(async ({ issuer, bearer }) => {
    const { said, outcome } = await bearer(await issuer.token(), "host=evil.example\x01");
    assert.equal(JSON.parse(said[0] ?? "").status, "invalid_request");
    assert.equal(outcome.kind, "credentials");
  }));

Deno.test("what is no message of the mechanism is a protocol error, and asks nobody", () =>
  withHouse(async ({ issuer, run }) => {
    for (
      const message of [
        "",
        "\x01",
        "n,,\x01\x01",
        "n,,\x01auth=Bearer \x01\x01",
        "n,,\x01auth=Basic YWJj\x01\x01",
        "n,,\x01auth=Bearer abc\x01",
        "p=tls-exporter,,\x01auth=Bearer abc\x01\x01",
        "n,a=x=,\x01auth=Bearer abc\x01\x01",
        `n,,\x01auth=Bearer ${"x".repeat(13_000)}\x01\x01`,
      ]
    ) {
      assert.equal((await run("OAUTHBEARER", message)).outcome.kind, "protocol", message);
      assert.equal((await run("XOAUTH2", message)).outcome.kind, "protocol", message);
    }
    assert.deepEqual(issuer.asked, []);
  }));

Deno.test("a required scope is looked for, as a list or a text", () =>
  withHouse(async (house) => {
    const { issuer, bearer } = house;
    for (const claims of [{ scope: "openid mail" }, { scp: ["mail"] }]) {
      assert.equal((await bearer(await issuer.token(claims))).outcome.kind, "ok");
    }
    await refused(house, await issuer.token({ scope: "openid mailer" }), "insufficient_scope");
    await refused(house, await issuer.token(), "insufficient_scope");
  }, { scope: "mail" }));

Deno.test("keys are fetched once, again when one is unknown, and not for every stranger's token", () =>
  withHouse(async (house) => {
    const { issuer, bearer, time } = house;
    const ok = async () => {
      const token = await issuer.token({}, { nowMs: time.now });
      assert.equal((await bearer(token)).outcome.kind, "ok");
    };
    const fetches = () => issuer.asked.filter((path) => path === "/keys").length;
    await ok();
    await ok();
    assert.equal(fetches(), 1);
    await issuer.addKey("two", "ES256");
    await refused(house, await issuer.token());
    assert.equal(fetches(), 1, "too soon after the last fetch");
    time.now += ISSUER_RETRY_MS;
    await ok();
    assert.equal(fetches(), 2);
    time.now += ISSUER_FRESH_MS;
    await ok();
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(fetches(), 3, "fetched anew in the background");
  }));

Deno.test("while the issuer is away its keys are used for a day, and nobody is blamed after that", () =>
  withHouse(async ({ issuer, bearer, time, attempts }) => {
    const token = () => issuer.token({}, { nowMs: time.now });
    assert.equal((await bearer(await token())).outcome.kind, "ok");
    issuer.isDown = true;
    time.now += ISSUER_STALE_MS - 1000;
    assert.equal((await bearer(await token())).outcome.kind, "ok");
    await new Promise((resolve) => setTimeout(resolve, 50));
    time.now += 1000;
    const { said, outcome } = await bearer(await token());
    assert.deepEqual(said, []);
    assert.equal(outcome.kind, "unavailable");
    assert.equal(attempts.at(-1)?.result, "error");
  }));

Deno.test("the issuer is asked about a token that is no JWT", () =>
  withHouse(async (house) => {
    const { issuer, bearer } = house;
    const now = Math.floor(Date.now() / 1000);
    const good = { active: true, aud: ["mail"], email: "alice@example.org", exp: now + 60 };
    issuer.opaque.set("good", good);
    assert.equal((await bearer("good")).outcome.kind, "ok");
    const wrong: Record<string, Record<string, unknown>> = {
      unknown: { active: false },
      other: { ...good, aud: "files" },
      nobody: { ...good, aud: undefined },
      elsewhere: { ...good, iss: "https://elsewhere.example" },
      late: { ...good, exp: now - 90 },
      yes: { ...good, active: "true" },
    };
    for (const [token, claims] of Object.entries(wrong)) {
      issuer.opaque.set(token, claims);
      await refused(house, token);
    }
    issuer.isDown = true;
    assert.equal((await bearer("good")).outcome.kind, "unavailable");
  }));

Deno.test("an issuer of another name, and one that cannot be reached, make logins unavailable", () =>
  withHouse(async ({ issuer, directory }) => {
    for (const url of [`${issuer.url}/`, "http://127.0.0.1:1"]) {
      const auth = new Authenticator(directory, { now: Date.now }, {
        allowPlaintext: false,
        oauth: { issuer: url, audience: "mail", usernameClaim: "email" },
      });
      const exchange = auth.forConnection(() => FACTS).begin("OAUTHBEARER");
      const token = await issuer.token();
      const step = await exchange.step(
        new TextEncoder().encode(`n,,\x01auth=Bearer ${token}\x01\x01`),
      );
      assert.equal(step.kind, "unavailable");
    }
  }));
