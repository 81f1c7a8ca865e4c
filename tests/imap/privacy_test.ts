import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { PASSWORD, USER, withServer } from "../support/server.ts";

const PLAIN = Buffer.from(`\0${USER}\0${PASSWORD}`).toString("base64");
const CLEAR = [`LOGIN ${USER} "${PASSWORD}"`, `AUTHENTICATE PLAIN ${PLAIN}`];

Deno.test("passwords in clear are PRIVACYREQUIRED, right and wrong ones, until TLS has begun", async () => {
  await withServer(async (server) => {
    const c = await server.connect();
    assert.match(c.greeting, / LOGINDISABLED[ \]]/);
    assert.doesNotMatch(c.greeting, /AUTH=PLAIN/);
    for (const command of CLEAR) await c.no(command, "PRIVACYREQUIRED");
    await c.no('LOGIN nobody@example.org "wrong"', "PRIVACYREQUIRED");
    // Without an initial response the password is not even asked for.
    await c.no("AUTHENTICATE PLAIN", "PRIVACYREQUIRED");
    await c.bad('LIST "" *');

    await c.startTls();
    const { untagged: [capability = ""] } = await c.ok("CAPABILITY");
    assert.doesNotMatch(capability, /LOGINDISABLED|STARTTLS/);
    assert.match(capability, /AUTH=PLAIN/);
    await c.ok(CLEAR[0] ?? "");
    const overTls = await server.connect({ tls: true });
    await overTls.ok(CLEAR[1] ?? "");
  }, { allowPlaintext: false });
});
