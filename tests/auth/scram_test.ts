import assert from "node:assert/strict";
import fc from "fast-check";
import { parseClientFirst, ScramError, ScramServer } from "../../src/auth/scram.ts";
import { makeScramVerifier, type ScramHash } from "../../src/auth/verifier.ts";
import { ScramClient } from "../support/scram_client.ts";

const CLEAR = { data: undefined, isPlus: false };
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array) => new TextDecoder().decode(data);

async function serverFor(
  hash: ScramHash,
  salt: string,
  first: string,
  nonce: string,
  binding: { data: Uint8Array | undefined; isPlus: boolean } = CLEAR,
): Promise<ScramServer> {
  const verifier = await makeScramVerifier(hash, "pencil", Uint8Array.fromBase64(salt), 4096);
  return new ScramServer(hash, parseClientFirst(bytes(first), binding), nonce, [verifier], binding);
}

Deno.test("the exchange of RFC 5802 5 happens byte for byte", async () => {
  const server = await serverFor(
    "SHA-1",
    "QSXCR+Q6sek8bf92",
    "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
    "3rfcNHYJY1ZVvWVs7j",
  );
  assert.equal(
    text(server.challenge),
    "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
  );
  const final =
    "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=";
  assert.equal(text(server.finish(bytes(final))), "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=");
});

const NONCE_7677 = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const FINAL_7677 = `c=biws,r=${NONCE_7677},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`;

function server7677(): Promise<ScramServer> {
  return serverFor(
    "SHA-256",
    "W22ZaJ0SNY7soEsUEjb6gQ==",
    "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
    "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
  );
}

Deno.test("the exchange of RFC 7677 3 happens byte for byte", async () => {
  const server = await server7677();
  assert.equal(text(server.challenge), `r=${NONCE_7677},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`);
  const answer = server.finish(bytes(FINAL_7677));
  assert.equal(text(answer), "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
});

function errorOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof ScramError) return error.value;
    throw error;
  }
  return "none";
}

Deno.test("a changed client-final-message is refused with the error that fits", async () => {
  const server = await server7677();
  const cases = [
    [FINAL_7677.replace("p=dH", "p=dG"), "invalid-proof"],
    [FINAL_7677.replace("UtE9", "").replace(/p=.*/, "p=AAAA"), "invalid-proof"],
    [FINAL_7677.replace("c=biws", "c=eSws"), "channel-bindings-dont-match"],
    [FINAL_7677.replace("$k0,", "$k1,"), "other-error"],
    [FINAL_7677.replace("$k0,", "$k0x,"), "other-error"],
    [FINAL_7677.replace(",p=", ",m=x,p="), "extensions-not-supported"],
    [FINAL_7677.replace(/,p=.*/, ""), "invalid-encoding"],
    [FINAL_7677.replace("c=biws", "c=b"), "invalid-encoding"],
    [FINAL_7677 + ",x=1", "invalid-encoding"],
    ["", "invalid-encoding"],
    ["x".repeat(5000), "invalid-encoding"],
  ] as const;
  for (const [message, value] of cases) {
    assert.equal(errorOf(() => server.finish(bytes(message))), value, message);
  }
});

Deno.test("unknown optional extensions are ignored in both client messages", async () => {
  const client = new ScramClient({
    hash: "SHA-256",
    username: "user",
    password: "pencil",
    extensions: ",z=more,y=yet",
  });
  const server = await serverFor("SHA-256", "AAAAAAAA", client.first, "abc");
  const final = await client.final(text(server.challenge));
  assert.ok(final.includes(",z=more,y=yet,p="));
  assert.ok(client.accepts(text(server.finish(bytes(final)))));
});

