import { StoreError } from "../../store/mod.ts";
import { doneText, pageOf, readForm, redirectDone } from "../forms.ts";
import { countText } from "../format.ts";
import { ADMIN_PAGE, MAX_SEARCH } from "../limits.ts";
import { Action, Field, Pager, Table } from "../parts.tsx";
import type { Site, SiteContext } from "../site.tsx";
import { showPage } from "./layout.tsx";

const PATH = "/admin/aliases";
const DONE = {
  added: "The alias was added.",
  removed: "The alias was removed.",
  gone: "There is no such alias any more.",
};

interface Shown {
  readonly problem?: string;
  readonly alias?: string;
  readonly owner?: string;
}

/** Addresses beside those of the accounts themselves, a page at a time. */
export async function aliasesPage(
  context: SiteContext,
  site: Site,
  { problem, alias = "", owner = "" }: Shown = {},
): Promise<Response> {
  const search = (context.req.query("search") ?? "").trim().slice(0, MAX_SEARCH);
  const page = pageOf(context);
  const { total, aliases } = await site.store.directory.findAliases({
    search,
    offset: page * ADMIN_PAGE,
    limit: ADMIN_PAGE,
  });
  return await showPage(
    context,
    site,
    { title: "Aliases", path: PATH, done: doneText(context, DONE), problem },
    <>
      <form method="get" action={PATH} class="row" role="search">
        <Field label="Part of either address" name="search" type="search" value={search} />
        <button type="submit">Search</button>
      </form>
      <p class="faint">
        {search === "" ? `${countText(total)} in all` : (
          <>
            {countText(total)} found · <a href={PATH}>all aliases</a>
          </>
        )}
      </p>
      <Table
        caption="Aliases"
        columns={["Mail for", "Goes to", ""]}
        rows={aliases.map(({ address, account }) => [
          address.startsWith("@") ? `All else ${address}` : address,
          <a href={`/admin/accounts/${account.id}`}>{account.address}</a>,
          <Action
            action={`${PATH}/remove`}
            text="Remove"
            label={`Remove the alias ${address}`}
            fields={{ alias: address }}
            isDangerous
          />,
        ])}
        empty={search === "" ? "There are no aliases." : "No alias is like this."}
      />
      <Pager
        path={PATH}
        query={search ? { search } : {}}
        page={page}
        size={ADMIN_PAGE}
        total={total}
      />
      <form method="post" action={PATH} class="stack card">
        <h2>Add an alias</h2>
        <Field
          label="Mail for"
          name="alias"
          value={alias}
          hint="An address, or @example.org for all that nobody else in that domain takes."
          required
        />
        <Field label="Goes to the account" name="owner" value={owner} required />
        <button type="submit">Add the alias</button>
      </form>
    </>,
  );
}

/** Adds an alias of the account that was named. */
export async function addAliasOf(context: SiteContext, site: Site): Promise<Response> {
  const form = await readForm(context);
  const [alias, owner] = [form.text("alias").trim(), form.text("owner").trim()];
  const refuse = (problem: string) => aliasesPage(context, site, { problem, alias, owner });
  const { directory } = site.store;
  try {
    const account = await directory.resolveAddress(owner);
    if (account === undefined) return await refuse(`There is no account ${owner}.`);
    await directory.addAddress(alias, account.id);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return await refuse(error.message);
  }
  return redirectDone(context, PATH, "added");
}

/** Removes an alias. */
export async function removeAlias(context: SiteContext, site: Site): Promise<Response> {
  try {
    await site.store.directory.removeAddress((await readForm(context)).text("alias"));
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return redirectDone(context, PATH, "gone");
  }
  return redirectDone(context, PATH, "removed");
}
