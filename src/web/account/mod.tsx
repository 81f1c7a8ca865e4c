import { Hono } from "hono";
import { addSignIn, cookieOf, type SignIn } from "../sign_in.tsx";
import type { Site, SiteEnvironment } from "../site.tsx";
import { overviewPage } from "./overview.tsx";

const SIGN_IN: SignIn = {
  kind: "account",
  root: "/account",
  title: "Your mail account",
  asksAddress: true,
  hint: "Log in with your mail address and its password.",
  async verify(login, address, password) {
    const outcome = await login.verifyPassword(address, password);
    if (outcome.kind !== "ok") return outcome;
    if (outcome.credential.kind !== "password") {
      return {
        kind: "authorization",
        text: "This is a password for one mail program: use the password of the account itself.",
      };
    }
    return { kind: "account", login: outcome };
  },
};

/** The pages of who has an account here. */
export function accountPages(site: Site): Hono<SiteEnvironment> {
  const app = new Hono<SiteEnvironment>();
  addSignIn(app, site, SIGN_IN);
  app.use(async (context, next) => {
    const account = await site.sessions.account(cookieOf(context, "account"));
    if (account === undefined) return context.redirect("/account/login", 303);
    context.set("account", account);
    return await next();
  });
  app.get("/", (context) => overviewPage(context, site));
  return app;
}
