/**
 * web: what a browser sees. Laws: a handler maps a `Request` to a `Response` and knows nothing of
 * sockets; every page works without scripts; a stranger learns no product, version or account.
 */
export { type MailService, writeAutoconfig } from "./autoconfig.ts";
export { ChatmailPages } from "./chatmail_pages.ts";
export { handleWebRequest } from "./status_page.ts";
