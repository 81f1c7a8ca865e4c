import { Hono } from "hono";
import { addSignIn, cookieOf, type SignIn } from "../sign_in.tsx";
import type { Site, SiteContext, SiteEnvironment } from "../site.tsx";
import { accountPage } from "./account.tsx";
import {
  addAlias,
  askDelete,
  askRemoveCredential,
  changeCapabilities,
  changeQuota,
  changeStatus,
  deleteAccount,
  newPassword,
  passwordPage as accountPasswordPage,
  removeAccountAlias,
  removeCredential,
} from "./account_changes.tsx";
import { accountsPage, addAccount, newAccountPage } from "./accounts.tsx";
import { addAliasOf, aliasesPage, removeAlias } from "./aliases.tsx";
import { allowNetwork, bansPage, disallowNetwork, forgetNetwork } from "./bans.tsx";
import { chartData, chartsPage } from "./charts.tsx";
import { connectionsPage, endConnection } from "./connections.tsx";
import { addDomain, askRemoveDomain, changeDomain, domainsPage, removeDomain } from "./domains.tsx";
import { loginsPage } from "./logins.tsx";
import { overviewPage } from "./overview.tsx";
import { changePassword, passwordPage } from "./password.tsx";
import { askDrop, dropMessage, queuePage, retryMessages } from "./queue.tsx";
import { changeLogLevel, serverPage } from "./server.tsx";

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

type Page = (context: SiteContext, site: Site) => Response | Promise<Response>;

/** All pages of the admin and all that is posted to them, below `/admin`. */
export const ADMIN_ROUTES: readonly (readonly [method: "GET" | "POST", path: string, Page])[] = [
  ["GET", "/", overviewPage],
  ["GET", "/domains", domainsPage],
  ["POST", "/domains", addDomain],
  ["POST", "/domains/change", changeDomain],
  ["GET", "/domains/remove", askRemoveDomain],
  ["POST", "/domains/remove", removeDomain],
  ["GET", "/accounts", accountsPage],
  ["GET", "/accounts/new", newAccountPage],
  ["POST", "/accounts/new", addAccount],
  ["GET", "/accounts/:id", accountPage],
  ["POST", "/accounts/:id/status", changeStatus],
  ["POST", "/accounts/:id/quota", changeQuota],
  ["POST", "/accounts/:id/capabilities", changeCapabilities],
  ["POST", "/accounts/:id/aliases", addAlias],
  ["POST", "/accounts/:id/aliases/remove", removeAccountAlias],
  ["GET", "/accounts/:id/password", accountPasswordPage],
  ["POST", "/accounts/:id/password", newPassword],
  ["GET", "/accounts/:id/credentials/remove", askRemoveCredential],
  ["POST", "/accounts/:id/credentials/remove", removeCredential],
  ["GET", "/accounts/:id/delete", askDelete],
  ["POST", "/accounts/:id/delete", deleteAccount],
  ["GET", "/aliases", aliasesPage],
  ["POST", "/aliases", addAliasOf],
  ["POST", "/aliases/remove", removeAlias],
  ["GET", "/connections", connectionsPage],
  ["POST", "/connections/end", endConnection],
  ["GET", "/logins", loginsPage],
  ["GET", "/bans", bansPage],
  ["POST", "/bans/remove", forgetNetwork],
  ["POST", "/bans/allow", allowNetwork],
  ["POST", "/bans/disallow", disallowNetwork],
  ["GET", "/queue", queuePage],
  ["POST", "/queue/retry", retryMessages],
  ["GET", "/queue/drop", askDrop],
  ["POST", "/queue/drop", dropMessage],
  ["GET", "/charts", chartsPage],
  ["GET", "/charts/data", chartData],
  ["GET", "/server", serverPage],
  ["POST", "/server/log-level", changeLogLevel],
  ["GET", "/password", passwordPage],
  ["POST", "/password", changePassword],
];

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
  for (const [method, path, page] of ADMIN_ROUTES) {
    app.on(method, path, (context) => page(context, site));
  }
  return app;
}
