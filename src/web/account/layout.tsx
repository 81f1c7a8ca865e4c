import type { Child, FC } from "hono/jsx";
import { Layout, type NavLink } from "../layout.tsx";

const NAV: readonly NavLink[] = [
  { href: "/account", text: "Overview" },
];

/** A page of an account. */
export const AccountLayout: FC<{
  title: string;
  site: string;
  path: string;
  address: string;
  scripts?: readonly string[];
  children?: Child;
}> = ({ address, children, ...rest }) => (
  <Layout {...rest} nav={NAV} logOut="/account/logout" visitor={address}>{children}</Layout>
);
