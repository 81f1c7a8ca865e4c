import assert from "node:assert/strict";
import { isEnvelopeAddress } from "../../src/delivery/envelope_address.ts";
import { SubmissionHouse } from "./submission_house.ts";

Deno.test("addresses of the envelope are those of RFC 5321, and of hosts that begin with _", () => {
  const taken = [
    ...["", "postmaster", "Postmaster", "a@b", "a.b+c=d/e@sub.example.org", "a@_chat.example"],
    ...[
      "a@[192.0.2.1]",
      "a@[IPv6:2001:db8::1]",
      "jürgen@bücher.example",
      `${"x".repeat(245)}@example`,
    ],
  ];
  for (const address of taken) assert.equal(isEnvelopeAddress(address), true, address);
  const refused = [
    ...["a", "@b", "a@", ".a@b", "a.@b", "a..b@c", "a@b@c", '"a"@b', "a@-b", "a@b-", "a@b-.c"],
    ...[
      "a@.b",
      "a@b.",
      "a@b..c",
      "a@b,c",
      "a@b;c",
      "a@(b)",
      "a@[b c]",
      "a@[]",
      "a b@c",
      "a\u0000@b",
    ],
    `${"x".repeat(247)}@example`,
  ];
  for (const address of refused) assert.equal(isEnvelopeAddress(address), false, address);
});

Deno.test("who is at a domain that begins with _, or at an address literal, can send and be sent to", async () => {
  await using house = await SubmissionHouse.open();
  const { directory } = house.store;
  for (const domain of ["_chat.example", "[192.0.2.1]"]) {
    await directory.addDomain(domain);
    await directory.addAddress(`alice@${domain}`, house.account("alice").id);
    await directory.addAddress(`bob@${domain}`, house.account("bob").id);
  }
  const client = await house.connectTls("alice");
  for (const domain of ["_chat.example", "[192.0.2.1]"]) {
    assert.match(await client.ask(`MAIL FROM:<alice@${domain}>`), /^250 /);
    assert.match(await client.ask(`RCPT TO:<bob@${domain}>`), /^250 /);
    assert.match(await client.ask("DATA"), /^354 /);
    assert.match(await client.ask(`From: alice@${domain}\r\n\r\nhello\r\n.`), /^250 /);
  }
  assert.equal((await house.inbox("bob")).length, 2);
  for (const bad of ["a@b,c", ".a@b", "a@b@c"]) {
    assert.match(await client.ask(`MAIL FROM:<${bad}>`), /^501 5\.1\.7 /, bad);
  }
});
