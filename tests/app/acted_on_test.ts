import assert from "node:assert/strict";
import { RawClient } from "../delivery/raw_client.ts";
import { literal, TestClient } from "../support/client.ts";
import { type LiveHouse, PASSWORD, withLiveServer } from "./live_house.ts";
import { runHere } from "./postern_here.ts";

/** Commands write the files; a running server acts on them at once. */

const QUOTED = `"${PASSWORD.replace(/["\\]/g, "\\$&")}"`;

async function postern(house: LiveHouse, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runHere(["--config", house.config, ...args]);
  assert.equal(code, 0, stderr);
  return stdout;
}

async function logIn(house: LiveHouse, user: string, password = QUOTED): Promise<TestClient> {
  const client = await TestClient.connect(house.port("imaps"), { tls: true });
  await client.ok(`LOGIN ${user} ${password}`);
  return client;
}

Deno.test("domains and addresses decide at once whom mail is taken for", async () => {
  await withLiveServer(async (house) => {
    const lmtp = await RawClient.connect(`127.0.0.1:${house.port("lmtp")}`);
    await lmtp.reply();
    lmtp.send("LHLO x\r\nMAIL FROM:<>\r\n");
    await lmtp.replies(2);
    const asks = async (address: string) => {
      lmtp.send(`RCPT TO:<${address}>\r\n`);
      return (await lmtp.reply()).slice(0, 3);
    };
    assert.equal(await asks("alice@example.org"), "250");
    await postern(house, "domain", "disable", "example.org");
    assert.equal(await asks("alice@example.org"), "451");
    await postern(house, "domain", "enable", "example.org");
    assert.equal(await asks("alice@example.org"), "250");
    await postern(house, "domain", "add", "example.net");
    assert.equal(await asks("sales@example.net"), "550");
    await postern(house, "address", "add", "sales@example.net", "alice@example.org");
    assert.equal(await asks("sales@example.net"), "250");
    await postern(house, "address", "remove", "sales@example.net");
    assert.equal(await asks("sales@example.net"), "550");
    await postern(house, "domain", "remove", "example.net");
    assert.equal(await asks("postmaster@example.net"), "550");
    lmtp.destroy();
  });
});

Deno.test("a quota holds at once, for sessions that are open and for mail that comes", async () => {
  await withLiveServer(async (house) => {
    const client = await logIn(house, "alice@example.org");
    const message = literal(`Subject: x\r\n\r\n${"x".repeat(2_000)}\r\n`);
    await client.ok(["APPEND INBOX ", message]);
    await postern(house, "account", "quota", "alice@example.org", "1K");
    await client.no(["APPEND INBOX ", message], "OVERQUOTA");
    assert.match((await client.ok("GETQUOTAROOT INBOX")).untagged.join("\n"), /STORAGE \d+ 1\b/);
    const lmtp = await RawClient.connect(`127.0.0.1:${house.port("lmtp")}`);
    await lmtp.reply();
    lmtp.send("LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\n");
    await lmtp.replies(2);
    assert.match(await lmtp.reply(), /^452 /);
    lmtp.destroy();
    await postern(house, "account", "quota", "alice@example.org", "none");
    await client.ok(["APPEND INBOX ", message]);
    await client.logout();
  });
});

Deno.test("an account is there at once, and its sessions end at once when it is removed or disabled", async () => {
  await withLiveServer(async (house) => {
    const made = await postern(
      house,
      "account",
      "add",
      "carol@example.org",
      "--generate",
      "--json",
    );
    const carol = await logIn(house, "carol@example.org", JSON.parse(made).password);
    await carol.idle();
    await postern(house, "account", "remove", "carol@example.org");
    assert.match(await carol.rest(), /^\* BYE Account was disabled, removed or its/m);
    const bob = await logIn(house, "bob@example.org");
    await postern(house, "account", "disable", "bob@example.org", "--message", "Call us.");
    assert.match(await bob.rest(), /^\* BYE Account was disabled/m);
    const again = await TestClient.connect(house.port("imaps"), { tls: true });
    assert.match((await again.no(`LOGIN bob@example.org ${QUOTED}`)).text, /Call us\./);
    await postern(house, "account", "enable", "bob@example.org");
    await again.ok(`LOGIN bob@example.org ${QUOTED}`);
    await again.logout();
  });
});

Deno.test("disabled capabilities are kept from the next session on", async () => {
  await withLiveServer(async (house) => {
    const has = async () => {
      const client = await logIn(house, "alice@example.org");
      const { untagged } = await client.ok("CAPABILITY");
      await client.logout();
      return / UIDONLY\b/.test(untagged.join(" "));
    };
    assert.equal(await has(), true);
    await postern(house, "account", "capabilities", "alice@example.org", "UIDONLY");
    assert.equal(await has(), false);
    await postern(house, "account", "capabilities", "alice@example.org");
    assert.equal(await has(), true);
  });
});
