import type { QueuedMessage } from "../../store/mod.ts";
import { doneText, pageOf, readForm, redirectDone } from "../forms.ts";
import { bytesText, countText, durationText, timeText } from "../format.ts";
import { ADMIN_PAGE } from "../limits.ts";
import { Action, Pager, Table } from "../parts.tsx";
import type { Site, SiteContext } from "../site.tsx";
import { ask, showMissing, showPage } from "./layout.tsx";

const PATH = "/admin/queue";
const DONE = {
  retried: "It is tried again now.",
  dropped: "The message was removed from the queue.",
  gone: "That message is no longer in the queue.",
};

/** Mail on its way to other hosts, the oldest first. */
export async function queuePage(context: SiteContext, site: Site): Promise<Response> {
  const page = pageOf(context);
  const messages = await site.queue.list();
  const nowMs = site.clock.now();
  return await showPage(
    context,
    site,
    { title: "Queue", done: doneText(context, DONE) },
    <>
      <p>
        Mail on its way to other hosts. What cannot be sent is tried again by itself, ever more
        rarely, and in the end goes back to its sender.
      </p>
      {messages.length > 0 && (
        <div class="buttons">
          <span>
            {`${countText(messages.length)} ${messages.length === 1 ? "message" : "messages"}`}
          </span>
          <Action action={`${PATH}/retry`} text="Try all now" />
        </div>
      )}
      <QueueTable
        messages={messages.slice(page * ADMIN_PAGE, (page + 1) * ADMIN_PAGE)}
        nowMs={nowMs}
      />
      <Pager path={PATH} query={{}} page={page} size={ADMIN_PAGE} total={messages.length} />
    </>,
  );
}

function QueueTable({ messages, nowMs }: { messages: readonly QueuedMessage[]; nowMs: number }) {
  return (
    <Table
      caption="Messages that wait"
      columns={["From", "To, and what came of it", "Came", "Given up", "Size", ""]}
      rows={messages.map(({ id, sender, recipients, queued, expires, size }) => [
        sender || <span class="faint">Nobody: it is a report</span>,
        recipients.map(({ address, attempts, due, lastError }) => (
          <div class="recipient">
            {address}
            <div class="faint">{attemptText(attempts, due * 1000 - nowMs)}</div>
            {lastError !== "" && <div class="remark">{lastError}</div>}
          </div>
        )),
        <span class="nowrap">{timeText(queued * 1000)}</span>,
        `in ${durationText(expires * 1000 - nowMs)}`,
        bytesText(size),
        <>
          <Action
            action={`${PATH}/retry`}
            text="Try now"
            label={`Try now: the message from ${sender || "nobody"}`}
            fields={{ id: String(id) }}
          />
          <a
            class="button danger small"
            href={`${PATH}/drop?id=${id}`}
            aria-label={`Drop the message ${id}`}
          >
            Drop
          </a>
        </>,
      ])}
      empty="Nothing waits: all mail is on its way or there."
    />
  );
}

function attemptText(attempts: number, untilMs: number): string {
  const when = untilMs <= 0 ? "due now" : `next in ${durationText(untilMs)}`;
  if (attempts === 0) return `Not tried yet, ${when}`;
  return `Tried ${attempts === 1 ? "once" : `${attempts} times`}, ${when}`;
}

async function findMessage(site: Site, id: string): Promise<QueuedMessage | undefined> {
  return /^\d{1,15}$/.test(id) ? await site.queue.get(Number(id)) : undefined;
}

/** Has a message, or all of them, tried again now. */
export async function retryMessages(context: SiteContext, site: Site): Promise<Response> {
  const id = (await readForm(context)).text("id");
  const message = id === "" ? undefined : await findMessage(site, id);
  if (id !== "" && message === undefined) return redirectDone(context, PATH, "gone");
  await site.queue.retry(message?.id);
  site.host.tellQueue();
  return redirectDone(context, PATH, "retried");
}

/** Asks whether a message is to be removed. */
export async function askDrop(context: SiteContext, site: Site): Promise<Response> {
  const message = await findMessage(site, context.req.query("id") ?? "");
  if (message === undefined) return await showMissing(context, site, PATH, DONE.gone);
  return await ask(
    context,
    site,
    {
      title: "Drop a message",
      path: PATH,
      action: `${PATH}/drop`,
      fields: { id: String(message.id) },
      button: "Drop the message",
    },
    <p>
      The message from <strong>{message.sender || "nobody"}</strong> to{" "}
      {message.recipients.map(({ address }) => address).join(", ")}{" "}
      will not be sent, and nobody is told. Nothing brings it back.
    </p>,
  );
}

/** Removes a message from the queue. */
export async function dropMessage(context: SiteContext, site: Site): Promise<Response> {
  const message = await findMessage(site, (await readForm(context)).text("id"));
  const isDropped = message !== undefined && await site.queue.drop(message.id);
  return redirectDone(context, PATH, isDropped ? "dropped" : "gone");
}
