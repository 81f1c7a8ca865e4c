import { writeSize } from "../../base/mod.ts";
import {
  type Account,
  type AppPassword,
  type ClientKey,
  type Quota,
  StoreError,
} from "../../store/mod.ts";
import { doneText } from "../forms.ts";
import { bytesText, countText, timeText } from "../format.ts";
import { Action, Badge, Check, Facts, Field, Meter, Notice, Table } from "../parts.tsx";
import type { Site, SiteContext } from "../site.tsx";
import { dayText } from "./accounts.tsx";
import { ConnectionTable } from "./connections.tsx";
import { showMissing, showPage } from "./layout.tsx";
import { AttemptTable } from "./logins.tsx";

const LIST_PATH = "/admin/accounts";
/** Attempts to log in that are shown beside everything else. */
const LAST_LOGINS = 5;

const DONE = {
  added: "The account was added.",
  disabled: "The account was disabled, and its sessions were ended.",
  enabled: "The account was enabled.",
  quota: "The limit was changed.",
  capabilities: "This holds for sessions that begin from now on.",
  alias: "The alias was added.",
  unaliased: "The alias was removed.",
  password: "The password was changed, and sessions that used the old one were ended.",
  credential: "It was removed, and the sessions that it began were ended.",
  grace: "The account was disabled and will be deleted.",
  ended: "The connection was ended.",
  gone: "That was gone already.",
};

/** What was typed into one of the forms of the page, and why it was refused. */
export interface Refused {
  readonly problem: string;
  readonly quota?: string;
  readonly alias?: string;
  readonly message?: string;
}

/** The account that the path names; undefined when there is none of this number. */
export async function findAccount(context: SiteContext, site: Site): Promise<Account | undefined> {
  const text = context.req.param("id") ?? "";
  if (!/^[1-9]\d{0,14}$/.test(text)) return undefined;
  return await site.store.directory.getAccount(Number(text) as Account["id"]);
}

/** Says that there is no such account. */
export function missingAccount(context: SiteContext, site: Site): Response | Promise<Response> {
  return showMissing(context, site, LIST_PATH, "There is no such account: it may be deleted.");
}

/** All about one account. */
export async function accountPage(
  context: SiteContext,
  site: Site,
  refused?: Refused,
): Promise<Response> {
  const account = await findAccount(context, site);
  if (account === undefined) return await missingAccount(context, site);
  const { id } = account;
  const { directory } = site.store;
  const [aliases, keys, passwords, logins, quota] = await Promise.all([
    directory.listAddresses(id),
    directory.credentials.listClientKeys(id),
    directory.credentials.listAppPasswords(id),
    site.loginLog.list({ accountId: id, limit: LAST_LOGINS }),
    readQuota(site, account),
  ]);
  const connections = site.host.connections().filter((each) => each.account?.id === id);
  const path = `${LIST_PATH}/${id}`;
  return await showPage(
    context,
    site,
    {
      title: account.address,
      path: LIST_PATH,
      done: doneText(context, DONE),
      problem: refused?.problem,
    },
    <>
      {account.removeAt !== undefined && (
        <Notice kind="warning">
          <p>This account will be deleted {timeText(account.removeAt * 1000)}.</p>
          <Action
            action={`${path}/status`}
            text="Keep the account"
            fields={{ status: "enabled" }}
          />
        </Notice>
      )}
      <AccountFacts account={account} quota={quota} retention={site.retention(account)} />
      <div class="cards">
        <QuotaForm path={path} account={account} typed={refused?.quota} />
        <StatusForm path={path} account={account} typed={refused?.message} />
        <div class="card">
          <h2>Password</h2>
          <p>Who uses the present one is logged out when there is another.</p>
          <p class="buttons">
            <a class="button" href={`${path}/password`}>Set a new password</a>
          </p>
          <h2>Delete</h2>
          <p>At once, or after days in which it can be kept after all.</p>
          <p class="buttons">
            <a class="button danger" href={`${path}/delete`}>Delete the account</a>
          </p>
        </div>
      </div>
      <h2>Open connections</h2>
      <ConnectionTable
        connections={connections}
        nowMs={site.clock.now()}
        fields={{ account: String(id) }}
      />
      <h2>Last logins</h2>
      <AttemptTable logins={logins} addresses={new Map([[id, account.address]])} />
      {logins.length > 0 && (
        <p>
          <a href={`/admin/logins?${new URLSearchParams({ account: account.address })}`}>
            All logins of this account
          </a>
        </p>
      )}
      <h2>Aliases</h2>
      <AliasTable path={path} aliases={aliases} />
      <form method="post" action={`${path}/aliases`} class="row card">
        <Field
          label="Another address"
          name="alias"
          value={refused?.alias ?? ""}
          hint="@example.org takes all that nobody else in that domain does."
          required
        />
        <button type="submit">Add the alias</button>
      </form>
      <h2>TLS keys and app passwords</h2>
      <CredentialTable path={path} keys={keys} passwords={passwords} />
      <CapabilityForm path={path} account={account} known={site.capabilities} />
    </>,
  );
}

