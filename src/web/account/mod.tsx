import { Hono } from "hono";
import { addSignIn, cookieOf, type SignIn } from "../sign_in.tsx";
import type { Site, SiteContext, SiteEnvironment } from "../site.tsx";
import { appPasswordsPage, makeAppPassword, removeAppPassword } from "./app_passwords.tsx";
import { addKey, changeKey, keysPage, removeKey } from "./keys.tsx";
import { loginsPage } from "./logins.tsx";
import { endSession, overviewPage } from "./overview.tsx";
import { changePassword, passwordPage } from "./password.tsx";
import { changeSettings, settingsPage } from "./settings.tsx";
import {
  abortImport,
  downloadExport,
  forgetImport,
  importEvents,
  receiveImport,
  transferPage,
} from "./transfer.tsx";

type Page = (context: SiteContext, site: Site) => Response | Promise<Response>;

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
  const get = (path: string, page: Page) => app.get(path, (context) => page(context, site));
  const post = (path: string, work: Page) => app.post(path, (context) => work(context, site));
  get("/", overviewPage);
  post("/sessions/end", endSession);
  get("/logins", loginsPage);
  get("/password", passwordPage);
  post("/password", changePassword);
  get("/app-passwords", appPasswordsPage);
  post("/app-passwords", makeAppPassword);
  post("/app-passwords/remove", removeAppPassword);
  get("/keys", keysPage);
  post("/keys", addKey);
  post("/keys/preauth", changeKey);
  post("/keys/remove", removeKey);
  get("/settings", settingsPage);
  post("/settings", changeSettings);
  get("/transfer", transferPage);
  post("/transfer/import", receiveImport);
  post("/transfer/abort", abortImport);
  post("/transfer/forget", forgetImport);
  get("/transfer/events", importEvents);
  get("/transfer/export", downloadExport);
  return app;
}
