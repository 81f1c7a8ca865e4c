import { type Context, Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { logger } from "../base/mod.ts";
import type { Account } from "../store/mod.ts";
import { Imports } from "./account/imports.ts";
import { accountPages } from "./account/mod.tsx";
import { IMPORT_PATH } from "./account/transfer.tsx";
import { adminPages } from "./admin/mod.tsx";
import { serveAsset } from "./assets.ts";
import { limitForm } from "./form_limit.ts";
import { Layout } from "./layout.tsx";
import { isForgedRequest, readRequestFacts } from "./request.ts";
import type { RequestFacts, SiteServices } from "./services.ts";
import { WebSessions } from "./web_sessions.ts";

const log = logger("web");

/** What each handler finds in its context. */
export interface SiteEnvironment {
  readonly Bindings: { readonly facts: RequestFacts };
  /** Whose pages these are: there on the account pages, for who is logged in. */
  readonly Variables: { account: Account };
}

export type SiteContext = Context<SiteEnvironment>;

/** What the pages share. */
export interface Site extends SiteServices {
  readonly sessions: WebSessions;
  readonly imports: Imports;
}

/** The pages, ready to be asked. */
export interface OpenedSite {
  /** The answer to a request; undefined where no such page is. */
  answer(request: Request, facts: RequestFacts): Promise<Response | undefined>;
  /** Ends imports that go on. Never rejects. */
  close(): Promise<void>;
}

/**
 * The pages that one logs in to: `/account` for who has an account, `/admin` for who runs the host.
 */
export async function openSite(services: SiteServices): Promise<OpenedSite> {
  const { store, authenticator, clock } = services;
  const site: Site = {
    ...services,
    sessions: new WebSessions(store.directory, authenticator, clock),
    imports: await Imports.open(services),
  };
  const app = new Hono<SiteEnvironment>();
  app.use(secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      styleSrc: ["'self'"],
      scriptSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
      baseUri: ["'none'"],
    },
    referrerPolicy: "no-referrer",
    crossOriginOpenerPolicy: "same-origin",
    crossOriginResourcePolicy: "same-origin",
    // Another port of this name may be in clear, by the admin's choice.
    strictTransportSecurity: false,
  }));
  app.get("/assets/:name", (context) => serveAsset(context.req.param("name")));
  app.use(async (context, next) => {
    if (isForgedRequest(context.req.raw)) {
      return context.text("This form was not sent from this site.\n", 403);
    }
    context.header("cache-control", "no-store");
    return await next();
  });
  app.use((context, next) =>
    // A file that is imported is not kept in memory, and has a limit of its own.
    context.req.path === IMPORT_PATH ? next() : limitForm(context, next)
  );
  app.route("/account", accountPages(site));
  app.route("/admin", adminPages(site));
  app.notFound((context) =>
    context.html(
      <Layout title="Not found" site={services.hostname} path={context.req.path}>
        <p>There is no such page here.</p>
      </Layout>,
      404,
    )
  );
  app.onError((error, context) => {
    log.error("the page {path} failed: {error}", { path: context.req.path, error });
    return context.html(
      <Layout title="Something went wrong" site={services.hostname} path={context.req.path}>
        <p>This did not work, and it is not your fault. Try again later.</p>
      </Layout>,
      500,
    );
  });
  return {
    async answer(request, facts) {
      const { pathname } = new URL(request.url);
      if (!/^\/(?:account|admin|assets)(?:\/|$)/.test(pathname)) return undefined;
      return await app.fetch(request, { facts: readRequestFacts(request, facts) });
    },
    close: () => site.imports.close(),
  };
}