/** What the account holds; undefined when its mail cannot be read, which must not hide the page. */
async function readQuota(site: Site, { id }: Account): Promise<Quota | undefined> {
  try {
    return await (await site.store.openAccount(id)).quota();
  } catch (error) {
    if (error instanceof StoreError) return undefined;
    throw error;
  }
}

function AccountFacts(
  { account, quota, retention }: {
    account: Account;
    quota: Quota | undefined;
    retention: readonly string[];
  },
) {
  const { usedBytes = 0, limitBytes, usedMessages = 0 } = quota ?? {};
  return (
    <Facts
      facts={[
        [
          "Status",
          account.disabledMessage === undefined ? <Badge kind="good">Active</Badge> : (
            <>
              <Badge kind="off">Disabled</Badge> {account.disabledMessage}
            </>
          ),
        ],
        [
          "Storage",
          quota === undefined
            ? <span class="failed">The mail cannot be read: see the log</span>
            : limitBytes === undefined
            ? `${bytesText(usedBytes)}, without a limit`
            : (
              <Meter
                label="Storage used"
                value={usedBytes}
                max={limitBytes}
                text={`${bytesText(usedBytes)} of ${bytesText(limitBytes)}`}
              />
            ),
        ],
        ["Messages", countText(usedMessages)],
        ["Added", dayText(account.created)],
        ...(retention.length === 0
          ? []
          : [["Deleted by itself", retention.map((each) => <div>{each}</div>)] as const]),
      ]}
    />
  );
}

function QuotaForm(
  { path, account, typed }: { path: string; account: Account; typed: string | undefined },
) {
  const { quotaBytes } = account;
  const present = quotaBytes === undefined
    ? "default"
    : quotaBytes === null
    ? "none"
    : writeSize(quotaBytes);
  return (
    <form method="post" action={`${path}/quota`} class="card">
      <h2>Limit</h2>
      <Field
        label="Mail that it may hold"
        name="quota"
        value={typed ?? present}
        hint="Such as 500M or 2G; none, or default."
        required
      />
      <button type="submit">Change the limit</button>
    </form>
  );
}

function StatusForm(
  { path, account, typed }: { path: string; account: Account; typed: string | undefined },
) {
  return (
    <form method="post" action={`${path}/status`} class="card">
      <h2>Logins</h2>
      {account.disabledMessage === undefined
        ? (
          <>
            <input type="hidden" name="status" value="disabled" />
            <Field
              label="Message"
              name="message"
              value={typed ?? ""}
              hint="Said to who logs in. Mail is still taken."
              required
            />
            <button type="submit" class="danger">Disable the account</button>
          </>
        )
        : (
          <>
            <input type="hidden" name="status" value="enabled" />
            <p>Nobody can log in now. Mail is still taken.</p>
            <button type="submit">Enable the account</button>
          </>
        )}
    </form>
  );
}

function AliasTable({ path, aliases }: { path: string; aliases: readonly string[] }) {
  return (
    <Table
      caption="Aliases of the account"
      columns={["Address", ""]}
      rows={aliases.map((alias) => [
        alias.startsWith("@") ? `${alias} (catch-all)` : alias,
        <Action
          action={`${path}/aliases/remove`}
          text="Remove"
          label={`Remove the alias ${alias}`}
          fields={{ alias }}
          isDangerous
        />,
      ])}
      empty="It has no address but its own."
    />
  );
}

function CredentialTable(
  { path, keys, passwords }: {
    path: string;
    keys: readonly ClientKey[];
    passwords: readonly AppPassword[];
  },
) {
  const remove = (kind: string, name: string, id: string) => (
    <a
      href={`${path}/credentials/remove?${new URLSearchParams({ kind, id })}`}
      class="button danger small"
      aria-label={`Remove ${name}`}
    >
      Remove
    </a>
  );
  return (
    <Table
      caption="TLS keys and app passwords of the account"
      columns={["Name", "What", "Added", ""]}
      rows={[
        ...keys.map(({ name, keyType, fingerprint, created }) => [
          name,
          <>
            TLS key, {keyType} <code class="faint">{fingerprint.slice(0, 12)}…</code>
          </>,
          dayText(created),
          remove("key", name, fingerprint),
        ]),
        ...passwords.map(({ name, scopes, created }) => [
          name,
          `App password${scopes.length === 0 ? "" : ` for ${scopes.join(" and ")}`}`,
          dayText(created),
          remove("password", name, name),
        ]),
      ]}
      empty="It has none."
    />
  );
}

function CapabilityForm(
  { path, account, known }: { path: string; account: Account; known: readonly string[] },
) {
  const { disabledCapabilities } = account;
  const names = [...new Set([...known, ...disabledCapabilities])].sort();
  return (
    <details class="card" open={disabledCapabilities.length > 0}>
      <summary>Capabilities kept from its mail programs ({disabledCapabilities.length})</summary>
      <form method="post" action={`${path}/capabilities`}>
        <p>For programs that trip over something that this server can do.</p>
        <fieldset>
          <legend>Keep these from them</legend>
          <div class="boxes">
            {names.map((name) => (
              <Check
                label={<code>{name}</code>}
                name="without"
                value={name}
                isChecked={disabledCapabilities.includes(name)}
              />
            ))}
          </div>
        </fieldset>
        <button type="submit">Save</button>
      </form>
    </details>
  );
}
