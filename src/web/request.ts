/**
 * Whether a request that may change something was sent by another site's page. Browsers tell where
 * a request comes from; what tells nothing is no browser with a cookie to abuse, and is refused
 * all the same.
 */
export function isForgedRequest(request: Request): boolean {
  if (["GET", "HEAD"].includes(request.method)) return false;
  const site = request.headers.get("sec-fetch-site");
  if (site !== null) return site !== "same-origin";
  const origin = request.headers.get("origin");
  if (origin === null || !URL.canParse(origin)) return true;
  return new URL(origin).host !== request.headers.get("host");
}
