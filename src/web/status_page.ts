import { escapeHtml, page } from "./html.ts";

/** What the pages say of the server. */
export interface WebFacts {
  readonly hostname: string;
}

/** Answers a browser that came to the mail server's port: says what this is and how to use it. */
export function handleWebRequest(request: Request, { hostname }: WebFacts): Response {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return page(405, "Not possible here", "<p>This page can only be read.</p>", {
      allow: "GET, HEAD",
    });
  }
  if (new URL(request.url).pathname !== "/") {
    return page(404, "Not found", '<p>There is only <a href="/">one page</a> here.</p>');
  }
  const host = escapeHtml(hostname);
  return page(
    200,
    host,
    `<p>This is a mail server, and it is up. Read your mail with a mail program:</p>
<ul>
<li>Server for incoming mail (IMAP): ${host}, with TLS</li>
<li>User name: your whole mail address</li>
</ul>
<p><a href="/account">Your account</a>: password, devices, import and export</p>`,
  );
}
