import { streamSSE } from "hono/streaming";
import { exportZip } from "../../transfer/mod.ts";
import { bytesText, countText } from "../format.ts";
import { Action, Field, Notice } from "../parts.tsx";
import type { Site, SiteContext } from "../site.tsx";
import { ImportRefusal, type ImportState, isOver } from "./imports.ts";
import { showPage } from "./layout.tsx";

const PATH = "/account/transfer";
/** Where the file is sent to. */
export const IMPORT_PATH = `${PATH}/import`;

/** How often a page without scripts asks again, and how often one with them is told. */
const REFRESH_SECONDS = 3;
const EVENT_INTERVAL_MS = 500;

/** How an import is going, or how it went; and where mail comes in and goes out. */
export async function transferPage(
  context: SiteContext,
  site: Site,
  refusal?: ImportRefusal,
): Promise<Response> {
  const state = site.imports.stateOf(context.get("account").id);
  const isGoingOn = state !== undefined && !isOver(state);
  return await showPage(
    context,
    site,
    {
      title: "Import and export",
      path: PATH,
      problem: refusal?.message,
      ...(refusal ? { status: refusal.status } : {}),
      ...(isGoingOn ? { refreshSeconds: REFRESH_SECONDS, scripts: ["/assets/import.js"] } : {}),
    },
    <>
      {state && (isGoingOn ? <Going state={state} /> : <Outcome state={state} />)}
      <div class="cards">
        {!isGoingOn && <ImportForm maxBytes={site.imports.maxBytes} />}
        <form method="get" action={`${PATH}/export`} class="card">
          <h2>Export</h2>
          <p>All mail of the account as one zip, which other programs and servers read.</p>
          <fieldset>
            <legend>Form</legend>
            <label class="check">
              <input type="radio" name="kind" value="mbox" checked />
              <span>mbox: one file for each mailbox</span>
            </label>
            <label class="check">
              <input type="radio" name="kind" value="maildir" />
              <span>Maildir: one file for each message</span>
            </label>
          </fieldset>
          <button type="submit">Download</button>
        </form>
      </div>
    </>,
  );
}

function ImportForm({ maxBytes }: { maxBytes: number }) {
  return (
    <form method="post" action={IMPORT_PATH} enctype="multipart/form-data" class="card">
      <h2>Import</h2>
      <p>
        Each mailbox is added as a whole or not at all. What is in the account stays as it is.
      </p>
      <Field
        label="Into mailbox"
        name="mailbox"
        hint="Such as Archive/Old. Left empty, mailboxes keep their names."
      />
      <Field
        label="File"
        name="file"
        type="file"
        accept=".mbox,.zip,application/zip,application/mbox"
        hint={`An mbox file, or a zip of mbox files or of a Maildir; up to ${bytesText(maxBytes)}.`}
        required
      />
      <button type="submit">Import</button>
    </form>
  );
}

/** What the import does now, in words. */
function phaseText({ phase, mailbox, done, total }: ImportState): string {
  const share = total > 0 ? `, ${Math.floor(done * 100 / total)} %` : "";
  switch (phase) {
    case "receiving":
      return "The file is being sent.";
    case "unpacking":
      return `The file is being unpacked${share}.`;
    default:
      return mailbox === "" ? "The mail is being read." : `Mailbox ${mailbox} is read${share}.`;
  }
}

function Going({ state }: { state: ImportState }) {
  const { fileName, done, total, finished } = state;
  return (
    <section class="card" id="import">
      <h2>Import of {fileName || "a file"}</h2>
      <p role="status" id="import-text">{phaseText(state)}</p>
      <p>
        {total > 0
          ? <progress id="import-bar" aria-label="Progress" value={done} max={total} />
          : <progress id="import-bar" aria-label="Progress" />}
      </p>
      {finished.length > 0 && <p>Done: {finished.join(", ")}</p>}
      <Action action={`${PATH}/abort`} text="Stop" label="Stop the import" isDangerous />
    </section>
  );
}

function Outcome({ state }: { state: ImportState }) {
  const { phase, fileName, finished, results, problem } = state;
  const messages = results.reduce((sum, result) => sum + result.messages, 0);
  const warnings = results.flatMap(({ mailbox, warnings }) =>
    warnings.map((warning) => `${mailbox}: ${warning}`)
  );
  return (
    <Notice kind={phase === "done" ? "done" : phase === "failed" ? "problem" : "note"}>
      {phase === "done"
        ? (
          <>
            <p>
              {fileName} was imported: {countText(messages)}{" "}
              {messages === 1 ? "message" : "messages"}.
            </p>
            <ul>
              {results.map((result) => (
                <li>
                  {result.mailbox}: {countText(result.messages)}
                </li>
              ))}
            </ul>
            {warnings.length > 0 && <ul>{warnings.map((warning) => <li>{warning}</li>)}</ul>}
          </>
        )
        : (
          <>
            <p>
              {phase === "failed"
                ? `${fileName} was not imported. ${problem}`
                : `The import of ${fileName} was stopped.`}
            </p>
            <p>
              {finished.length === 0
                ? "Nothing was added."
                : `These mailboxes had come over before, and stay: ${finished.join(", ")}.`}
            </p>
          </>
        )}
      <Action action={`${PATH}/forget`} text="Close" label="Close this report" />
    </Notice>
  );
}

/** Takes a file that is sent, and begins to import it. */
export async function receiveImport(context: SiteContext, site: Site): Promise<Response> {
  try {
    await site.imports.receive(context.get("account").id, context.req.raw);
  } catch (error) {
    if (!(error instanceof ImportRefusal)) throw error;
    return await transferPage(context, site, error);
  }
  return context.redirect(PATH, 303);
}

/** Stops an import. */
export async function abortImport(context: SiteContext, site: Site): Promise<Response> {
  await site.imports.abort(context.get("account").id);
  return context.redirect(PATH, 303);
}

/** Closes the report of an import. */
export async function forgetImport(context: SiteContext, site: Site): Promise<Response> {
  site.imports.forget(context.get("account").id);
  return context.redirect(PATH, 303);
}

/** Tells a script how the import is going, until it is over. */
export function importEvents(context: SiteContext, site: Site): Response {
  const { id } = context.get("account");
  return streamSSE(context, async (stream) => {
    while (!stream.aborted) {
      const state = site.imports.stateOf(id);
      const isDone = state === undefined || isOver(state);
      const data = isDone ? { isDone } : {
        isDone,
        text: phaseText(state),
        done: state.done,
        total: state.total,
      };
      await stream.writeSSE({ data: JSON.stringify(data) });
      if (isDone) return;
      await stream.sleep(EVENT_INTERVAL_MS);
    }
  });
}

/** The mail of the account as a zip, while it is read. */
export async function downloadExport(context: SiteContext, site: Site): Promise<Response> {
  const { id, address } = context.get("account");
  const kind = context.req.query("kind") === "maildir" ? "maildir" : "mbox";
  const day = new Date(site.clock.now()).toISOString().slice(0, 10);
  const name = `${address.replace(/[^A-Za-z0-9.-]+/g, "_")}-${day}-${kind}.zip`;
  context.header("content-type", "application/zip");
  context.header("content-disposition", `attachment; filename="${name}"`);
  return context.body(exportZip(await site.store.openAccount(id), kind));
}
