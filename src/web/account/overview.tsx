import { doneText, readForm, redirectDone } from "../forms.ts";
import { bytesText, countText, durationText } from "../format.ts";
import type { LiveConnection } from "../host.ts";
import { Action, Facts, Meter, Table } from "../parts.tsx";
import type { Site, SiteContext } from "../site.tsx";
import { showPage } from "./layout.tsx";
import { LoginTable } from "./logins.tsx";

const DONE = {
  ended: "The session was ended.",
  gone: "That session had ended already.",
};

/** Logins that are shown beside everything else. */
const LAST_LOGINS = 3;

/** What is in the account, how much room it takes, and who is logged in to it. */
export async function overviewPage(context: SiteContext, site: Site): Promise<Response> {
  const account = context.get("account");
  const mail = await site.store.openAccount(account.id);
  const [{ usedBytes, limitBytes, usedMessages }, mailboxes, logins] = await Promise.all([
    mail.quota(),
    mail.listMailboxes(),
    site.loginLog.list({ accountId: account.id, limit: LAST_LOGINS }),
  ]);
  return showPage(
    context,
    site,
    { title: "Overview", done: doneText(context, DONE) },
    <>
      <Facts
        facts={[
          [
            "Storage",
            limitBytes === undefined ? `${bytesText(usedBytes)}, without a limit` : (
              <Meter
                label="Storage used"
                value={usedBytes}
                max={limitBytes}
                text={`${bytesText(usedBytes)} of ${bytesText(limitBytes)}`}
              />
            ),
          ],
          ["Messages", countText(usedMessages)],
        ]}
      />
      <h2>Open sessions</h2>
      <SessionTable sessions={connectionsOf(site, context)} now={site.clock.now()} />
      <h2>Last logins</h2>
      <LoginTable logins={logins} />
      {logins.length > 0 && (
        <p>
          <a href="/account/logins">All logins</a>
        </p>
      )}
      <h2>Mailboxes</h2>
      <Table
        caption="Mailboxes of the account"
        columns={["Name", ...["Unread", "Messages", "Size"].map(numbers)]}
        rows={mailboxes.map(({ name, counts }) => [
          name,
          countText(counts.unseen),
          countText(counts.messages),
          bytesText(counts.size),
        ])}
        empty="There are no mailboxes."
      />
    </>,
  );
}

/** Ends a session of the account that is logged in, and of no other. */
export async function endSession(context: SiteContext, site: Site): Promise<Response> {
  const id = Number((await readForm(context)).text("id"));
  const isOwn = connectionsOf(site, context).some((connection) => connection.id === id);
  const isEnded = isOwn && site.host.endConnection(id);
  return redirectDone(context, "/account", isEnded ? "ended" : "gone");
}

function numbers(title: string) {
  return { title, isNumber: true } as const;
}

function connectionsOf(site: Site, context: SiteContext): LiveConnection[] {
  const { id } = context.get("account");
  return site.host.connections().filter(({ account }) => account?.id === id);
}

function doingText({ activity, mailbox }: LiveConnection): string {
  if (activity === "IDLE") return `Waits for mail in ${mailbox}`;
  return mailbox === "" ? activity : `In ${mailbox}`;
}

function SessionTable(
  { sessions, now }: { sessions: readonly LiveConnection[]; now: number },
) {
  return (
    <Table
      caption="Mail programs that are logged in now"
      columns={["Program", "From", "For", "Doing", ""]}
      rows={sessions.map((session) => [
        session.client || (session.protocol === "submission" ? "Sending mail" : "Unnamed"),
        <>
          {session.remote}
          {session.tls === undefined && (
            <>
              , <span class="failed">not encrypted</span>
            </>
          )}
        </>,
        durationText(now - session.sinceMs),
        doingText(session),
        <Action
          action="/account/sessions/end"
          text="End"
          label={`End the session of ${session.client || "a program"} from ${session.remote}`}
          fields={{ id: String(session.id) }}
          isDangerous
        />,
      ])}
      empty="No mail program is logged in now."
    />
  );
}
