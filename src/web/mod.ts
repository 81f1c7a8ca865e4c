/**
 * web: what a browser sees. Laws: a handler maps a `Request` to a `Response` and knows nothing of
 * sockets; every page works without scripts; a stranger learns no product, version or account.
 */
export { handleWebRequest } from "./status_page.ts";
