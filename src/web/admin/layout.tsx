import type { Child } from "hono/jsx";
import type { NavLink } from "../layout.tsx";
import { type PageFacts, showAreaPage } from "../show_page.tsx";
import type { Site, SiteContext } from "../site.tsx";

const NAV: readonly NavLink[] = [
  { href: "/admin", text: "Overview" },
  { href: "/admin/accounts", text: "Accounts" },
  { href: "/admin/aliases", text: "Aliases" },
  { href: "/admin/domains", text: "Domains" },
  { href: "/admin/connections", text: "Connections" },
  { href: "/admin/logins", text: "Logins" },
  { href: "/admin/bans", text: "Bans" },
  { href: "/admin/queue", text: "Queue" },
  { href: "/admin/charts", text: "Charts" },
  { href: "/admin/server", text: "Server" },
  { href: "/admin/password", text: "Password" },
];

/** Answers with a page of the admin. */
export function showPage(
  context: SiteContext,
  site: Site,
  facts: PageFacts,
  content: Child,
): Response | Promise<Response> {
  const area = { nav: NAV, logOut: "/admin/logout", visitor: "Administrator" };
  return showAreaPage(context, site, area, facts, content);
}

interface Question {
  readonly title: string;
  /** Page that is marked in the navigation, and where "Cancel" leads. */
  readonly path: string;
  /** Where the answer is posted to, and with what. */
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
  /** What the button says. */
  readonly button: string;
  readonly problem?: string | undefined;
}

/** Asks before something is done that cannot be undone. */
export function ask(
  context: SiteContext,
  site: Site,
  { title, path, action, fields, button, problem }: Question,
  content: Child,
): Response | Promise<Response> {
  return showPage(
    context,
    site,
    { title, path, problem },
    <form method="post" action={action} class="card question">
      {content}
      {Object.entries(fields).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      <p class="buttons">
        <button type="submit" class="danger">{button}</button>
        <a href={path}>Cancel</a>
      </p>
    </form>,
  );
}

/** Answers that there is nothing of that name. */
export function showMissing(
  context: SiteContext,
  site: Site,
  path: string,
  text: string,
): Response | Promise<Response> {
  return showPage(context, site, { title: "Not found", path, status: 404 }, <p>{text}</p>);
}
