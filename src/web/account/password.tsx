import {
  generatePassword,
  makeVerifier,
  MIN_PASSWORD_BYTES,
  PasswordError,
  setPassword,
} from "../../auth/mod.ts";
import { doneText, readForm, redirectDone } from "../forms.ts";
import { Field, NewPassword } from "../parts.tsx";
import { cookieOf } from "../sign_in.tsx";
import type { Site, SiteContext } from "../site.tsx";
import { showPage } from "./layout.tsx";

const PATH = "/account/password";
const DONE = {
  changed: "The password was changed. Programs and browsers that used the old one were logged out.",
};

/** Where the password is changed; `?generated` makes one up. */
export function passwordPage(
  context: SiteContext,
  site: Site,
  problem?: string,
): Response | Promise<Response> {
  const generated = context.req.query("generated") === undefined ? undefined : generatePassword();
  return showPage(
    context,
    site,
    { title: "Password", path: PATH, done: doneText(context, DONE), problem },
    <>
      <p>
        This is the password of the account itself. Give programs on phones and computers{" "}
        <a href="/account/app-passwords">passwords of their own</a>, which can be taken back one by
        one.
      </p>
      <form
        method="post"
        action={generated === undefined ? PATH : `${PATH}?generated`}
        class="stack card"
      >
        <input
          type="text"
          name="address"
          value={context.get("account").address}
          autocomplete="username"
          hidden
        />
        {generated === undefined ? <NewPassword minLength={MIN_PASSWORD_BYTES} /> : (
          <>
            <p class="label">New password</p>
            <p>
              <output class="secret">{generated}</output>
            </p>
            <p>
              It holds when you set it here, and is not shown again: put it into your password
              manager first.
            </p>
            <input type="hidden" name="new" value={generated} />
            <input type="hidden" name="again" value={generated} />
          </>
        )}
        <Field
          label="Present password"
          name="present"
          type="password"
          autocomplete="current-password"
          required
        />
        <button type="submit">Change the password</button>
      </form>
      <p>
        {generated === undefined ? <a href={`${PATH}?generated`}>Have a password made up</a> : (
          <>
            <a href={`${PATH}?generated`}>Make up another</a> or{" "}
            <a href={PATH}>choose one yourself</a>
          </>
        )}
      </p>
    </>,
  );
}

/** Changes the password: everybody who came in by the old one is out, but for this browser. */
export async function changePassword(context: SiteContext, site: Site): Promise<Response> {
  const { id, address } = context.get("account");
  const form = await readForm(context);
  const fresh = form.text("new");
  if (fresh !== form.text("again")) {
    return await passwordPage(context, site, "The new password was not the same both times.");
  }
  // First, so that a mistake there costs no attempt.
  try {
    await makeVerifier(fresh, { slow: 1, scram: { "SHA-1": 1, "SHA-256": 1 } });
  } catch (error) {
    if (error instanceof PasswordError) return await passwordPage(context, site, error.message);
    throw error;
  }
  const login = site.authenticator.forConnection(() => ({ protocol: "web", ...context.env.facts }));
  const outcome = await login.verifyPassword(address, form.text("present"))
    .finally(() => login.close());
  if (outcome.kind !== "ok") {
    const isWrong = outcome.kind === "credentials";
    return await passwordPage(
      context,
      site,
      isWrong ? "The present password is wrong." : outcome.text,
    );
  }
  if (outcome.credential.kind !== "password" || outcome.account.id !== id) {
    return await passwordPage(context, site, "The present password is wrong.");
  }
  await setPassword(site.store.directory, id, fresh, site.passwordCosts);
  const account = await site.store.directory.getAccount(id);
  if (account !== undefined) {
    const credential = { kind: "password", passwordVersion: account.passwordVersion } as const;
    site.sessions.renew(cookieOf(context, "account"), {
      kind: "account",
      login: { account, credential },
    });
  }
  site.host.tellSecurity(id);
  return redirectDone(context, PATH, "changed");
}
