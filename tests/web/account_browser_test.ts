import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Page } from "playwright-core";
import { bytesOf, put } from "../store/fixture.ts";
import {
  BrowserHouse,
  type BrowserOptions,
  browserTest,
  overflows,
  seriousFindings,
} from "./browser.ts";
import { NOW, PASSWORD, SiteHouse } from "./site_house.ts";

/** Where pictures of the pages go, to be looked at; none are made unless it is set. */
const PICTURES = Deno.env.get("POSTERN_PICTURES");

const PAGES = [
  ...["", "/logins", "/password", "/password?generated", "/app-passwords", "/keys", "/transfer"],
  "/settings",
];

const LOOKS: readonly [string, BrowserOptions][] = [
  ["light", {}],
  ["dark", { colorScheme: "dark" }],
  ["phone", { isPhone: true, javaScriptEnabled: false }],
  ["phone-dark", { isPhone: true, colorScheme: "dark" }],
];

/** An account that has something of everything. */
async function furnish(house: SiteHouse): Promise<void> {
  const alice = await house.account("alice");
  const { directory } = house.store;
  const mail = await house.store.openAccount(alice.id);
  await directory.setAccountQuota(alice.id, 2 * 1024 ** 2);
  await put(mail, "INBOX", { bytes: bytesOf(`Subject: x\r\n\r\n${"x".repeat(1_700_000)}\r\n`) });
  await mail.createMailbox("Lists/a rather long name of a mailbox that nobody would choose/Deno");
  house.host.connect({ account: alice });
  house.host.connect({ account: alice, client: "", tls: undefined, protocol: "submission" });
  for (let i = 0; i < 12; i++) {
    await house.loginLog.add([{
      ...{ accountId: alice.id, username: alice.address, local: "", tls: "", fingerprint: "" },
      ...{ protocol: "imap", userAgent: "Thunderbird 140.1 (Linux)", timeMs: NOW - i * 86_000_000 },
      ...{ mechanism: "SCRAM-SHA-256-PLUS", remote: `2001:db8:aaaa:bbbb:cccc:dddd:eeee:${i}` },
      ...{ result: i % 3 ? "ok" : "badpassword", isFailure: i % 3 === 0 },
    }], []);
  }
  await directory.credentials.addClientKey({
    ...{ accountId: alice.id, address: alice.address, name: "phone", keyType: "ECDSA prime256v1" },
    ...{ fingerprint: "0nG2C2dZ0mvxHbo1xdbSDhr3Zo8fXjcP1Y9Pm0LqXrs", allowsPreauth: false },
    certificate: Uint8Array.of(1),
  });
  await directory.credentials.addAppPassword({
    ...{ accountId: alice.id, name: "old phone", scopes: ["imap"], verifier: "{}" },
  });
  await directory.addAddress("info@example.org", alice.id);
  house.retention.push("Mail in Trash is deleted 30 days after it came there.");
}

async function logIn(page: Page): Promise<void> {
  await page.goto("/account/login");
  await page.getByLabel("Mail address").fill("alice@example.org");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL("**/account");
}

async function lookAt(page: Page, name: string): Promise<void> {
  assert.equal(await overflows(page), false, `${name} is wider than the window`);
  if (PICTURES === undefined) return;
  await page.screenshot({
    path: `${PICTURES}/${name.replaceAll(/\W+/g, "_")}.png`,
    fullPage: true,
  });
}

