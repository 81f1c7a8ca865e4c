import { Hono } from "hono";
import { addSignIn, cookieOf, type SignIn } from "../sign_in.tsx";
import type { Site, SiteEnvironment } from "../site.tsx";
import { overviewPage } from "./overview.tsx";

const SIGN_IN: SignIn = {
  kind: "admin",
  root: "/admin",
  title: "Administration",
  asksAddress: false,
  hint: 'Log in with the admin\'s password, which "postern admin password" sets.',
  async verify(login, _address, password) {
    const outcome = await login.verifyAdminPassword(password);
    return outcome.kind === "ok" ? { kind: "admin", verifier: outcome.verifier } : outcome;
  },
};

/** The pages of who runs the host. */
export function adminPages(site: Site): Hono<SiteEnvironment> {
  const app = new Hono<SiteEnvironment>();
  addSignIn(app, site, SIGN_IN);
  app.use(async (context, next) => {
    if (!await site.sessions.isAdmin(cookieOf(context, "admin"))) {
      return context.redirect("/admin/login", 303);
    }
    return await next();
  });
  app.get("/", (context) => overviewPage(context, site));
  return app;
}
