import type { AccountId } from "../../base/mod.ts";
import { type Account, type Directory, type LoginEntry, StoreError } from "../../store/mod.ts";
import { LoginResult, parseCursor, wayText, writeCursor } from "../account/logins.tsx";
import { countText, timeText } from "../format.ts";
import { ADMIN_PAGE, MAX_SEARCH } from "../limits.ts";
import { Check, Field, Notice, numeric, Table } from "../parts.tsx";
import type { Site, SiteContext } from "../site.tsx";
import { showPage } from "./layout.tsx";

const PATH = "/admin/logins";

/** Attempts to log in, the newest first, a page at a time. */
export async function loginsPage(context: SiteContext, site: Site): Promise<Response> {
  const text = (name: string) => (context.req.query(name) ?? "").trim().slice(0, MAX_SEARCH);
  const [search, address] = [text("search"), text("account")];
  const failuresOnly = text("failures") === "yes";
  const before = parseCursor(text("before"));
  const { directory } = site.store;
  const account = address === "" ? undefined : await findByAddress(directory, address);
  const isUnknown = address !== "" && account === undefined;
  // One more than is shown tells whether there are more.
  const found = isUnknown ? [] : await site.loginLog.list({
    limit: ADMIN_PAGE + 1,
    failuresOnly,
    ...(account ? { accountId: account.id } : {}),
    ...(search === "" ? {} : { search }),
    ...(before ? { before } : {}),
  });
  const logins = found.slice(0, ADMIN_PAGE);
  const last = logins.at(-1);
  const query = { search, account: address, failures: failuresOnly ? "yes" : "" };
  return await showPage(
    context,
    site,
    { title: "Logins" },
    <>
      <form method="get" action={PATH} class="row" role="search">
        <Field
          label="Text"
          name="search"
          type="search"
          value={search}
          hint="In name, network address, program or mechanism."
        />
        <Field
          label="Account"
          name="account"
          type="search"
          value={address}
          hint="Its whole address."
        />
        <Check label="Failures only" name="failures" isChecked={failuresOnly} />
        <button type="submit">Show</button>
      </form>
      {isUnknown && <Notice kind="note">There is no account {address}.</Notice>}
      <p class="faint">Attempts that are alike are one line. They are kept for 30 days.</p>
      <AttemptTable logins={logins} addresses={await addressesOf(directory, logins)} />
      {(before || found.length > ADMIN_PAGE) && (
        <nav class="links" aria-label="Pages of the list">
          {before && <a href={`${PATH}?${new URLSearchParams(query)}`}>Newest</a>}
          {last && found.length > ADMIN_PAGE && (
            <a href={`${PATH}?${new URLSearchParams({ ...query, before: writeCursor(last) })}`}>
              Older ones
            </a>
          )}
        </nav>
      )}
    </>,
  );
}

async function findByAddress(directory: Directory, text: string): Promise<Account | undefined> {
  try {
    return await directory.resolveAddress(text);
  } catch (error) {
    if (error instanceof StoreError) return undefined;
    throw error;
  }
}

/** The addresses of the accounts of this page. */
async function addressesOf(
  directory: Directory,
  logins: readonly LoginEntry[],
): Promise<Map<AccountId, string>> {
  const addresses = new Map<AccountId, string>();
  for (const id of new Set(logins.map(({ accountId }) => accountId))) {
    const account = id === undefined ? undefined : await directory.getAccount(id);
    if (account) addresses.set(account.id, account.address);
  }
  return addresses;
}

/** Attempts to log in, with the name that was given. */
export function AttemptTable(
  { logins, addresses }: {
    logins: readonly LoginEntry[];
    addresses: ReadonlyMap<AccountId, string>;
  },
) {
  return (
    <Table
      caption="Attempts to log in"
      columns={["Last time", "Name", "Result", "Program", "From", "By", numeric("Times")]}
      rows={logins.map((login) => [
        <span class="nowrap">{timeText(login.lastMs)}</span>,
        <LoginName login={login} addresses={addresses} />,
        <LoginResult login={login} />,
        login.userAgent || <span class="faint">Unnamed</span>,
        login.remote,
        wayText(login),
        countText(login.count),
      ])}
      empty="No attempts are on record."
    />
  );
}

function LoginName(
  { login: { accountId, username, mechanism }, addresses }: {
    login: LoginEntry;
    addresses: ReadonlyMap<AccountId, string>;
  },
) {
  if (mechanism === "ADMIN") return <strong>Administrator</strong>;
  const address = accountId === undefined ? undefined : addresses.get(accountId);
  if (address === undefined) return <>{username || "–"}</>;
  return <a href={`/admin/accounts/${accountId}`}>{username || address}</a>;
}
