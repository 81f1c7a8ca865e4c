import { StoreError } from "../../store/mod.ts";
import { doneText, readForm, redirectDone } from "../forms.ts";
import { durationText, timeText } from "../format.ts";
import { Action, Field, Table } from "../parts.tsx";
import type { Site, SiteContext } from "../site.tsx";
import { showPage } from "./layout.tsx";

const PATH = "/admin/bans";
const DONE = {
  removed: "Nothing is held against that network any more.",
  allowed: "The network was allowed.",
  disallowed: "The network is treated like all others again.",
  gone: "That was gone already.",
};

interface Shown {
  readonly problem?: string;
  readonly network?: string;
}

/** Networks that must wait, and those that never have to. */
export async function bansPage(
  context: SiteContext,
  site: Site,
  { problem, network: typed = "" }: Shown = {},
): Promise<Response> {
  const nowMs = site.clock.now();
  const [records, allowed] = await Promise.all([
    site.loginLog.listNetworks(),
    site.store.directory.listAllowedNetworks(),
  ]);
  const bans = records.flatMap(({ network, ban }) =>
    ban && ban.untilMs > nowMs ? { network, ...ban } : []
  ).sort((a, b) => b.sinceMs - a.sinceMs);
  return await showPage(
    context,
    site,
    { title: "Bans", path: PATH, done: doneText(context, DONE), problem },
    <>
      <h2>Networks that must wait</h2>
      <Table
        caption="Networks that must wait"
        columns={["Network", "Why", "Since", "For", ""]}
        rows={bans.map(({ network, reason, sinceMs, untilMs }) => [
          <code>{network}</code>,
          reason,
          <span class="nowrap">{timeText(sinceMs)}</span>,
          `${durationText(untilMs - nowMs)} more`,
          <Action
            action={`${PATH}/remove`}
            text="Forgive"
            label={`Forgive ${network}`}
            fields={{ network }}
          />,
        ])}
        empty="Nobody has to wait."
      />
      <h2>Networks that are always let in</h2>
      <Table
        caption="Networks that are always let in"
        columns={["Network", ""]}
        rows={allowed.map((network) => [
          <code>{network}</code>,
          <Action
            action={`${PATH}/disallow`}
            text="Remove"
            label={`Remove ${network} from the list`}
            fields={{ network }}
            isDangerous
          />,
        ])}
        empty="There are none: limits hold for everybody."
      />
      <form method="post" action={`${PATH}/allow`} class="row card">
        <Field
          label="Always let in"
          name="network"
          value={typed}
          hint="An address or network, such as 10.0.0.0/8. Failed logins from there are not counted."
          required
        />
        <button type="submit">Allow</button>
      </form>
    </>,
  );
}

/** Forgets what is held against a network, and against those that it is in. */
export async function forgetNetwork(context: SiteContext, site: Site): Promise<Response> {
  const network = site.networks.read((await readForm(context)).text("network"));
  if (network === undefined) return redirectDone(context, PATH, "gone");
  const held = (await site.loginLog.listNetworks()).map((record) => record.network)
    .filter((other) => site.networks.overlap(network, other));
  if (held.length === 0) return redirectDone(context, PATH, "gone");
  await site.loginLog.forgetNetworks(held);
  site.host.tellNetworks();
  return redirectDone(context, PATH, "removed");
}

/** Has no limit hold for a network. */
export async function allowNetwork(context: SiteContext, site: Site): Promise<Response> {
  const typed = (await readForm(context)).text("network").trim();
  const network = site.networks.read(typed);
  if (network === undefined) {
    const problem = "Expected an address or a network, such as 10.0.0.0/8 or 2001:db8::/32.";
    return await bansPage(context, site, { problem, network: typed });
  }
  await site.store.directory.addAllowedNetwork(network);
  site.host.tellNetworks();
  return redirectDone(context, PATH, "allowed");
}

/** Takes that back. */
export async function disallowNetwork(context: SiteContext, site: Site): Promise<Response> {
  const network = (await readForm(context)).text("network");
  try {
    await site.store.directory.removeAllowedNetwork(network);
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== "not-found") throw error;
    return redirectDone(context, PATH, "gone");
  }
  site.host.tellNetworks();
  return redirectDone(context, PATH, "disallowed");
}
