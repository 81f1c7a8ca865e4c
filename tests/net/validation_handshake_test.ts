import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import * as acme from "acme-client";
import fc from "fast-check";
import { ACME_PROTOCOL, ValidationCertificate } from "../../src/net/mod.ts";
import { answerValidation } from "../../src/net/validation_handshake.ts";
import { buildClientHello, hasProgram, netTest, pairFor, storeFor } from "./support.ts";

const NAME = "mail.example.org";
const KEY_AUTHORIZATION = "token.thumbprint";

/** What acme-client makes for a challenge: with the critical extension of RFC 8737 3. */
async function validationPair() {
  const key = await acme.crypto.createPrivateEcdsaKey("P-256");
  const [privateKey, certificate] = await acme.crypto.createAlpnCertificate(
    { identifier: { type: "dns", value: NAME } } as acme.Authorization,
    KEY_AUTHORIZATION,
    key,
  );
  return { privateKey: privateKey.toString(), certificate: certificate.toString() };
}

/** Runs openssl as a certificate authority would ask. */
async function ask(port: number, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command("openssl", {
    args: ["s_client", "-connect", `127.0.0.1:${port}`, ...named(args), ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** What Pebble, that is Go's TLS, sends to validate mail.example.org. */
const GO_HELLO =
  "160301011401000110030320fcb814597715acab130a3391d3866be47be19772cbd6c283a5848bee53357b20" +
  "eeb62d0c466c2d1813a60163500da8c4169b307970893cc7af235084b3a686a10026c02bc02fc02cc030cca9" +
  "cca8c009c013c00ac014009c009d002f0035c012000a130113021303010000a10000001500130000106d6169" +
  "6c2e6578616d706c652e6f7267000500050100000000000a000a0008001d001700180019000b00020100000d" +
  "001a0018080404030807080508060401050106010503060302010203ff010001000010000d000b0a61636d65" +
  "2d746c732f3100120000002b00050403040303003300260024001d0020f31ebce86bc32c5b854136ec4d5fec" +
  "fd6ee06289542a38fad73559967ab5c642";

function named(args: readonly string[]): string[] {
  return args.some((arg) => arg.endsWith("servername")) ? [] : ["-servername", NAME];
}

const WITHOUT_OPENSSL = !hasProgram("openssl");

netTest(
  "a certificate authority is shown its certificate, whichever group it offers",
  async (scope) => {
    const pair = await validationPair();
    const certificate = new ValidationCertificate(pair);
    const { port, count } = await scope.listen({
      kind: "alpn",
      tls: { certificates: await storeFor("localhost") },
      routes: {
        protocols: new Map([[ACME_PROTOCOL, {
          kind: "validation",
          certificateFor: (name) => name === NAME ? certificate : undefined,
        }]]),
        none: { kind: "own", name: "web" },
      },
    });
    for (const group of ["X25519", "P-256"]) {
      const { code, stdout, stderr } = await ask(port, "-alpn", ACME_PROTOCOL, "-groups", group);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /ALPN protocol: acme-tls\/1\n/);
      assert.match(stdout, /New, TLSv1\.3, Cipher is TLS_AES_128_GCM_SHA256\n/);
      const shown = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/.exec(stdout)?.[0];
      const der = (pem: string) => pem.replaceAll(/-----[A-Z ]+-----|\s/g, "");
      assert.equal(der(shown ?? ""), der(pair.certificate));
      assert.ok(acme.crypto.isAlpnCertificateAuthorizationValid(shown ?? "", KEY_AUTHORIZATION));
    }
    const alert = async (number: number, ...args: string[]) => {
      const { code, stderr } = await ask(port, ...args);
      assert.notEqual(code, 0);
      assert.match(stderr, new RegExp(`SSL alert number ${number}\n`));
    };
    await alert(112, "-alpn", ACME_PROTOCOL, "-servername", "other.example.org");
    await alert(112, "-alpn", ACME_PROTOCOL, "-noservername");
    await alert(70, "-alpn", ACME_PROTOCOL, "-tls1_2");
    await alert(40, "-alpn", ACME_PROTOCOL, "-groups", "P-384");
    await alert(40, "-alpn", ACME_PROTOCOL, "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256");
    await alert(40, "-alpn", ACME_PROTOCOL, "-sigalgs", "RSA-PSS+SHA256");
    assert.equal(count(), 0);
    // Others are served as if nothing were validated.
    assert.match((await ask(port)).stdout, /subject=CN = localhost\n/);
  },
  WITHOUT_OPENSSL,
);

Deno.test("no ClientHello makes the answer throw, and only whole ones get one", async () => {
  const certificate = new ValidationCertificate(await pairFor(NAME));
  const plain = buildClientHello({ alpn: [ACME_PROTOCOL], sni: NAME });
  assert.equal(answerValidation(plain, certificate), 70, "no key share, no TLS 1.3");
  const hello = Uint8Array.fromHex(GO_HELLO);
  assert.ok(answerValidation(hello, certificate) instanceof Uint8Array);
  for (let length = 0; length < hello.length; length++) {
    assert.equal(answerValidation(hello.subarray(0, length), certificate), 50);
  }
  fc.assert(fc.property(
    fc.nat(hello.length - 1),
    fc.integer({ min: 1, max: 255 }),
    (at, flip) => {
      const changed = hello.slice();
      changed[at]! ^= flip;
      const answer = answerValidation(changed, certificate);
      assert.ok(typeof answer === "object" || [40, 47, 50, 70].includes(answer));
    },
  ));
});

Deno.test("a share that is no point of its curve is refused as an illegal parameter", async () => {
  const certificate = new ValidationCertificate(await pairFor(NAME));
  const share = Buffer.from(GO_HELLO, "hex");
  // x25519 (0x001d), 32 bytes: the point of order one.
  const at = share.indexOf(Buffer.from("001d0020", "hex"));
  share.fill(0, at + 4, at + 36);
  assert.equal(answerValidation(share, certificate), 47);
});
