import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { secureHeaders } from "hono/secure-headers";
import type { Account } from "../store/mod.ts";
import { accountPages } from "./account/mod.tsx";
import { adminPages } from "./admin/mod.tsx";
import { serveAsset } from "./assets.ts";
import { MAX_FORM_BYTES } from "./limits.ts";
import { Layout } from "./layout.tsx";
import { isForgedRequest } from "./request.ts";
import type { RequestFacts, SiteServices } from "./services.ts";
import { WebSessions } from "./web_sessions.ts";

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
}

/**
 * The pages that one logs in to: `/account` for who has an account, `/admin` for who runs the host.
 * Gives the function that answers a request; undefined where no such page is.
 */
export function openSite(
  services: SiteServices,
): (request: Request, facts: RequestFacts) => Promise<Response | undefined> {
  const { store, authenticator, clock } = services;
  const site: Site = {
    ...services,
    sessions: new WebSessions(store.directory, authenticator, clock),
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
  app.use(bodyLimit({ maxSize: MAX_FORM_BYTES }));
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
  return async (request, facts) => {
    const { pathname } = new URL(request.url);
    if (!/^\/(?:account|admin|assets)(?:\/|$)/.test(pathname)) return undefined;
    return await app.fetch(request, { facts });
  };
}
