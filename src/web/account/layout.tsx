import type { Child } from "hono/jsx";
import { Layout, type NavLink } from "../layout.tsx";
import { Notice } from "../parts.tsx";
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

interface PageFacts {
  readonly title: string;
  /** Path of the page that is marked in the navigation, where it is not the request's. */
  readonly path?: string;
  /** What was done. */
  readonly done?: string | undefined;
  /** Why it was not: then the status is 422, unless another is given. */
  readonly problem?: string | undefined;
  readonly status?: 200 | 409 | 413 | 422 | 503;
  readonly scripts?: readonly string[];
  readonly refreshSeconds?: number;
}

/** Answers with a page of the account that is logged in. */
export function showPage(
  context: SiteContext,
  site: Site,
  { title, path = context.req.path, done, problem, status, ...rest }: PageFacts,
  content: Child,
): Response | Promise<Response> {
  return context.html(
    <Layout
      {...rest}
      title={title}
      site={site.hostname}
      path={path}
      nav={NAV}
      logOut="/account/logout"
      visitor={context.get("account").address}
    >
      {done !== undefined && <Notice kind="done">{done}</Notice>}
      {problem !== undefined && <Notice kind="problem">{problem}</Notice>}
      {content}
    </Layout>,
    status ?? (problem === undefined ? 200 : 422),
  );
}
