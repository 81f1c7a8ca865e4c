import { type HistorySeries } from "../../store/mod.ts";
import { bytesText, countText, durationText } from "../format.ts";
import type { CertificateStatus, HostStatus, ListenerStatus } from "../host.ts";
import { Badge, Facts, Meter, Notice, numeric, Table } from "../parts.tsx";
import type { Site, SiteContext } from "../site.tsx";
import { showPage } from "./layout.tsx";
import { Spark } from "./spark.tsx";

const DAY_SECONDS = 86_400;
const DAY_MS = DAY_SECONDS * 1000;
/** Between two points of a small chart: 48 of them are as many as one can see. */
const SPARK_STEP_SECONDS = 1_800;
/** When a certificate's end is near: renewal should have been done by then. */
const EXPIRY_SOON_MS = 14 * DAY_MS;

const SPARK_SERIES = [
  ...["connectionsImap", "connectionsSubmission", "loginsOk", "loginsFailed"] as const,
  ...["deliveriesIn", "deliveriesOut", "storageBytes"] as const,
] satisfies readonly HistorySeries[];

/** How the host is. */
export async function overviewPage(context: SiteContext, site: Site): Promise<Response> {
  const [status, findings, day] = await Promise.all([
    site.host.status(),
    site.host.findings(),
    readDay(site),
  ]);
  const open = site.host.connections().length;
  const nowMs = site.clock.now();
  return await showPage(
    context,
    site,
    { title: "Overview", path: "/admin" },
    <>
      {findings.length === 0 && <Notice kind="done">Everything looks well.</Notice>}
      {findings.map(({ severity, text, advice }) => (
        <Notice kind={severity}>
          <strong>{sentence(text)}</strong> {sentence(advice)}
        </Notice>
      ))}
      <Tiles status={status} open={open} day={day} storedBytes={storedBytes(site)} />
      <div class="cards">
        <section class="card plain">
          <h2>Server</h2>
          <Facts
            facts={[
              ["Running for", durationText(nowMs - status.startedMs)],
              ["Version", <a href="/admin/server">{status.version}</a>],
              ["Memory", bytesText(status.memoryBytes)],
              ["Host name", status.hostname],
            ]}
          />
        </section>
        <section class="card plain">
          <h2>Mail</h2>
          <Facts
            facts={[
              ["Accounts", <a href="/admin/accounts">{countText(status.accounts)}</a>],
              ["Domains", <a href="/admin/domains">{countText(status.domains)}</a>],
              ["Disk", <DiskMeter disk={status.disk} />],
              ["Queue", <a href="/admin/queue">{queueText(status.queue, nowMs)}</a>],
            ]}
          />
        </section>
      </div>
      <h2>Certificates</h2>
      <CertificateTable certificates={status.certificates} nowMs={nowMs} />
      <h2>Listeners</h2>
      <ListenerTable listeners={status.listeners} />
    </>,
  );
}

type Day = Readonly<Record<typeof SPARK_SERIES[number], readonly (number | null)[]>>;

/** The last 24 hours; undefined where nothing is kept. */
async function readDay({ history, clock }: Site): Promise<Day | undefined> {
  const to = Math.ceil(clock.now() / 1000);
  const columns = await history?.read({
    from: to - DAY_SECONDS,
    to,
    series: SPARK_SERIES,
    step: SPARK_STEP_SECONDS,
  });
  return columns &&
    Object.fromEntries(SPARK_SERIES.map((name, i) => [name, columns.values[i] ?? []])) as Day;
}

