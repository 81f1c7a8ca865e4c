import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { furnish } from "./admin_furniture.ts";
import {
  BrowserHouse,
  type BrowserOptions,
  browserTest,
  overflows,
  seriousFindings,
} from "./browser.ts";
import { ADMIN_PASSWORD, SiteHouse } from "./site_house.ts";

/** Where pictures of the pages go, to be looked at; none are made unless it is set. */
const PICTURES = Deno.env.get("POSTERN_PICTURES");

const PAGES = [
  ...["", "/accounts", "/accounts/new", "/accounts/1", "/accounts/1/password"],
  ...["/accounts/1/delete", "/aliases", "/domains", "/domains/remove?name=old.example"],
  ...["/connections", "/logins", "/bans", "/queue", "/queue/drop?id=1", "/charts", "/server"],
  ...["/password"],
];

/** Those that have all kinds of things which have colours. */
const COLOURFUL = ["", "/accounts/1", "/connections", "/queue", "/charts", "/server"];

const LOOKS: readonly [string, BrowserOptions][] = [
  ["light", {}],
  ["dark", { colorScheme: "dark" }],
  ["phone", { isPhone: true, javaScriptEnabled: false }],
  ["phone-dark", { isPhone: true, colorScheme: "dark" }],
];

async function logIn(page: Page): Promise<void> {
  await page.goto("/admin/login");
  await page.getByLabel("Password").fill(ADMIN_PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL("**/admin");
}

async function lookAt(page: Page, name: string): Promise<void> {
  assert.equal(await overflows(page), false, `${name} is wider than the window`);
  if (PICTURES === undefined) return;
  await page.screenshot({
    path: `${PICTURES}/${name.replaceAll(/\W+/g, "_")}.png`,
    fullPage: true,
  });
}

browserTest("the admin's pages in a browser", async (test) => {
  await using house = await SiteHouse.open();
  await furnish(house);
  await using browsers = await BrowserHouse.open(house);

  for (const [look, options] of LOOKS) {
    await test.step(`every page is readable and accessible: ${look}`, async () => {
      const page = await browsers.page(options);
      await logIn(page);
      for (const path of PAGES) {
        await page.goto(`/admin${path}`);
        if (path === "/charts" && options.javaScriptEnabled !== false) {
          await page.locator(".u-legend").last().waitFor();
        }
        await lookAt(page, `${look} admin${path}`);
        // Every page, and both sets of colours and both layouts; without scripts axe cannot run.
        const isAsked = look === "light" || (look === "phone-dark" && COLOURFUL.includes(path));
        if (!isAsked) continue;
        assert.deepEqual(await seriousFindings(page), [], `${look} ${path}`);
      }
      await page.context().close();
    });
  }

  await test.step("charts are drawn, and without scripts there are their numbers", async () => {
    const page = await browsers.page();
    await logIn(page);
    await page.goto("/admin/charts?range=7d");
    await page.locator("canvas").nth(6).waitFor();
    assert.equal(await page.locator("details[open]").count(), 0);
    const isDrawn = await page.evaluate<boolean>(`
      [...document.querySelectorAll("canvas")].every((canvas) =>
        canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
          .data.some((octet) => octet > 0))`);
    assert.ok(isDrawn);
    await page.context().close();

    const plain = await browsers.page({ javaScriptEnabled: false });
    await logIn(plain);
    await plain.goto("/admin/charts");
    assert.equal(await plain.locator("details[open] table").count(), 7);
    assert.equal(await plain.locator("canvas").count(), 0);
    await plain.context().close();
  });

  await test.step("without scripts: an account is added, disabled, found and deleted", async () => {
    const page = await browsers.page({ javaScriptEnabled: false, isPhone: true });
    await logIn(page);
    await page.getByRole("link", { name: "Accounts", exact: true }).first().click();
    await page.getByRole("link", { name: "Add an account" }).click();
    await page.getByLabel("Mail address").fill("carol@example.org");
    await page.getByRole("button", { name: "Add the account" }).click();
    assert.match(await page.locator("output.secret").innerText(), /^[a-z2-9-]{23}$/);
    await page.getByRole("link", { name: "On to the account" }).click();
    await page.getByLabel("Message").fill("Please call the office.");
    await page.getByRole("button", { name: "Disable the account" }).click();
    await page.getByText("The account was disabled").waitFor();
    await page.getByRole("link", { name: "Accounts", exact: true }).click();
    await page.getByLabel("Part of the address").fill("CAROL");
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByRole("link", { name: "carol@example.org" }).click();
    await page.getByRole("link", { name: "Delete the account" }).click();
    await page.getByLabel("Now: nothing brings it back").check();
    await page.getByRole("button", { name: "Delete the account" }).click();
    await page.getByText("The account was deleted").waitFor();
    await page.context().close();
  });

  assert.deepEqual(browsers.errors, []);
});
