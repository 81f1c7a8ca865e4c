import assert from "node:assert/strict";
import { fingerprintOf } from "../../src/auth/client_key.ts";
import { ClientKeyError, readClientKey } from "../../src/auth/mod.ts";
import { makeIdentity } from "../support/identities.ts";

/** The fingerprint as openssl computes it. */
async function opensslFingerprint(cert: string): Promise<string> {
  const script = "openssl x509 -noout -pubkey | openssl pkey -pubin -outform der | " +
    "openssl dgst -sha256 -binary | basenc --base64url | tr -d =";
  const child = new Deno.Command("sh", { args: ["-c", script], stdin: "piped", stdout: "piped" })
    .spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(cert));
  await writer.close();
  return new TextDecoder().decode((await child.output()).stdout).trim();
}

Deno.test("a key is known by the SHA-256 of its SubjectPublicKeyInfo, whatever its kind", async () => {
  const types = { rsa: "RSA 2048", ecdsa: "ECDSA prime256v1", ed25519: "Ed25519" } as const;
  for (const [kind, keyType] of Object.entries(types)) {
    const { cert } = await makeIdentity(kind as keyof typeof types, { name: "my phone" });
    const read = readClientKey(cert);
    assert.equal(read.fingerprint, await opensslFingerprint(cert));
    assert.match(read.fingerprint, /^[\w-]{43}$/);
    assert.equal(read.keyType, keyType);
    assert.equal(read.name, "my phone");
    assert.equal(fingerprintOf(read.certificate), read.fingerprint);
  }
});

Deno.test("two certificates of one key have one fingerprint", async () => {
  const first = await makeIdentity("ecdsa");
  const second = await makeIdentity("ecdsa", { key: first.key, name: "other", days: 1 });
  assert.notEqual(first.cert, second.cert);
  assert.equal(readClientKey(first.cert).fingerprint, readClientKey(second.cert).fingerprint);
});

Deno.test("short RSA keys, other kinds of key and what is no certificate are refused", async () => {
  for (const kind of ["weakRsa", "ed448"] as const) {
    const { cert } = await makeIdentity(kind);
    assert.throws(() => readClientKey(cert), ClientKeyError);
  }
  for (const nothing of ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]) {
    assert.throws(() => readClientKey(nothing), ClientKeyError);
    assert.equal(fingerprintOf(new TextEncoder().encode(nothing)), undefined);
  }
});
