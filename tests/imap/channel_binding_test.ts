import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { TestClient } from "../support/client.ts";
import { ScramClient, type ScramClientOptions } from "../support/scram_client.ts";
import { PASSWORD, USER, withServer } from "../support/server.ts";

/** `tls-server-end-point` as a client finds it (RFC 5929 4.1); the certificate is ECDSA with SHA-256. */
function endPointOf(client: TestClient): Uint8Array {
  const { raw } = (client.socket as TLSSocket).getPeerCertificate();
  return new Uint8Array(createHash("sha256").update(raw).digest());
}

/** Runs SCRAM over the connection; gives what the server said, and its tagged answer. */
async function authenticate(
  client: TestClient,
  mechanism: string,
  options: Partial<ScramClientOptions>,
): Promise<{ said: string[]; answer: string }> {
  const hash = mechanism.includes("SHA-256") ? "SHA-256" : "SHA-1";
  const scram = new ScramClient({ hash, username: USER, password: PASSWORD, ...options });
  client.send(`a AUTHENTICATE ${mechanism} ${btoa(scram.first)}\r\n`);
  const said: string[] = [];
  for (;;) {
    const line = await client.response();
    if (!line.startsWith("+")) return { said, answer: line };
    const challenge = atob(line.slice(2));
    said.push(challenge);
    const isFirst = challenge.startsWith("r=");
    if (challenge.startsWith("v=")) assert.ok(scram.accepts(challenge));
    client.send(`${isFirst ? btoa(await scram.final(challenge)) : ""}\r\n`);
  }
}

const END_POINT = "p=tls-server-end-point";

Deno.test("SCRAM with channel binding is announced under TLS only, and binds to the certificate", () =>
  withServer(async (server) => {
    const clear = await server.connect();
    assert.doesNotMatch(clear.greeting, /-PLUS/);
    assert.match(
      (await authenticate(clear, "SCRAM-SHA-256-PLUS", { flag: END_POINT })).answer,
      /^a NO /,
    );
    await clear.startTls();
    assert.match((await clear.ok("CAPABILITY")).untagged.join(), /AUTH=SCRAM-SHA-256-PLUS/);
    for (const mechanism of ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"]) {
      const client = await server.connect({ tls: true });
      assert.ok(client.greeting.includes(` AUTH=${mechanism} `), client.greeting);
      const bindingData = endPointOf(client);
      const { answer } = await authenticate(client, mechanism, { flag: END_POINT, bindingData });
      assert.match(answer, /^a OK /);
    }
  }));

Deno.test("another certificate, a missing offer and another kind of binding are refused, each with its name", () =>
  withServer(async (server) => {
    const refused = async (mechanism: string, options: Partial<ScramClientOptions>) => {
      const client = await server.connect({ tls: true });
      return await authenticate(client, mechanism, options);
    };
    const relayed = { flag: END_POINT, bindingData: new Uint8Array(32) };
    const elsewhere = await refused("SCRAM-SHA-256-PLUS", relayed);
    assert.equal(elsewhere.said.at(-1), "e=channel-bindings-dont-match");
    assert.match(
      elsewhere.answer,
      /^a NO \[AUTHENTICATIONFAILED\] Authentication failed: .*middle/,
    );
    const stripped = await refused("SCRAM-SHA-256", { flag: "y" });
    assert.match(stripped.answer, /^a NO \[AUTHENTICATIONFAILED\] .*middle/);
    const exporter = await refused("SCRAM-SHA-256-PLUS", { flag: "p=tls-exporter" });
    assert.match(exporter.answer, /^a NO .*tls-server-end-point/);
    assert.match((await refused("SCRAM-SHA-256", { flag: "n" })).answer, /^a OK /);
  }));

Deno.test("channel binding can be switched off, and then nobody misses it", () =>
  withServer(async (server) => {
    const client = await server.connect({ tls: true });
    assert.doesNotMatch(client.greeting, /-PLUS/);
    assert.match(client.greeting, /AUTH=SCRAM-SHA-256 /);
    assert.match((await authenticate(client, "SCRAM-SHA-256", { flag: "y" })).answer, /^a OK /);
  }, { authenticator: { channelBinding: false } }));
