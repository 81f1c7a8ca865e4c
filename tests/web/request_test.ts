import assert from "node:assert/strict";
import { readRequestFacts } from "../../src/web/mod.ts";
import { type Page, SiteHouse } from "./site_house.ts";

const LOCAL = { address: "192.0.2.1" };
const PROXY = { remote: { address: "10.0.0.1" }, local: LOCAL, tls: undefined };

function read(headers: Record<string, string>, isTrustedProxy: boolean) {
  const request = new Request("http://mail.example.org/", { headers });
  const { remote, tls } = readRequestFacts(request, { ...PROXY, isTrustedProxy });
  return [remote.address, tls !== undefined];
}

Deno.test("a trusted proxy says who asks and whether by TLS; a stranger is not believed", () => {
  const headers = { "x-forwarded-for": "198.51.100.4", "x-forwarded-proto": "https" };
  assert.deepEqual(read(headers, true), ["198.51.100.4", true]);
  assert.deepEqual(read(headers, false), ["10.0.0.1", false]);
  assert.deepEqual(read({}, true), ["10.0.0.1", false]);
});

Deno.test("of a list only what the proxy itself added counts", () => {
  const spoofed = {
    "x-forwarded-for": "203.0.113.1, 2001:db8::7",
    "x-forwarded-proto": "https,http",
  };
  assert.deepEqual(read(spoofed, true), ["2001:db8::7", false]);
  for (const value of ["unknown", "", "1.2.3.4,", "unix:/x", "<script>", "a".repeat(50)]) {
    assert.deepEqual(read({ "x-forwarded-for": value }, true), ["10.0.0.1", false], value);
  }
});

Deno.test("one logs in behind a trusted proxy, and guesses count for the guesser alone", async () => {
  await using house = await SiteHouse.open();
  const send = async (facts: { isTrustedProxy: boolean }, from: string, password?: string) => {
    const visitor = house.visitor({ ...PROXY, ...facts }, {
      "x-forwarded-for": from,
      "x-forwarded-proto": "https",
    });
    const page: Page = await visitor.logIn("alice", password);
    return page.path;
  };
  assert.equal(await send({ isTrustedProxy: false }, "198.51.100.4"), "/account/login");
  for (let i = 0; i < 20; i++) await send({ isTrustedProxy: true }, "198.51.100.4", "a guess");
  assert.equal(await send({ isTrustedProxy: true }, "198.51.100.4"), "/account/login");
  assert.equal(await send({ isTrustedProxy: true }, "203.0.113.9"), "/account");
});
