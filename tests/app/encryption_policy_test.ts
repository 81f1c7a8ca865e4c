import assert from "node:assert/strict";
import nodemailer from "nodemailer";
import { concatBytes } from "../../src/base/mod.ts";
import { TestClient } from "../support/client.ts";
import { startPostern, withFolder } from "./postern_process.ts";

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
      const send = async (transport: typeof submission, from: string, raw: string) => {
        try {
          const { rejectedErrors } = await transport.sendMail({ envelope: { from, to }, raw });
          return rejectedErrors?.[0]?.response ?? "sent";
        } catch (error) {
          return String((error as { response?: string }).response);
        }
      };
      const clear = `From: <${auth.user}>\r\nSubject: x\r\n\r\nhello\r\n`;
      assert.match(await send(submission, auth.user, clear), /^523 5\.7\.1 Encryption Needed/);
      assert.equal(await send(submission, auth.user, encrypted(auth.user)), "sent");
      assert.match(await send(lmtp, "a@elsewhere.example", clear), /^523 .*Encryption Needed/);
      const other = "a@elsewhere.example";
      assert.equal(await send(lmtp, other, encrypted(other)), "sent");
      await bob.ok("SELECT INBOX");
      const { untagged } = await bob.ok("FETCH 1:* BODY.PEEK[HEADER]");
      const [first = "", second = "", ...more] = untagged;
      assert.equal(more.length, 0);
      assert.match(first, /^Subject: \[\.\.\.\]\r$/m);
      assert.doesNotMatch(first, /^(?:User-Agent|Received):/m);
      assert.match(second, /^Subject: what nobody should read\r$/m);
      assert.doesNotMatch(second, /^Received:/m);
      bob.close();
    } finally {
      submission.close();
      lmtp.close();
      const { code, stderr } = await server.stop("SIGTERM");
      assert.equal(code, 0, stderr);
    }
  }, CONFIG));
