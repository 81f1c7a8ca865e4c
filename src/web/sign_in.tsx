import type { Hono } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { AuthFailure, ConnectionLogin } from "../auth/mod.ts";
import { readForm } from "./forms.ts";
import { Layout } from "./layout.tsx";
import { Field, Notice } from "./parts.tsx";
import type { Site, SiteContext, SiteEnvironment } from "./site.tsx";
import type { Visitor } from "./web_sessions.ts";

/** One way to log in: to the account pages or to the admin's. */
export interface SignIn {
  readonly kind: Visitor["kind"];
  /** Path below which its pages are. */
  readonly root: string;
  readonly title: string;
  /** Whether one says who one is. */
  readonly asksAddress: boolean;
  readonly hint: string;
  verify(login: ConnectionLogin, address: string, password: string): Promise<Visitor | AuthFailure>;
}

/** Only over TLS, for this host alone, out of reach of scripts and other sites. */
const COOKIE = { path: "/", secure: true, httpOnly: true, sameSite: "Strict" } as const;

/** The cookie of the browser; "" when it has none. */
export function cookieOf(context: SiteContext, kind: Visitor["kind"]): string {
  return getCookie(context, kind, "host") ?? "";
}

/** Adds the pages for logging in and out. */
export function addSignIn(app: Hono<SiteEnvironment>, site: Site, signIn: SignIn): void {
  const { kind, root, title } = signIn;
  const page = (context: SiteContext, address: string, problem?: string) => (
    <Layout title={title} site={site.hostname} path={context.req.path}>
      {problem && <Notice kind="problem">{problem}</Notice>}
      <p>{signIn.hint}</p>
      <form method="post" action={`${root}/login`} class="stack">
        {signIn.asksAddress && (
          <Field
            label="Mail address"
            name="address"
            value={address}
            autocomplete="username"
            required
          />
        )}
        <Field
          label="Password"
          name="password"
          type="password"
          autocomplete="current-password"
          required
        />
        <button type="submit">Log in</button>
      </form>
    </Layout>
  );
  app.get("/login", (context) => context.html(page(context, "")));
  app.post("/login", async (context) => {
    const form = await readForm(context);
    const [address, password] = [form.text("address"), form.text("password")];
    const login = site.authenticator.forConnection(() => ({
      protocol: "web",
      ...context.env.facts,
    }));
    const result = await signIn.verify(login, address.trim(), password)
      .finally(() => login.close());
    if ("text" in result) {
      return context.html(page(context, address, result.text), 403);
    }
    setCookie(context, kind, site.sessions.begin(result), { ...COOKIE, prefix: "host" });
    return context.redirect(root, 303);
  });
  app.post("/logout", (context) => {
    site.sessions.end(cookieOf(context, kind));
    deleteCookie(context, kind, { ...COOKIE, prefix: "host" });
    return context.redirect(`${root}/login`, 303);
  });
}
