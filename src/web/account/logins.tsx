import type { LoginCursor, LoginEntry } from "../../store/mod.ts";
import { countText, timeText } from "../format.ts";
import { LOGINS_PAGE } from "../limits.ts";
import { Table } from "../parts.tsx";
import type { Site, SiteContext } from "../site.tsx";
import { showPage } from "./layout.tsx";

/** Logins of the first page. */
const FIRST_LOGINS = 10;

/** Who logged in to the account, or tried to: the last ten, or all of them. */
export async function loginsPage(context: SiteContext, site: Site): Promise<Response> {
  const { id } = context.get("account");
  const isAll = context.req.query("all") !== undefined;
  const before = parseCursor(context.req.query("before") ?? "");
  const limit = isAll ? LOGINS_PAGE : FIRST_LOGINS;
  // One more than is shown tells whether there are more.
  const found = await site.loginLog.list({
    accountId: id,
    limit: limit + 1,
    ...(before ? { before } : {}),
  });
  const logins = found.slice(0, limit);
  const last = logins.at(-1);
  return showPage(
    context,
    site,
    { title: "Logins" },
    <>
      <p>
        Attempts that are alike are shown once. They are kept for 30 days. If one is not yours,{" "}
        <a href="/account/password">change the password</a>.
      </p>
      <LoginTable logins={logins} />
      {found.length > limit && last && (
        <p class="links">
          <a href={`/account/logins?${isAll ? "all&" : ""}before=${writeCursor(last)}`}>
            Older ones
          </a>
          {!isAll && <a href="/account/logins?all">All of them</a>}
        </p>
      )}
    </>,
  );
}

/** Reads what `writeCursor` wrote; undefined when it is none. */
export function parseCursor(text: string): LoginCursor | undefined {
  const [, lastMs, id] = /^(\d{1,15})-(\d{1,15})$/.exec(text) ?? [];
  return id === undefined ? undefined : { lastMs: Number(lastMs), id: Number(id) };
}

/** Where a page of logins goes on, within an address. */
export function writeCursor({ lastMs, id }: LoginCursor): string {
  return `${lastMs}-${id}`;
}

/** What came of an attempt; failures are marked. */
export function LoginResult({ login }: { login: LoginEntry }) {
  return login.isFailure
    ? <span class="failed">{RESULTS[login.result] ?? `Failed: ${login.result}`}</span>
    : <>Logged in</>;
}

/** By which protocol and mechanism somebody tried. */
export function wayText({ protocol, mechanism }: LoginEntry): string {
  return `${PROTOCOLS[protocol] ?? protocol}, ${mechanism}`;
}

/** Attempts to log in, failures marked. */
export function LoginTable({ logins }: { logins: readonly LoginEntry[] }) {
  return (
    <Table
      caption="Attempts to log in"
      columns={["Last time", "Result", "Program", "From", "By", {
        title: "Times",
        isNumber: true,
      }]}
      rows={logins.map((login) => [
        <span class="nowrap">{timeText(login.lastMs)}</span>,
        <LoginResult login={login} />,
        login.userAgent || "Unnamed",
        login.remote,
        wayText(login),
        countText(login.count),
      ])}
      empty="No attempts are on record."
    />
  );
}

const PROTOCOLS: Readonly<Record<string, string>> = {
  imap: "IMAP",
  submission: "Sending",
  web: "Web page",
};

const RESULTS: Readonly<Record<string, string>> = {
  badpassword: "Failed: wrong password",
  badcreds: "Failed: wrong password or key",
  badchanbind: "Failed: somebody may be listening in",
  badtoken: "Failed: the token is not valid",
  badauthzid: "Failed: asked for another account",
  badprotocol: "Failed: the program made a mistake",
  unsupported: "Failed: not possible here",
  logindisabled: "Refused: the account is disabled",
  error: "Failed: the server could not check",
  aborted: "Given up",
};
