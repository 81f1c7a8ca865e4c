/** What pages say, read without a browser. */

/** What stands in the first table of this caption, tags taken away. */
export function rowsOf(html: string, caption: string): string[][] {
  const table = html.split("<caption>").find((part) => part.startsWith(caption)) ?? "";
  const body = /<tbody>(.*?)<\/tbody>/s.exec(table)?.[1] ?? "";
  return [...body.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row = ""]) =>
    [...row.matchAll(/<td[^>]*>(.*?)<\/td>/gs)].map(([, cell = ""]) =>
      textOf(cell.replace(/<form.*?<\/form>/gs, "")).trim()
    )
  );
}

/** What a piece of a page says. */
export function textOf(html: string): string {
  return html.replace(/<[^>]*>/g, "").replaceAll("&lt;", "<").replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&amp;", "&");
}

/** What the first notice of a page says. */
export function noticeOf(html: string): string {
  return textOf(/<div class="notice[^>]*>(.*?)<\/div>/s.exec(html)?.[1] ?? "").trim();
}
