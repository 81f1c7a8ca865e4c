import { bytesText, countText, durationText } from "../format.ts";
import { Facts, Notice } from "../parts.tsx";
import type { Site, SiteContext } from "../site.tsx";
import { AdminLayout } from "./layout.tsx";

const NOTICE_KINDS = { problem: "problem", warning: "warning", note: "note" } as const;

/** How the host is. */
export async function overviewPage(context: SiteContext, site: Site): Promise<Response> {
  const [status, findings] = await Promise.all([site.host.status(), site.host.findings()]);
  return context.html(
    <AdminLayout title="Overview" site={site.hostname} path={context.req.path}>
      {findings.length === 0 && <Notice kind="done">Everything looks well.</Notice>}
      {findings.map(({ severity, text, advice }) => (
        <Notice kind={NOTICE_KINDS[severity]}>
          <strong>{text}</strong> {advice}
        </Notice>
      ))}
      <Facts
        facts={[
          ["Running for", durationText(site.clock.now() - status.startedMs)],
          ["Version", `${status.version} (Deno ${status.deno}, SQLite ${status.sqlite})`],
          ["Accounts", countText(status.accounts)],
          ["Open connections", countText(site.host.connections().length)],
          ["Memory", bytesText(status.memoryBytes)],
        ]}
      />
    </AdminLayout>,
  );
}
