/** What the pages say of the server. */
export interface WebFacts {
  readonly hostname: string;
}

const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

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
</ul>`,
  );
}

function page(
  status: number,
  title: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<h1>${title}</h1>
${body}
</html>
`;
  return new Response(html, { status, headers: { ...HEADERS, ...headers } });
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
