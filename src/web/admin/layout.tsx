import type { Child, FC } from "hono/jsx";
import { Layout, type NavLink } from "../layout.tsx";

const NAV: readonly NavLink[] = [
  { href: "/admin", text: "Overview" },
];

/** A page of the admin. */
export const AdminLayout: FC<{
  title: string;
  site: string;
  path: string;
  scripts?: readonly string[];
  styles?: readonly string[];
  children?: Child;
}> = ({ children, ...rest }) => (
  <Layout {...rest} nav={NAV} logOut="/admin/logout" visitor="Administrator">{children}</Layout>
);
