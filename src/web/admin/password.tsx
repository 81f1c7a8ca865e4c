import { makeVerifier, MIN_PASSWORD_BYTES, PasswordError } from "../../auth/mod.ts";
import { doneText, readForm, redirectDone } from "../forms.ts";
import { Field, NewPassword } from "../parts.tsx";
import { cookieOf } from "../sign_in.tsx";
import type { Site, SiteContext } from "../site.tsx";
import { showPage } from "./layout.tsx";

const PATH = "/admin/password";
const DONE = { changed: "The password was changed, and all other browsers were logged out." };

/** Where the password of these pages is changed. */
export function passwordPage(
  context: SiteContext,
  site: Site,
  problem?: string,
): Response | Promise<Response> {
  return showPage(
    context,
    site,
    { title: "Password", path: PATH, done: doneText(context, DONE), problem },
    <form method="post" action={PATH} class="stack card">
      <p>It opens these pages, and nothing else.</p>
      <input type="text" name="user" value="admin" autocomplete="username" hidden />
      <NewPassword minLength={MIN_PASSWORD_BYTES} />
      <Field
        label="Present password"
        name="present"
        type="password"
        autocomplete="current-password"
        required
      />
      <button type="submit">Change the password</button>
    </form>,
  );
}

/** Changes the admin's password: every browser but this one is logged out. */
export async function changePassword(context: SiteContext, site: Site): Promise<Response> {
  const form = await readForm(context);
  const fresh = form.text("new");
  if (fresh !== form.text("again")) {
    return await passwordPage(context, site, "The new password was not the same both times.");
  }
  let verifier;
  try {
    verifier = await makeVerifier(fresh, site.passwordCosts);
  } catch (error) {
    if (error instanceof PasswordError) return await passwordPage(context, site, error.message);
    throw error;
  }
  const login = site.authenticator.forConnection(() => ({ protocol: "web", ...context.env.facts }));
  const outcome = await login.verifyAdminPassword(form.text("present"))
    .finally(() => login.close());
  if (outcome.kind !== "ok") {
    const isWrong = outcome.kind === "credentials";
    return await passwordPage(
      context,
      site,
      isWrong ? "The present password is wrong." : outcome.text,
    );
  }
  await site.store.directory.setAdminVerifier(verifier);
  site.sessions.renew(cookieOf(context, "admin"), { kind: "admin", verifier });
  return redirectDone(context, PATH, "changed");
}
