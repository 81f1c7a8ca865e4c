import { addAppPassword, APP_PASSWORD_SCOPES } from "../../auth/mod.ts";
import { type AppPassword, StoreError } from "../../store/mod.ts";
import { doneText, nameProblem, readForm, redirectDone } from "../forms.ts";
import { durationText } from "../format.ts";
import { Action, Check, Field, Notice, Table } from "../parts.tsx";
import type { Site, SiteContext } from "../site.tsx";
import { showPage } from "./layout.tsx";

const PATH = "/account/app-passwords";
const DONE = {
  removed: "The app password was removed, and the sessions that it began were ended.",
  gone: "There is no such app password any more.",
};

const REFUSALS: Readonly<Record<string, string>> = {
  "already-exists": "There is an app password of that name already.",
  limit: "The account has as many app passwords as it may: remove one first.",
};

const SCOPE_TEXTS: Readonly<Record<string, string>> = {
  imap: "Read mail (IMAP)",
  submission: "Send mail (SMTP)",
};

interface Shown {
  readonly problem?: string;
  readonly name?: string;
  readonly scopes?: readonly string[];
  /** One that was just made. */
  readonly made?: { readonly name: string; readonly password: string };
}

/** Passwords of single programs, and where one is made. */
export async function appPasswordsPage(
  context: SiteContext,
  site: Site,
  { problem, name = "", scopes = APP_PASSWORD_SCOPES, made }: Shown = {},
): Promise<Response> {
  const { id, address } = context.get("account");
  const passwords = await site.store.directory.credentials.listAppPasswords(id);
  return await showPage(
    context,
    site,
    { title: "App passwords", path: PATH, done: doneText(context, DONE), problem },
    <>
      {made && (
        <Notice kind="done">
          <p>The password for {made.name}, which is not shown again:</p>
          <p>
            <output class="secret">{made.password}</output>
          </p>
          <p>The user name is {address}.</p>
        </Notice>
      )}
      <p>
        A password for one program: lose a phone, and you take back its password alone. It does not
        open these pages.
      </p>
      <PasswordTable passwords={passwords} nowMs={site.clock.now()} />
      <form method="post" action={PATH} class="stack card">
        <h2>Make an app password</h2>
        <Field
          label="Name"
          name="name"
          value={name}
          hint="What it is for, such as phone."
          required
        />
        <fieldset>
          <legend>What it is good for</legend>
          {APP_PASSWORD_SCOPES.map((scope) => (
            <Check
              label={SCOPE_TEXTS[scope] ?? scope}
              name="scope"
              value={scope}
              isChecked={scopes.includes(scope)}
            />
          ))}
        </fieldset>
        <button type="submit">Make the password</button>
      </form>
    </>,
  );
}

function PasswordTable(
  { passwords, nowMs }: { passwords: readonly AppPassword[]; nowMs: number },
) {
  return (
    <Table
      caption="App passwords of the account"
      columns={["Name", "Good for", "Made", "Last used", ""]}
      rows={passwords.map(({ name, scopes, created, lastUsed }) => [
        name,
        scopes.length === 0
          ? "Everything"
          : scopes.map((scope) => SCOPE_TEXTS[scope] ?? scope).join(", "),
        <span class="nowrap">{new Date(created * 1000).toISOString().slice(0, 10)}</span>,
        lastUsed === undefined ? "Never" : lastUseText(nowMs - lastUsed * 1000),
        <Action
          action={`${PATH}/remove`}
          text="Remove"
          label={`Remove the app password ${name}`}
          fields={{ name }}
          isDangerous
        />,
      ])}
      empty="There are no app passwords."
    />
  );
}

/** The time of the last use is good to an hour, so no more is said. */
function lastUseText(agoMs: number): string {
  return agoMs < 2 * 3_600_000 ? "Just now" : `${durationText(agoMs)} ago`;
}

/** Makes an app password and shows it, this once. */
export async function makeAppPassword(context: SiteContext, site: Site): Promise<Response> {
  const form = await readForm(context);
  const name = form.text("name").trim();
  const chosen = form.texts("scope");
  const scopes = APP_PASSWORD_SCOPES.filter((scope) => chosen.includes(scope));
  const refuse = (problem: string) => appPasswordsPage(context, site, { problem, name, scopes });
  const problem = nameProblem(name);
  if (problem !== undefined) return await refuse(problem);
  if (scopes.length === 0) return await refuse("Choose what the password is good for.");
  const isForAll = scopes.length === APP_PASSWORD_SCOPES.length;
  let password;
  try {
    password = await addAppPassword(site.store.directory, {
      accountId: context.get("account").id,
      name,
      scopes: isForAll ? [] : scopes,
    });
  } catch (error) {
    const text = error instanceof StoreError ? REFUSALS[error.code] : undefined;
    if (text === undefined) throw error;
    return await refuse(text);
  }
  return await appPasswordsPage(context, site, { made: { name, password } });
}

/** Removes an app password, and ends the sessions that it began. */
export async function removeAppPassword(context: SiteContext, site: Site): Promise<Response> {
  const { id } = context.get("account");
  const name = (await readForm(context)).text("name");
  try {
    await site.store.directory.credentials.removeAppPassword(id, name);
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== "not-found") throw error;
    return redirectDone(context, PATH, "gone");
  }
  site.host.tellSecurity(id);
  return redirectDone(context, PATH, "removed");
}
