import axe from "axe-core";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { isInstalled } from "../interop/programs.ts";
import type { SiteHouse } from "./site_house.ts";

/** Debian's Chromium. */
const CHROMIUM = "/usr/bin/chromium";

export interface BrowserOptions {
  readonly colorScheme?: "dark" | "light";
  readonly isPhone?: boolean;
  readonly javaScriptEnabled?: boolean;
}

/** A house behind a real browser. */
export class BrowserHouse implements AsyncDisposable {
  /** `localhost` counts as safe, so that cookies of TLS work without it. */
  readonly origin: string;
  /** What browsers complained about, such as what the policy for content forbids. */
  readonly errors: string[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #browser: Browser;

  private constructor(server: Deno.HttpServer<Deno.NetAddr>, browser: Browser) {
    this.#server = server;
    this.#browser = browser;
    this.origin = `http://localhost:${server.addr.port}`;
  }

  static async open(house: SiteHouse): Promise<BrowserHouse> {
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => house.answer(request),
    );
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
    return new BrowserHouse(server, browser);
  }

  async page(
    { colorScheme = "light", isPhone = false, javaScriptEnabled = true }: BrowserOptions = {},
  ): Promise<Page> {
    const context: BrowserContext = await this.#browser.newContext({
      baseURL: this.origin,
      colorScheme,
      javaScriptEnabled,
      viewport: isPhone ? { width: 390, height: 844 } : { width: 1200, height: 850 },
    });
    const page = await context.newPage();
    page.on("console", (message) => {
      if (message.type() === "error") this.errors.push(`${page.url()}: ${message.text()}`);
    });
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    await this.#server.shutdown();
  }
}

/** A test that is skipped, and says so, where there is no browser. */
export function browserTest(name: string, fn: (test: Deno.TestContext) => Promise<void>): void {
  const ignore = !isInstalled("chromium");
  if (ignore) {
    // deno-lint-ignore no-console -- the reason for a skipped test belongs in the test's output
    console.log(`skipped, chromium not installed: ${name}`);
  }
  Deno.test({ name, ignore, fn });
}

/** What axe finds in the page that is serious or critical, in words. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
    return (await axe.run()).violations;
  });
  return found.filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html}`));
}

/** Whether something is wider than the window, so that one would have to scroll sideways. */
export async function overflows(page: Page): Promise<boolean> {
  return await page.evaluate<boolean>(
    "document.documentElement.scrollWidth > document.documentElement.clientWidth",
  );
}
