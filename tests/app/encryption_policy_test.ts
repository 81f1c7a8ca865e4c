import assert from "node:assert/strict";
import nodemailer from "nodemailer";
import { EncryptionPolicy } from "../../src/app/encryption_policy.ts";
import { concatBytes, encodeUtf8 } from "../../src/base/mod.ts";
import type { Account } from "../../src/store/mod.ts";
import { TestClient } from "../support/client.ts";
import { runPostern, startPostern, withFolder } from "./postern_process.ts";

const CONFIG = `
[[listener]]
kind = "submissions"
address = "127.0.0.1:0"
[[listener]]
kind = "lmtp"
address = "127.0.0.1:0"
[[listener]]
kind = "imaps"
address = "127.0.0.1:0"
[chatmail]
domain = "chat.example"
push_url = "none"
require_encryption = true
passthrough_senders = ["news-0001@chat.example"]
passthrough_recipients = ["help-0001@chat.example"]
`;

/** A message whose OpenPGP packets are those of an encrypted one. */
function encrypted(from: string): string {
  const packets = concatBytes([
    Uint8Array.of(0xc1, 9),
    new Uint8Array(9),
    Uint8Array.of(0xd2, 30),
    new Uint8Array(30),
  ]);
  return [
    `From: <${from}>`,
    "To: <bob-12345@chat.example>",
    "Subject: what nobody should read",
    "User-Agent: something",
    'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary="b"',
    "",
    "--b",
    "Content-Type: application/pgp-encrypted",
    "",
    "Version: 1",
    "--b",
    "Content-Type: application/octet-stream",
    "",
    "-----BEGIN PGP MESSAGE-----",
    "",
    packets.toBase64(),
    "-----END PGP MESSAGE-----",
    "--b--",
    "",
  ].join("\r\n");
}

Deno.test("where encryption is needed, clear mail neither goes out nor comes in", () =>
  withFolder(async ({ config }) => {
    const server = await startPostern(["serve", "--config", config]);
    const portOf = (kind: string) => Number(server.address(kind).split(":").at(-1));
    const auth = { user: "alice-123@chat.example", pass: "correct horse" };
    const to = "bob-12345@chat.example";
    const submission = nodemailer.createTransport({
      host: "127.0.0.1",
      port: portOf("submissions"),
      secure: true,
      auth,
      tls: { rejectUnauthorized: false },
    });
    const lmtp = nodemailer.createTransport({
      host: "127.0.0.1",
      port: portOf("lmtp"),
      lmtp: true,
      secure: false,
      ignoreTLS: true,
    });
    try {
      const bob = await TestClient.connect(portOf("imaps"), { tls: true });
      await bob.ok(`LOGIN ${to} "another password"`);
      const send = async (
        transport: typeof submission,
        from: string,
        raw: string,
        to = "bob-12345@chat.example",
      ) => {
        try {
          const { rejectedErrors } = await transport.sendMail({ envelope: { from, to }, raw });
          return rejectedErrors?.[0]?.response ?? "sent";
        } catch (error) {
          return String((error as { response?: string }).response);
        }
      };
      const help = await TestClient.connect(portOf("imaps"), { tls: true });
      await help.ok('LOGIN help-0001@chat.example "yet another password"');
      const clear = `From: <${auth.user}>\r\nSubject: x\r\n\r\nhello\r\n`;
      assert.match(await send(submission, auth.user, clear), /^523 5\.7\.1 Encryption Needed/);
      assert.equal(await send(submission, auth.user, encrypted(auth.user)), "sent");
      const other = "a@elsewhere.example";
      assert.match(await send(lmtp, other, clear), /^523 5\.7\.1 Encryption Needed/);
      const trace = "DKIM-Signature: v=1;\r\n\tb=x\r\nreceived: from 192.0.2.1\r\n\tby b\r\n" +
        "Authentication-Results: ok\r\n";
      assert.equal(await send(lmtp, other, trace + encrypted(other)), "sent");
      // Whoever may be written to in clear may be so from here and from elsewhere.
      const address = "help-0001@chat.example";
      assert.equal(await send(submission, auth.user, clear, address), "sent");
      assert.equal(await send(lmtp, other, clear, address), "sent");
      const { code: exit } = await runPostern(["deliver", to, "--config", config], {
        stdin: clear,
      });
      assert.equal(exit, 1, "a pipe is no way around it");
      await help.ok("SELECT INBOX");
      const { untagged: clearOnes } = await help.ok("FETCH 1:* BODY.PEEK[HEADER]");
      assert.equal(clearOnes.filter((line) => /^Subject: x\r$/m.test(line)).length, 2);
      help.close();
      await bob.ok("SELECT INBOX");
      const { untagged } = await bob.ok("FETCH 1:* BODY.PEEK[HEADER]");
      const [first = "", second = "", ...more] = untagged;
      assert.equal(more.length, 0);
      assert.match(first, /^Subject: \[\.\.\.\]\r$/m);
      assert.doesNotMatch(first, /^(?:User-Agent|Received):/m);
      assert.match(second, /^Subject: what nobody should read\r$/m);
      assert.doesNotMatch(second, /^(?:Received|DKIM-Signature|Authentication-Results):/im);
      const { untagged: texts } = await bob.ok("FETCH 2 BODY.PEEK[TEXT]");
      const [, body = ""] = encrypted(other).split(/\r\n\r\n([^]*)/);
      assert.ok(texts.join().includes(body), "the body is what was sent");
      bob.close();
    } finally {
      submission.close();
      lmtp.close();
      const { code, stderr } = await server.stop("SIGTERM");
      assert.equal(code, 0, stderr);
    }
  }, CONFIG));