browserTest("the account pages in a browser", async (test) => {
  await using house = await SiteHouse.open();
  await furnish(house);
  await using browsers = await BrowserHouse.open(house);

  for (const [look, options] of LOOKS) {
    await test.step(`every page is readable and accessible: ${look}`, async () => {
      const page = await browsers.page(options);
      await page.goto("/account/login");
      await lookAt(page, `${look} login`);
      await logIn(page);
      for (const path of PAGES) {
        await page.goto(`/account${path}`);
        await lookAt(page, `${look} account${path}`);
        // Both sets of colours and both layouts; without scripts axe cannot run.
        if (look !== "light" && look !== "phone-dark") continue;
        assert.deepEqual(await seriousFindings(page), [], `${look} ${path}`);
      }
      await page.context().close();
    });
  }

  await test.step("one logs in by keyboard, in the order in which one reads", async () => {
    const page = await browsers.page();
    await page.goto("/account/login");
    const focused = () =>
      page.evaluate<string | undefined>(
        "document.activeElement?.getAttribute('name') ?? document.activeElement?.textContent",
      );
    const order = [];
    for (let i = 0; i < 4; i++) {
      await page.keyboard.press("Tab");
      order.push(await focused());
      if (order.at(-1) === "address") await page.keyboard.type("alice@example.org");
      if (order.at(-1) === "password") await page.keyboard.type(PASSWORD);
    }
    assert.deepEqual(order, ["To the content", "address", "password", "Log in"]);
    await page.keyboard.press("Enter");
    await page.waitForURL("**/account");
    const links = [];
    for (let i = 0; i < 9; i++) {
      await page.keyboard.press("Tab");
      links.push(await focused());
    }
    assert.deepEqual(links, [
      ...["To the content", "Log out", "Overview", "Logins", "Password", "App passwords"],
      ...["TLS keys", "Import and export", "Settings"],
    ]);
    await page.context().close();
  });

  await test.step("without scripts: an app password is made, a session ended, mail imported", async () => {
    const page = await browsers.page({ javaScriptEnabled: false });
    await logIn(page);
    await page.getByRole("button", { name: /^End the session of Thunderbird/ }).click();
    await page.getByText("The session was ended.").waitFor();
    await page.getByRole("link", { name: "App passwords" }).click();
    await page.getByLabel("Name").fill("tablet");
    await page.getByLabel("Send mail (SMTP)").uncheck();
    await page.getByRole("button", { name: "Make the password" }).click();
    assert.match(await page.locator("output.secret").innerText(), /^[a-z2-9-]{34}$/);
    await page.getByRole("link", { name: "Import and export" }).click();
    const buffer = new TextEncoder().encode(
      "From a@b Thu Jan  1 00:00:00 1970\nSubject: x\n\nText\n\n",
    );
    await page.getByLabel("File", { exact: true }).setInputFiles({
      ...{ name: "Old.mbox", mimeType: "application/mbox" },
      buffer: Buffer.from(buffer),
    });
    await page.getByRole("button", { name: "Import", exact: true }).click();
    await page.getByText("Old.mbox was imported: 1 message.").waitFor();
    await page.context().close();
  });

  await test.step("a page shows how an import goes, with scripts and without", async () => {
    const visitor = house.visitor();
    await visitor.logIn("alice");
    await visitor.post("/account/transfer/forget", {});
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const answer = house.answer(
      new Request(`${browsers.origin}/account/transfer/import`, {
        method: "POST",
        body: readable,
        headers: {
          "content-type": "multipart/form-data; boundary=y",
          "sec-fetch-site": "same-origin",
          cookie: [...visitor.cookies].map((cookie) => cookie.join("=")).join("; "),
        },
      }),
    );
    const writer = writable.getWriter();
    await writer.write(bytesOf(
      '--y\r\nContent-Disposition: form-data; name="file"; filename="Big.mbox"\r\n\r\n' +
        "From a@b Thu Jan  1 00:00:00 1970\nSubject: x\n\n",
    ));
    const pages = [
      await browsers.page(),
      await browsers.page({ javaScriptEnabled: false, isPhone: true }),
    ];
    for (const [i, page] of pages.entries()) {
      await logIn(page);
      await page.goto("/account/transfer");
      await page.getByText("The file is being sent.").waitFor();
      await lookAt(page, `import ${i}`);
    }
    await writer.write(bytesOf("Text\n\r\n--y--\r\n"));
    await writer.close();
    assert.equal((await answer).status, 303);
    for (const [i, page] of pages.entries()) {
      await page.getByText("Big.mbox was imported: 1 message.").waitFor({ timeout: 10_000 });
      await lookAt(page, `imported ${i}`);
      await page.context().close();
    }
  });

  assert.deepEqual(browsers.errors, []);
});
