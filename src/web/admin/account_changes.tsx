import { generatePassword, PasswordError, setPassword } from "../../auth/mod.ts";
import { parseQuotaBytes, QUOTA_FORM } from "../../base/mod.ts";
import { disableUntilRemoval } from "../../chatmail/mod.ts";
import { type Account, StoreError } from "../../store/mod.ts";
import { type Form, readForm, redirectDone } from "../forms.ts";
import { Radios } from "../parts.tsx";
import type { Site, SiteContext } from "../site.tsx";
import { accountPage, findAccount, missingAccount, type Refused } from "./account.tsx";
import { GeneratedPassword, PasswordField } from "./accounts.tsx";
import { ask, showPage } from "./layout.tsx";

const LIST_PATH = "/admin/accounts";
const DAY_MS = 86_400_000;

/** What came of a form: the word for what was done, or why it was not. */
type Outcome = string | Refused;

/** Does what a form of the account's page asks for, and shows the page again. */
async function change(
  context: SiteContext,
  site: Site,
  work: (account: Account, form: Form) => Promise<Outcome>,
): Promise<Response> {
  const account = await findAccount(context, site);
  if (account === undefined) return await missingAccount(context, site);
  const outcome = await work(account, await readForm(context));
  return typeof outcome === "string"
    ? redirectDone(context, `${LIST_PATH}/${account.id}`, outcome)
    : await accountPage(context, site, outcome);
}

/** Disables the account with a message, or enables it, which keeps one that was to be deleted. */
export function changeStatus(context: SiteContext, site: Site): Promise<Response> {
  return change(context, site, async ({ id }, form) => {
    const { directory } = site.store;
    if (form.text("status") === "enabled") {
      await directory.setAccountDisabled(id, undefined);
      site.host.tellSecurity(id);
      return "enabled";
    }
    const message = form.text("message").trim();
    if (!/^[^\p{Cc}]{1,500}$/u.test(message)) {
      return { problem: "A message is one line of at most 500 characters.", message };
    }
    await directory.setAccountDisabled(id, message);
    site.host.tellSecurity(id);
    return "disabled";
  });
}

/** Sets how much mail the account may hold. */
export function changeQuota(context: SiteContext, site: Site): Promise<Response> {
  return change(context, site, async ({ id }, form) => {
    const quota = form.text("quota").trim();
    const quotaBytes = parseQuotaBytes(quota);
    if (quotaBytes === undefined && quota !== "default") {
      return { problem: `Expected ${QUOTA_FORM}, or "default".`, quota };
    }
    await site.store.directory.setAccountQuota(id, quotaBytes);
    return "quota";
  });
}

/** Keeps capabilities from the account's next sessions. */
export function changeCapabilities(context: SiteContext, site: Site): Promise<Response> {
  return change(context, site, async ({ id, disabledCapabilities }, form) => {
    const known = [...site.capabilities, ...disabledCapabilities];
    const without = new Set(form.texts("without").filter((name) => known.includes(name)));
    await site.store.directory.setDisabledCapabilities(id, [...without].sort());
    return "capabilities";
  });
}

/** Adds an address to the account. */
export function addAlias(context: SiteContext, site: Site): Promise<Response> {
  return change(context, site, async ({ id }, form) => {
    const alias = form.text("alias").trim();
    try {
      await site.store.directory.addAddress(alias, id);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return { problem: error.message, alias };
    }
    return "alias";
  });
}

/** Removes an address from the account. */
export function removeAccountAlias(context: SiteContext, site: Site): Promise<Response> {
  return change(context, site, async ({ id }, form) => {
    const { directory } = site.store;
    const alias = form.text("alias");
    if (!(await directory.listAddresses(id)).includes(alias)) return "gone";
    await directory.removeAddress(alias);
    return "unaliased";
  });
}

/** Where the account gets another password. */
export async function passwordPage(
  context: SiteContext,
  site: Site,
  problem?: string,
): Promise<Response> {
  const account = await findAccount(context, site);
  if (account === undefined) return await missingAccount(context, site);
  const path = `${LIST_PATH}/${account.id}`;
  return await showPage(
    context,
    site,
    { title: `New password for ${account.address}`, path: LIST_PATH, problem },
    <form method="post" action={`${path}/password`} class="stack card">
      <p>Programs and browsers that use the present one are logged out.</p>
      <PasswordField />
      <p class="buttons">
        <button type="submit">Set the password</button>
        <a href={path}>Cancel</a>
      </p>
    </form>,
  );
}