Deno.test("a malformed client-first-message is refused with the error that fits", () => {
  const cases = [
    ["", "invalid-encoding"],
    ["x,,n=user,r=12345678", "invalid-encoding"],
    ["n,n=user,r=12345678", "invalid-encoding"],
    ["n,,r=12345678,n=user", "invalid-encoding"],
    ["n,,n=,r=12345678", "invalid-encoding"],
    ["n,,n=user,r=", "invalid-encoding"],
    ["n,,n=user,r=1234 5678", "invalid-encoding"],
    ["n,,n=user,r=12345678,bad", "invalid-encoding"],
    ["n,,n=us\0er,r=12345678", "invalid-encoding"],
    ["n,,m=must,n=user,r=12345678", "extensions-not-supported"],
    ["n,,n=us=er,r=12345678", "invalid-username-encoding"],
    ["n,,n=us=2cer,r=12345678", "invalid-username-encoding"],
    ["n,,n=user,r=1234567", "other-error"],
    ["n,,n=user,r=12345678", "none"],
    [`n,,n=user,r=${"1".repeat(4096 - 12)}`, "none"],
    [`n,,n=user,r=${"1".repeat(4096 - 11)}`, "invalid-encoding"],
  ] as const;
  for (const [message, value] of cases) {
    assert.equal(errorOf(() => parseClientFirst(bytes(message), CLEAR)), value, message);
  }
  const notUtf8 = new Uint8Array([...bytes("n,,n=us"), 0xff, ...bytes("er,r=12345678")]);
  assert.equal(errorOf(() => parseClientFirst(notUtf8, CLEAR)), "invalid-encoding");
});

Deno.test("the channel binding flag must fit the mechanism and the connection", () => {
  const data = bytes("hash");
  const rest = ",,n=user,r=12345678";
  const cases = [
    ["n", { data, isPlus: false }, "none"],
    ["y", { data: undefined, isPlus: false }, "none"],
    ["y", { data, isPlus: false }, "server-does-support-channel-binding"],
    ["p=tls-server-end-point", { data, isPlus: false }, "channel-binding-not-supported"],
    ["p=tls-server-end-point", { data, isPlus: true }, "none"],
    [
      "p=tls-server-end-point",
      { data: undefined, isPlus: true },
      "unsupported-channel-binding-type",
    ],
    ["p=tls-unique", { data, isPlus: true }, "unsupported-channel-binding-type"],
    ["p=tls-exporter", { data, isPlus: true }, "unsupported-channel-binding-type"],
    ["n", { data, isPlus: true }, "other-error"],
    ["y", { data, isPlus: true }, "other-error"],
  ] as const;
  for (const [flag, binding, value] of cases) {
    assert.equal(errorOf(() => parseClientFirst(bytes(flag + rest), binding)), value, flag);
  }
});

Deno.test("with PLUS a client that sees another certificate is refused", async () => {
  const seen = { ours: bytes("our certificate"), theirs: bytes("another's") };
  for (
    const [bindingData, value] of [[seen.ours, "none"], [
      seen.theirs,
      "channel-bindings-dont-match",
    ]] as const
  ) {
    const flag = "p=tls-server-end-point";
    const client = new ScramClient({
      hash: "SHA-256",
      username: "user",
      password: "pencil",
      flag,
      bindingData,
    });
    const server = await serverFor("SHA-256", "AAAAAAAA", client.first, "abc", {
      data: seen.ours,
      isPlus: true,
    });
    const final = await client.final(text(server.challenge));
    assert.equal(errorOf(() => server.finish(bytes(final))), value);
  }
});

Deno.test("client and server agree exactly when the passwords are the same", async () => {
  const word = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(
      word,
      word,
      word,
      fc.constantFrom<ScramHash>("SHA-1", "SHA-256"),
      fc.boolean(),
      async (username, password, other, hash, isSame) => {
        fc.pre(!username.includes("\0"));
        const sent = isSame ? password : other;
        const client = new ScramClient({ hash, username, password: sent });
        const stored = password.normalize("NFC");
        const verifier = await makeScramVerifier(hash, stored, new Uint8Array(8), 3);
        const first = parseClientFirst(bytes(client.first), CLEAR);
        assert.equal(first.username, username);
        const server = new ScramServer(hash, first, "xyz", [verifier], CLEAR);
        const final = bytes(await client.final(text(server.challenge)));
        if (sent.normalize("NFC") === stored) assert.ok(client.accepts(text(server.finish(final))));
        else assert.equal(errorOf(() => server.finish(final)), "invalid-proof");
      },
    ),
    { numRuns: 60 },
  );
});
