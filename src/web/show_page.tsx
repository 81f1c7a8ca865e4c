import type { Child } from "hono/jsx";
import { Layout, type NavLink } from "./layout.tsx";
import { Notice } from "./parts.tsx";
import type { Site, SiteContext } from "./site.tsx";

/** What a page of somebody who is logged in says about itself. */
export interface PageFacts {
  readonly title: string;
  /** Path of the page that is marked in the navigation, where it is not the request's. */
  readonly path?: string;
  /** What was done. */
  readonly done?: string | undefined;
  /** Why it was not: then the status is 422, unless another is given. */
  readonly problem?: string | undefined;
  readonly status?: 200 | 404 | 409 | 413 | 422 | 503;
  readonly scripts?: readonly string[];
  readonly styles?: readonly string[];
  readonly refreshSeconds?: number;
}

/** Whose pages these are, which is the same on all of them. */
export interface Area {
  readonly nav: readonly NavLink[];
  readonly logOut: string;
  readonly visitor: string;
}

/** Answers with a page of the area. */
export function showAreaPage(
  context: SiteContext,
  site: Site,
  area: Area,
  { title, path = context.req.path, done, problem, status, ...rest }: PageFacts,
  content: Child,
): Response | Promise<Response> {
  return context.html(
    <Layout {...rest} {...area} title={title} site={site.hostname} path={path}>
      {done !== undefined && <Notice kind="done">{done}</Notice>}
      {problem !== undefined && <Notice kind="problem">{problem}</Notice>}
      {content}
    </Layout>,
    status ?? (problem === undefined ? 200 : 422),
  );
}
