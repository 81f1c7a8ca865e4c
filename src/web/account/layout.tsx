import type { Child } from "hono/jsx";
import type { NavLink } from "../layout.tsx";
import { type PageFacts, showAreaPage } from "../show_page.tsx";
import type { Site, SiteContext } from "../site.tsx";

const NAV: readonly NavLink[] = [
  { href: "/account", text: "Overview" },
  { href: "/account/logins", text: "Logins" },
  { href: "/account/password", text: "Password" },
  { href: "/account/app-passwords", text: "App passwords" },
  { href: "/account/keys", text: "TLS keys" },
  { href: "/account/transfer", text: "Import and export" },
  { href: "/account/settings", text: "Settings" },
];

/** Answers with a page of the account that is logged in. */
export function showPage(
  context: SiteContext,
  site: Site,
  facts: PageFacts,
  content: Child,
): Response | Promise<Response> {
  const area = { nav: NAV, logOut: "/account/logout", visitor: context.get("account").address };
  return showAreaPage(context, site, area, facts, content);
}