/** Sets another password, and shows one that was made up this once. */
export async function newPassword(context: SiteContext, site: Site): Promise<Response> {
  const account = await findAccount(context, site);
  if (account === undefined) return await missingAccount(context, site);
  const typed = (await readForm(context)).text("password");
  const password = typed || generatePassword();
  try {
    await setPassword(site.store.directory, account.id, password, site.passwordCosts);
  } catch (error) {
    if (!(error instanceof PasswordError)) throw error;
    return await passwordPage(context, site, error.message);
  }
  site.host.tellSecurity(account.id);
  const path = `${LIST_PATH}/${account.id}`;
  if (typed !== "") return redirectDone(context, path, "password");
  return await showPage(
    context,
    site,
    { title: account.address, path: LIST_PATH },
    <>
      <GeneratedPassword address={account.address} password={password} />
      <p>
        <a href={path}>Back to the account</a>
      </p>
    </>,
  );
}

/** Asks whether a key or an app password is to be removed. */
export async function askRemoveCredential(context: SiteContext, site: Site): Promise<Response> {
  const account = await findAccount(context, site);
  if (account === undefined) return await missingAccount(context, site);
  const path = `${LIST_PATH}/${account.id}`;
  const { kind = "", id = "" } = context.req.query();
  return await ask(
    context,
    site,
    {
      title: kind === "key" ? "Remove a TLS key" : "Remove an app password",
      path,
      action: `${path}/credentials/remove`,
      fields: { kind, id },
      button: "Remove it",
    },
    <p>
      The program of {account.address} that logs in with <code>{id}</code>{" "}
      will no longer get in, and only the owner of the account can give it another.
    </p>,
  );
}

/** Removes a key or an app password, and ends the sessions that it began. */
export function removeCredential(context: SiteContext, site: Site): Promise<Response> {
  return change(context, site, async (account, form) => {
    const { credentials } = site.store.directory;
    const id = form.text("id");
    try {
      if (form.text("kind") === "key") {
        if ((await credentials.findClientKey(id))?.accountId !== account.id) return "gone";
        await credentials.removeClientKey(id);
      } else await credentials.removeAppPassword(account.id, id);
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== "not-found") throw error;
      return "gone";
    }
    site.host.tellSecurity(account.id);
    return "credential";
  });
}

/** Asks whether and when the account is to be deleted. */
export async function askDelete(context: SiteContext, site: Site): Promise<Response> {
  const account = await findAccount(context, site);
  if (account === undefined) return await missingAccount(context, site);
  const path = `${LIST_PATH}/${account.id}`;
  return await ask(
    context,
    site,
    {
      title: `Delete ${account.address}`,
      path,
      action: `${path}/delete`,
      fields: {},
      button: "Delete the account",
    },
    <>
      <p>
        Its mail and its aliases are deleted with it. Until then nobody can log in to it, and it can
        be kept after all.
      </p>
      <Radios
        legend="When"
        name="days"
        options={[["7", "In 7 days"], ["30", "In 30 days"], ["0", "Now: nothing brings it back"]]}
        value="7"
      />
    </>,
  );
}

/** Deletes the account, now or later. */
export async function deleteAccount(context: SiteContext, site: Site): Promise<Response> {
  const account = await findAccount(context, site);
  if (account === undefined) return await missingAccount(context, site);
  const { directory } = site.store;
  const days = (await readForm(context)).text("days");
  if (days === "0") {
    await directory.removeAccount(account.id);
    site.host.tellSecurity(account.id);
    return redirectDone(context, LIST_PATH, "deleted");
  }
  const graceMs = (days === "30" ? 30 : 7) * DAY_MS;
  await disableUntilRemoval(directory, account.id, site.clock.now() + graceMs);
  site.host.tellSecurity(account.id);
  return redirectDone(context, `${LIST_PATH}/${account.id}`, "grace");
}
