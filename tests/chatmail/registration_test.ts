import assert from "node:assert/strict";
import { InviteList, Registration, type RegistrationRules } from "../../src/chatmail/mod.ts";
import { systemClock } from "../../src/base/mod.ts";
import type { Directory } from "../../src/store/mod.ts";
import { TestServer } from "../support/server.ts";

const RULES: RegistrationRules = {
  domain: "example.org",
  registration: "open",
  usernameMinLength: 9,
  usernameMaxLength: 9,
  passwordMinLength: 9,
  minAvailableMemoryBytes: 200,
  minFreeDiskBytes: 1000,
};

interface House {
  readonly server: TestServer;
  readonly free: { memory: number; disk: number };
  registration(): Registration;
}

/** A server whose newcomers `rules` decide about. */
async function withHouse(
  rules: Partial<RegistrationRules>,
  run: (house: House) => Promise<void>,
  invites?: InviteList,
): Promise<void> {
  const free = { memory: 200, disk: 1000 };
  // The server makes its store itself; whoever logs in comes after it.
  const made: Registration[] = [];
  const needed = () => {
    const [registration] = made;
    assert.ok(registration);
    return registration;
  };
  const server = await TestServer.start({
    authenticator: {
      newcomers: {
        mayJoin: (address, password) => needed().mayJoin(address, password),
        joined: (account) => needed().joined(account),
      },
    },
  });
  let now = 0;
  made.push(
    new Registration({ ...RULES, ...rules }, {
      directory: server.store.directory,
      resources: {
        availableMemoryBytes: () => free.memory,
        freeDiskBytes: () => free.disk,
      },
      invites,
      clock: { ...systemClock, now: () => now += 10_000 },
    }),
  );
  try {
    await run({ server, free, registration: needed });
  } finally {
    await server.stop();
  }
}

async function names(directory: Directory): Promise<string[]> {
  return (await directory.listAccounts()).map(({ address }) => address)
    .filter((address) => address !== "user@example.org");
}

