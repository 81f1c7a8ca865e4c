import { doneText, readForm, redirectDone } from "../forms.ts";
import { bytesText, countText, durationText } from "../format.ts";
import type { LiveConnection } from "../host.ts";
import { CONNECTIONS_PAGE, MAX_SEARCH } from "../limits.ts";
import { Action, Badge, Choice, Field, numeric, Table } from "../parts.tsx";
import type { Site, SiteContext } from "../site.tsx";
import { showPage } from "./layout.tsx";

const PATH = "/admin/connections";
const DONE = {
  ended: "The connection was ended.",
  gone: "That connection had ended already.",
};

const PROTOCOLS: Readonly<Record<LiveConnection["protocol"], string>> = {
  imap: "IMAP",
  submission: "Submission",
  lmtp: "LMTP",
  web: "Web",
  metrics: "Metrics",
};

/** Those that carry passwords. */
const ENCRYPTED: readonly LiveConnection["protocol"][] = ["imap", "submission", "web"];

/** Who is connected now, the oldest first, of one protocol or account where that is asked for. */
export async function connectionsPage(context: SiteContext, site: Site): Promise<Response> {
  const search = (context.req.query("search") ?? "").trim().slice(0, MAX_SEARCH);
  const protocol = context.req.query("protocol") ?? "";
  const found = site.host.connections().filter((connection) =>
    (protocol === "" || connection.protocol === protocol) && matches(connection, search)
  );
  const shown = found.slice(0, CONNECTIONS_PAGE);
  const here = `${PATH}?${new URLSearchParams({ search, protocol })}`;
  return await showPage(
    context,
    site,
    { title: "Connections", done: doneText(context, DONE) },
    <>
      <form method="get" action={PATH} class="row" role="search">
        <Field
          label="Account, network address or program"
          name="search"
          type="search"
          value={search}
        />
        <Choice
          label="Protocol"
          name="protocol"
          options={[["", "All"], ...Object.entries(PROTOCOLS)]}
          value={protocol}
        />
        <button type="submit">Show</button>
      </form>
      <p class="faint">
        {found.length > shown.length
          ? `The ${countText(shown.length)} oldest of ${countText(found.length)}`
          : `${countText(found.length)} open now`} · <a href={here}>refresh</a>
      </p>
      <ConnectionTable
        connections={shown}
        nowMs={site.clock.now()}
        fields={{ search, protocol }}
      />
    </>,
  );
}

function matches({ account, remote, client }: LiveConnection, search: string): boolean {
  const facts = [account?.address ?? "", remote, client].join("\n");
  return facts.toLowerCase().includes(search.toLowerCase());
}

/** Connections, each with a button that ends it; `fields` tell which page is shown then. */
export function ConnectionTable(
  { connections, nowMs, fields }: {
    connections: readonly LiveConnection[];
    nowMs: number;
    fields: Readonly<Record<string, string>>;
  },
) {
  return (
    <Table
      caption="Open connections"
      columns={[
        ...["Who", "Program", "From", "By", "Doing", "For"],
        ...[numeric("In"), numeric("Out"), ""],
      ]}
      rows={connections.map((connection) => [
        connection.account
          ? <a href={`/admin/accounts/${connection.account.id}`}>{connection.account.address}</a>
          : <span class="faint">Nobody yet</span>,
        connection.client || <span class="faint">Unnamed</span>,
        connection.remote,
        <>
          {PROTOCOLS[connection.protocol]}
          {connection.tls === undefined && ENCRYPTED.includes(connection.protocol) && (
            <>
              {" "}
              <Badge kind="problem">in clear</Badge>
            </>
          )}
        </>,
        doingText(connection),
        <span class="nowrap">{durationText(nowMs - connection.sinceMs)}</span>,
        bytesText(connection.bytesIn),
        bytesText(connection.bytesOut),
        <Action
          action={`${PATH}/end`}
          text="End"
          label={`End the connection of ${connection.account?.address ?? connection.remote}`}
          fields={{ ...fields, id: String(connection.id) }}
          isDangerous
        />,
      ])}
      empty="There is no such connection now."
    />
  );
}

function doingText({ activity, mailbox }: LiveConnection): string {
  if (activity === "IDLE") return `Waits in ${mailbox}`;
  return [activity, mailbox && `in ${mailbox}`].filter(Boolean).join(" ");
}

/** Ends a connection. */
export async function endConnection(context: SiteContext, site: Site): Promise<Response> {
  const form = await readForm(context);
  const isEnded = site.host.endConnection(Number(form.text("id")));
  const word = isEnded ? "ended" : "gone";
  const account = form.text("account");
  if (/^\d{1,15}$/.test(account)) {
    return redirectDone(context, `/admin/accounts/${account}`, word);
  }
  const query = { search: form.text("search"), protocol: form.text("protocol"), done: word };
  return context.redirect(`${PATH}?${new URLSearchParams(query)}`, 303);
}
