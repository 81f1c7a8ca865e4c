import { doneText, readForm, redirectDone } from "../forms.ts";
import { bytesText } from "../format.ts";
import { Check, Facts } from "../parts.tsx";
import type { Site, SiteContext } from "../site.tsx";
import { showPage } from "./layout.tsx";

const PATH = "/account/settings";
const DONE = { saved: "The settings were saved. They hold for sessions that begin from now on." };

/** What holds for the account, and what it decides itself. */
export async function settingsPage(context: SiteContext, site: Site): Promise<Response> {
  const account = context.get("account");
  const [addresses, mail] = await Promise.all([
    site.store.directory.listAddresses(account.id),
    site.store.openAccount(account.id),
  ]);
  const { limitBytes } = await mail.quota();
  const retention = site.retention(account);
  // One that this version does not know stays where somebody chose it.
  const names = [...new Set([...site.capabilities, ...account.disabledCapabilities])].sort();
  return await showPage(
    context,
    site,
    { title: "Settings", path: PATH, done: doneText(context, DONE) },
    <>
      <Facts
        facts={[
          ["Address", account.address],
          ["Other addresses", addresses.length === 0 ? "None" : addresses.join(", ")],
          [
            "Storage",
            limitBytes === undefined ? "Without a limit" : `Up to ${bytesText(limitBytes)}`,
          ],
          [
            "What is deleted by itself",
            retention.length === 0
              ? "Nothing: mail stays until you delete it."
              : retention.map((sentence) => <div>{sentence}</div>),
          ],
        ]}
      />
      <h2>Mail programs that have trouble</h2>
      <p>
        Where a program trips over something that this server can do, that can be kept from it. Tick
        only what you were told to: nothing here makes mail safer or faster.
      </p>
      <form method="post" action={PATH}>
        <fieldset>
          <legend>Keep from the programs of this account</legend>
          <div class="boxes">
            {names.map((name) => (
              <Check
                label={<code>{name}</code>}
                name="without"
                value={name}
                isChecked={account.disabledCapabilities.includes(name)}
              />
            ))}
          </div>
        </fieldset>
        <button type="submit">Save</button>
      </form>
    </>,
  );
}

/** Keeps capabilities from the account's next sessions. */
export async function changeSettings(context: SiteContext, site: Site): Promise<Response> {
  const { id, disabledCapabilities } = context.get("account");
  const known = [...site.capabilities, ...disabledCapabilities];
  const without = (await readForm(context)).texts("without");
  await site.store.directory.setDisabledCapabilities(
    id,
    [...new Set(without)].filter((name) => known.includes(name)).sort(),
  );
  return redirectDone(context, PATH, "saved");
}