function Tiles(
  { status, open, day, storedBytes }: {
    status: HostStatus;
    open: number;
    day: Day | undefined;
    storedBytes: number | undefined;
  },
) {
  const sum = (values: readonly (number | null)[] = []) =>
    values.reduce<number>((total, value) => total + (value ?? 0), 0);
  const failed = sum(day?.loginsFailed);
  return (
    <ul class="tiles">
      <li class="tile">
        <a href="/admin/connections">Connections</a>
        <strong>{countText(open)}</strong>
        <small>{`${countText(status.idleSessions)} wait for mail`}</small>
        <Spark
          label="Connections in the last 24 hours"
          values={addUp(day?.connectionsImap, day?.connectionsSubmission)}
        />
      </li>
      <li class="tile">
        <a href="/admin/logins">Logins in 24 hours</a>
        <strong>{countText(sum(day?.loginsOk))}</strong>
        <small>
          {failed === 0
            ? "none failed"
            : <a href="/admin/logins?failures=yes">{`${countText(failed)} failed`}</a>}
        </small>
        <Spark label="Logins in the last 24 hours" values={day?.loginsOk ?? []} />
      </li>
      <li class="tile">
        <a href="/admin/charts">Mail in 24 hours</a>
        <strong>{countText(sum(day?.deliveriesIn))}</strong>
        <small>{`came in, ${countText(sum(day?.deliveriesOut))} went out`}</small>
        <Spark label="Mail that came in, in the last 24 hours" values={day?.deliveriesIn ?? []} />
      </li>
      <li class="tile">
        <a href="/admin/charts">Storage</a>
        <strong>{storedBytes === undefined ? "–" : bytesText(storedBytes)}</strong>
        <small>in all accounts</small>
        <Spark
          label="Storage in the last 24 hours"
          values={day?.storageBytes ?? []}
          isFromZero={false}
        />
      </li>
    </ul>
  );
}

/** What all accounts hold together; undefined before it is known of any. */
function storedBytes({ quotas }: Site): number | undefined {
  const known = [...quotas().values()];
  return known.length === 0
    ? undefined
    : known.reduce((total, { usedBytes }) => total + usedBytes, 0);
}

function addUp(
  a: readonly (number | null)[] = [],
  b: readonly (number | null)[] = [],
): (number | null)[] {
  return a.map((value, i) => value === null ? null : value + (b[i] ?? 0));
}

/** Findings are written to stand in a line of their own or within one: here they are sentences. */
function sentence(text: string): string {
  if (text === "") return "";
  // An address keeps its case.
  const isAddress = /^\S*@/.test(text);
  const upper = isAddress ? text : text.slice(0, 1).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(upper) ? upper : `${upper}.`;
}

function queueText({ messages, oldestMs }: HostStatus["queue"], nowMs: number): string {
  if (messages === 0) return "Empty";
  const age = oldestMs === undefined ? "" : `, the oldest for ${durationText(nowMs - oldestMs)}`;
  return `${countText(messages)} ${messages === 1 ? "message" : "messages"}${age}`;
}

function DiskMeter({ disk }: { disk: HostStatus["disk"] }) {
  if (disk === undefined) return <>Not told by the system</>;
  const { freeBytes, totalBytes } = disk;
  return (
    <Meter
      label="Disk used"
      value={totalBytes - freeBytes}
      max={totalBytes}
      text={`${bytesText(freeBytes)} free of ${bytesText(totalBytes)}`}
    />
  );
}

function CertificateTable(
  { certificates, nowMs }: { certificates: readonly CertificateStatus[]; nowMs: number },
) {
  return (
    <Table
      caption="Certificates"
      columns={["For", "From", "Issued by", "Expires"]}
      rows={certificates.map(({ names, source, issuer, notAfterMs, problem }) => [
        names.join(", "),
        <span class="break">{source}</span>,
        issuer,
        <>
          <Expiry leftMs={notAfterMs - nowMs} />
          {problem !== "" && <div class="remark">{sentence(problem)}</div>}
        </>,
      ])}
      empty="There are none: nothing is encrypted here."
    />
  );
}

function Expiry({ leftMs }: { leftMs: number }) {
  if (leftMs <= 0) return <Badge kind="problem">{`Expired ${durationText(-leftMs)} ago`}</Badge>;
  const text = `In ${durationText(leftMs)}`;
  return leftMs < EXPIRY_SOON_MS ? <Badge kind="problem">{text}</Badge> : <>{text}</>;
}

function ListenerTable({ listeners }: { listeners: readonly ListenerStatus[] }) {
  return (
    <Table
      caption="Listeners"
      columns={["Kind", "Address", "What goes where", numeric("Connections")]}
      rows={listeners.map(({ kind, address, routes, connections }) => [
        kind,
        <code>{address}</code>,
        routes.length === 0
          ? ""
          : routes.map(({ protocol, target }) => `${protocol} → ${target}`).join(", "),
        countText(connections),
      ])}
      empty="Nothing is listened on."
    />
  );
}
