import assert from "node:assert/strict";
import { AutoconfigPage } from "../../src/web/mod.ts";
import { ModelDirectory } from "../store/model_directory.ts";

Deno.test("mail programs are told how to reach a domain that is here, and nothing of others", async () => {
  const directory = new ModelDirectory();
  await directory.addDomain("example.org");
  await directory.addDomain("gone.example", { disabled: true });
  const page = new AutoconfigPage(directory, "mail.example.org", [
    { protocol: "imap", port: 993, security: "SSL" },
    { protocol: "smtp", port: 465, security: "SSL" },
  ]);
  const ask = (url: string, method = "GET") => page.answer(new Request(url, { method }));
  const own = "https://autoconfig.example.org/mail/config-v1.1.xml";
  for (
    const url of [
      own,
      `${own}?emailaddress=alice%40EXAMPLE.org`,
      "https://example.org/.well-known/autoconfig/mail/config-v1.1.xml",
      "https://mail.example.org/mail/config-v1.1.xml?emailaddress=alice%40example.org",
    ]
  ) {
    const text = await (await ask(url))?.text() ?? "";
    assert.match(text, /<emailProvider id="example\.org">/, url);
    assert.match(text, /<hostname>mail\.example\.org<[^]*<port>993<[^]*<port>465</);
  }
  for (const address of ["a%40elsewhere.example", "a%40gone.example", "a%40%3Cb%3E", "%40", ""]) {
    assert.equal(await ask(`${own}?emailaddress=${address}`), undefined, address);
  }
  assert.equal(await ask(own, "POST"), undefined);
  assert.equal(await ask("https://autoconfig.example.org/mail/"), undefined);
});
