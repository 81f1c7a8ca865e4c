import { type Domain, StoreError } from "../../store/mod.ts";
import { doneText, readForm, redirectDone } from "../forms.ts";
import { countText } from "../format.ts";
import { Action, Badge, Check, Field, numeric, Table } from "../parts.tsx";
import type { Site, SiteContext } from "../site.tsx";
import { ask, showPage } from "./layout.tsx";

const PATH = "/admin/domains";
const DONE = {
  added: "The domain was added.",
  enabled: "The domain was enabled: mail for it is taken.",
  disabled: "The domain was disabled: mail for it waits elsewhere.",
  removed: "The domain was removed.",
  gone: "There is no such domain any more.",
};

interface Shown {
  readonly problem?: string;
  readonly name?: string;
  readonly isDisabled?: boolean;
}

/** The domains that mail is taken for, and where one is added. */
export async function domainsPage(
  context: SiteContext,
  site: Site,
  { problem, name = "", isDisabled = false }: Shown = {},
): Promise<Response> {
  const { directory } = site.store;
  const [domains, counts] = await Promise.all([
    directory.listDomains(),
    directory.countByDomain(),
  ]);
  return await showPage(
    context,
    site,
    { title: "Domains", path: PATH, done: doneText(context, DONE), problem },
    <>
      <DomainTable domains={domains} counts={counts} />
      <form method="post" action={PATH} class="stack card">
        <h2>Add a domain</h2>
        <Field label="Name" name="name" value={name} hint="Such as example.org." required />
        <p>
          <Check label="Take no mail for it yet" name="disabled" isChecked={isDisabled} />
        </p>
        <button type="submit">Add the domain</button>
      </form>
    </>,
  );
}

function DomainTable(
  { domains, counts }: { domains: readonly Domain[]; counts: ReadonlyMap<string, number> },
) {
  return (
    <Table
      caption="Domains of this host"
      columns={["Domain", "Mail", numeric("Accounts"), ""]}
      rows={domains.map(({ name, isDisabled }) => [
        <a href={`/admin/accounts?${new URLSearchParams({ search: `@${name}` })}`}>{name}</a>,
        isDisabled ? <Badge kind="off">Disabled</Badge> : "Is taken",
        countText(counts.get(name) ?? 0),
        <>
          <Action
            action={`${PATH}/change`}
            text={isDisabled ? "Enable" : "Disable"}
            label={`${isDisabled ? "Enable" : "Disable"} the domain ${name}`}
            fields={{ name, disabled: isDisabled ? "" : "yes" }}
          />
          <a
            class="button danger small"
            href={`${PATH}/remove?${new URLSearchParams({ name })}`}
            aria-label={`Remove the domain ${name}`}
          >
            Remove
          </a>
        </>,
      ])}
      empty="There are no domains: add the first one."
    />
  );
}

/** Adds a domain. */
export async function addDomain(context: SiteContext, site: Site): Promise<Response> {
  const form = await readForm(context);
  const name = form.text("name").trim();
  const isDisabled = form.text("disabled") === "yes";
  try {
    await site.store.directory.addDomain(name, { disabled: isDisabled });
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return await domainsPage(context, site, { problem: error.message, name, isDisabled });
  }
  return redirectDone(context, PATH, "added");
}

/** Enables or disables a domain. */
export async function changeDomain(context: SiteContext, site: Site): Promise<Response> {
  const form = await readForm(context);
  const isDisabled = form.text("disabled") === "yes";
  try {
    await site.store.directory.setDomainDisabled(form.text("name"), isDisabled);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return redirectDone(context, PATH, "gone");
  }
  return redirectDone(context, PATH, isDisabled ? "disabled" : "enabled");
}

/** Asks whether a domain is to be removed. */
export function askRemoveDomain(
  context: SiteContext,
  site: Site,
  problem?: string,
  name = context.req.query("name") ?? "",
): Response | Promise<Response> {
  return ask(
    context,
    site,
    {
      ...{ title: "Remove a domain", path: PATH, action: `${PATH}/remove`, fields: { name } },
      button: "Remove the domain",
      problem,
    },
    <p>
      Mail for <strong>{name}</strong>{" "}
      will no longer be taken. A domain that still has accounts or aliases cannot be removed.
    </p>,
  );
}

/** Removes a domain that nothing is in. */
export async function removeDomain(context: SiteContext, site: Site): Promise<Response> {
  const name = (await readForm(context)).text("name");
  try {
    await site.store.directory.removeDomain(name);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.code !== "already-exists") return redirectDone(context, PATH, "gone");
    const text = "Accounts or aliases are still in this domain: remove them first.";
    return await askRemoveDomain(context, site, text, name);
  }
  return redirectDone(context, PATH, "removed");
}
