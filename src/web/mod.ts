/**
 * web: what a browser sees. Laws: a handler maps a `Request` to a `Response` and knows nothing of
 * sockets; every page works without scripts; a stranger learns no product, version or account.
 */
export { AutoconfigPage, type MailService, writeAutoconfig } from "./autoconfig.ts";
export { ChatmailPages } from "./chatmail_pages.ts";
export {
  type CertificateStatus,
  type Finding,
  type Host,
  type HostLogLevel,
  type HostStatus,
  type ListenerStatus,
  type LiveConnection,
  LOG_LEVELS,
  type LogLevels,
} from "./host.ts";
export { handleMetricsRequest, type MonitoredServer } from "./metrics_pages.ts";
export type { RequestFacts, SiteServices } from "./services.ts";
export { readRequestFacts } from "./request.ts";
export { type OpenedSite, openSite } from "./site.tsx";
export { handleWebRequest } from "./status_page.ts";