async function login(server: TestServer, user: string, password: string) {
  const client = await server.connect();
  const quoted = password.replace(/["\\]/g, "\\$&");
  return await client.cmd(`LOGIN "${user}" "${quoted}"`);
}

Deno.test("who logs in for the first time has an account, whose password is then fixed", () =>
  withHouse({}, async ({ server }) => {
    const password = 'a"b\\c"d\\ ~';
    assert.equal((await login(server, "newcomer1@example.org", password)).status, "OK");
    assert.deepEqual(await names(server.store.directory), ["newcomer1@example.org"]);
    const refused = await login(server, "newcomer1@example.org", "another one");
    assert.equal(refused.code, "AUTHENTICATIONFAILED");
    assert.match(refused.text, /authentication/i);
    assert.equal((await login(server, "newcomer1@example.org", password)).status, "OK");
    // The same by SASL, whose message has no quoting.
    const client = await server.connect();
    const message = new TextEncoder().encode(`\0newcomer2@example.org\0${password}`).toBase64();
    assert.equal((await client.cmd(`AUTHENTICATE PLAIN ${message}`)).status, "OK");
    assert.equal((await login(server, "newcomer2@example.org", password)).status, "OK");
  }));

Deno.test("of two who come first under one name, at the same time, one has the account", () =>
  withHouse({}, async ({ server }) => {
    for (let round = 0; round < 5; round++) {
      const user = `racing-0${round}@example.org`;
      const results = await Promise.all(
        ["first password", "other password"].map((password) => login(server, user, password)),
      );
      assert.deepEqual(results.map(({ status }) => status).sort(), ["NO", "OK"]);
      const loser = results.find(({ status }) => status === "NO");
      assert.equal(loser?.code, "AUTHENTICATIONFAILED");
      const winner = results[0]?.status === "OK" ? "first password" : "other password";
      assert.equal((await login(server, user, winner)).status, "OK");
    }
    // IMAP and SMTP of one client: the same password at the same time.
    const same = await Promise.all(
      [1, 2, 3].map(() => login(server, "racing-99@example.org", "one password")),
    );
    assert.deepEqual(same.map(({ status }) => status), ["OK", "OK", "OK"]);
    assert.equal((await names(server.store.directory)).length, 6);
  }));

Deno.test("names and passwords outside the rules make no accounts, and look like any wrong ones", () =>
  withHouse({}, async ({ server }) => {
    const good = "good password";
    const attempts: [user: string, password: string][] = [
      ["newcomer@example.org", good], // eight characters
      ["newcomer10@example.org", good],
      ["Newcomer1@example.org", good],
      ["new+omer1@example.org", good],
      ["new/omer1@example.org", good],
      ["newcomer1@example.net", good],
      ["newcomer1", good],
      ["newcomer1@example.org", "8 octets"],
    ];
    const wrong = await login(server, "user@example.org", "not the password");
    for (const [user, password] of attempts) {
      assert.deepEqual(await login(server, user, password), wrong, `${user} ${password}`);
    }
    assert.deepEqual(await names(server.store.directory), []);
    assert.equal((await login(server, "newcomer1@example.org", "nine octs")).status, "OK");
  }));

Deno.test("without memory or disk newcomers wait, and others come in", () =>
  withHouse({}, async ({ server, free }) => {
    assert.equal((await login(server, "newcomer1@example.org", "good password")).status, "OK");
    for (const what of ["memory", "disk"] as const) {
      free[what]--;
      const refused = await login(server, "newcomer2@example.org", "good password");
      assert.equal(refused.code, "UNAVAILABLE");
      assert.match(refused.text, /authentication/i);
      assert.equal((await login(server, "newcomer1@example.org", "good password")).status, "OK");
      free[what]++;
    }
    assert.equal((await login(server, "newcomer2@example.org", "good password")).status, "OK");
  }));

Deno.test("a closed host makes no accounts, neither at a login nor for who asks", () =>
  withHouse({ registration: "closed" }, async ({ server, registration }) => {
    assert.equal(
      (await login(server, "newcomer1@example.org", "good password")).code,
      "AUTHENTICATIONFAILED",
    );
    assert.equal(await registration().offer(undefined), undefined);
    assert.deepEqual(await names(server.store.directory), []);
  }));

Deno.test("by invitation a token makes an account, as long as it is on the list", async () => {
  const file = await Deno.makeTempFile();
  const house = async ({ server, registration }: House) => {
    await Deno.writeTextFile(file, "# for the club\nspring-2026\n\n");
    for (const token of [undefined, "", "# for the club", "spring-202", "spring-2026x"]) {
      assert.equal(await registration().offer(token), undefined, token);
    }
    assert.equal(
      (await login(server, "newcomer1@example.org", "good password")).code,
      "AUTHENTICATIONFAILED",
    );
    const made = await registration().offer("spring-2026");
    assert.ok(made && made !== "later");
    assert.deepEqual(await names(server.store.directory), [made.email]);
    assert.equal((await login(server, made.email, made.password)).status, "OK");
    await Deno.writeTextFile(file, "summer\n");
    assert.equal(await registration().offer("spring-2026"), undefined);
  };
  await withHouse({ registration: "invite" }, house, new InviteList(file));
  await Deno.remove(file);
});

Deno.test("what is offered to who asks can be logged in with", () =>
  withHouse({}, async ({ server, registration }) => {
    const seen = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const offered = await registration().offer(undefined);
      assert.ok(offered && offered !== "later");
      assert.match(offered.email, /^[a-z0-9]{9}@example\.org$/);
      assert.match(offered.password, /^[!-~]{12}$/);
      seen.add(offered.email).add(offered.password);
      assert.equal((await login(server, offered.email, offered.password)).status, "OK");
    }
    assert.equal(seen.size, 40);
  }));
