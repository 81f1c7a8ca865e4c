import { generatePassword, makeVerifier, PasswordError } from "../../auth/mod.ts";
import { type Account, type Quota, StoreError } from "../../store/mod.ts";
import { pageOf, readForm } from "../forms.ts";
import { bytesText, countText } from "../format.ts";
import { ADMIN_PAGE, MAX_SEARCH } from "../limits.ts";
import { Badge, Field, Notice, numeric, Pager, Table } from "../parts.tsx";
import type { Site, SiteContext } from "../site.tsx";
import { showPage } from "./layout.tsx";

const PATH = "/admin/accounts";
const NEW_PATH = `${PATH}/new`;

/** Accounts, a page at a time, found by a part of their address. */
export async function accountsPage(context: SiteContext, site: Site): Promise<Response> {
  const search = (context.req.query("search") ?? "").trim().slice(0, MAX_SEARCH);
  const page = pageOf(context);
  const { total, accounts } = await site.store.directory.findAccounts({
    search,
    offset: page * ADMIN_PAGE,
    limit: ADMIN_PAGE,
  });
  return await showPage(
    context,
    site,
    {
      title: "Accounts",
      done: context.req.query("done") === "deleted"
        ? "The account was deleted, with all its mail."
        : undefined,
    },
    <>
      <div class="bar">
        <form method="get" action={PATH} class="row" role="search">
          <Field label="Part of the address" name="search" type="search" value={search} />
          <button type="submit">Search</button>
        </form>
        <a class="button" href={NEW_PATH}>Add an account</a>
      </div>
      <p class="faint">
        {search === "" ? `${countText(total)} in all` : (
          <>
            {countText(total)} found · <a href={PATH}>all accounts</a>
          </>
        )}
      </p>
      <AccountTable accounts={accounts} quotas={site.quotas()} />
      <Pager
        path={PATH}
        query={search ? { search } : {}}
        page={page}
        size={ADMIN_PAGE}
        total={total}
      />
    </>,
  );
}

function AccountTable(
  { accounts, quotas }: {
    accounts: readonly Account[];
    quotas: ReadonlyMap<Account["id"], Quota>;
  },
) {
  return (
    <Table
      caption="Accounts"
      columns={["Address", "Status", numeric("Used"), numeric("Limit"), "Since"]}
      rows={accounts.map((account) => {
        const quota = quotas.get(account.id);
        return [
          <a href={`${PATH}/${account.id}`}>{account.address}</a>,
          <AccountStatus account={account} quota={quota} />,
          quota ? bytesText(quota.usedBytes) : "–",
          limitText(account, quota),
          <span class="nowrap">{dayText(account.created)}</span>,
        ];
      })}
      empty="No account has an address like this."
    />
  );
}

/** Whether one can log in to the account, in a word or two. */
export function AccountStatus({ account, quota }: { account: Account; quota: Quota | undefined }) {
  if (account.removeAt !== undefined) {
    return <Badge kind="problem">{`Will be deleted ${dayText(account.removeAt)}`}</Badge>;
  }
  if (account.disabledMessage !== undefined) return <Badge kind="off">Disabled</Badge>;
  // The account's own limit may be newer than what is known of its mail.
  const limitBytes = account.quotaBytes === null
    ? Infinity
    : account.quotaBytes ?? quota?.limitBytes ?? Infinity;
  const usedBytes = quota?.usedBytes ?? 0;
  return usedBytes >= limitBytes * 0.95
    ? <Badge kind="problem">{`${Math.floor(usedBytes * 100 / limitBytes)} % full`}</Badge>
    : "Active";
}

function limitText({ quotaBytes }: Account, quota: Quota | undefined): string {
  if (quotaBytes === null) return "None";
  if (quotaBytes !== undefined) return bytesText(quotaBytes);
  return quota?.limitBytes === undefined ? "Default" : bytesText(quota.limitBytes);
}

/** Such as `2026-11-24`. */
export function dayText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

interface Shown {
  readonly problem?: string;
  readonly address?: string;
}

/** Where an account is added. */
export function newAccountPage(
  context: SiteContext,
  site: Site,
  { problem, address = "" }: Shown = {},
): Response | Promise<Response> {
  return showPage(
    context,
    site,
    { title: "Add an account", path: PATH, problem },
    <form method="post" action={NEW_PATH} class="stack card">
      <Field
        label="Mail address"
        name="address"
        value={address}
        hint="In a domain of this host."
        required
      />
      <PasswordField />
      <p class="buttons">
        <button type="submit">Add the account</button>
        <a href={PATH}>Cancel</a>
      </p>
    </form>,
  );
}

/** A password that is typed, or none for one that is made up. */
export function PasswordField() {
  return (
    <Field
      label="Password"
      name="password"
      type="password"
      hint="Left empty, one is made up and shown once."
      autocomplete="new-password"
    />
  );
}

/** A password that was made up, to be passed on. */
export function GeneratedPassword({ address, password }: { address: string; password: string }) {
  return (
    <Notice kind="done">
      <p>The password of {address}, which is not shown again:</p>
      <p>
        <output class="secret">{password}</output>
      </p>
    </Notice>
  );
}

/** Adds an account. */
export async function addAccount(context: SiteContext, site: Site): Promise<Response> {
  const form = await readForm(context);
  const address = form.text("address").trim();
  const typed = form.text("password");
  const password = typed || generatePassword();
  let account: Account;
  try {
    const verifier = await makeVerifier(password, site.passwordCosts);
    account = await site.store.directory.addAccount(address, verifier);
  } catch (error) {
    if (!(error instanceof StoreError || error instanceof PasswordError)) throw error;
    return await newAccountPage(context, site, { problem: error.message, address });
  }
  const path = `${PATH}/${account.id}`;
  if (typed !== "") return context.redirect(`${path}?done=added`, 303);
  return await showPage(
    context,
    site,
    { title: account.address, path: PATH },
    <>
      <GeneratedPassword address={account.address} password={password} />
      <p>
        <a href={path}>On to the account</a>
      </p>
    </>,
  );
}