Deno.test("who is on a passthrough list may send in clear, or be written to, with the subject kept", async () => {
  const policy = new EncryptionPolicy({
    domain: "chat.example",
    passthroughSenders: ["news-0001@chat.example"],
    passthroughRecipients: ["help-0001@chat.example", "@partner.example"],
  });
  const { submission } = policy;
  const account = (address: string) => ({ address }) as Account;
  const send = async (sender: string, recipients: string[], from = [sender]) => {
    const refusal = await submission.checkMessage?.({
      account: account(sender),
      sender,
      from,
      recipients,
      content: async function* () {
        yield encodeUtf8(`From: ${sender}\r\n\r\nhello\r\n`);
      },
    });
    const isKept = submission.replacedFields?.(account(sender), recipients).size === 0;
    assert.equal(isKept, refusal === undefined || refusal.code !== 523);
    return refusal?.code ?? "sent";
  };
  const alice = "alice-001@chat.example";
  const news = "news-0001@chat.example";
  assert.equal(await send(alice, ["bob-12345@chat.example"]), 523);
  assert.equal(await send(news, ["bob-12345@chat.example", "x@far.example"]), "sent");
  assert.equal(await send(news, ["x@far.example"], [news, alice]), 554, "as nobody else");
  assert.equal(await send(alice, ["Help-0001@Chat.example", "any@partner.example"]), "sent");
  assert.equal(await send(alice, ["any@partner.example", "x@far.example"]), 523, "all or none");
  assert.equal(await send(alice, ["any@sub.partner.example"]), 523);

  const arrive = (address: string) => {
    const inspector = policy.inspectIncoming();
    inspector.write(encodeUtf8(`From: x@far.example\r\n\r\nhello\r\n`));
    return inspector.check(account(address))?.kind;
  };
  assert.equal(arrive("bob-12345@chat.example"), "not-encrypted");
  assert.equal(arrive(news), "not-encrypted", "who may send in clear is not thereby written to");
  assert.equal(arrive("help-0001@chat.example"), undefined);
  assert.equal(arrive("carol@elsewhere.example"), undefined, "other domains are not concerned");
});
