import type { RequestFacts } from "./services.ts";

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
  // What was sent in clear may be anybody's, under this host's name too.
  return !origin.startsWith("https://") || new URL(origin).host !== request.headers.get("host");
}

/**
 * Who asks, and by what: what the connection tells, unless it is that of a trusted proxy. Then the
 * last address of `X-Forwarded-For` counts, which that proxy wrote itself, and TLS is what
 * `X-Forwarded-Proto` says. Headers of strangers are not looked at.
 */
export function readRequestFacts(request: Request, facts: RequestFacts): RequestFacts {
  if (!facts.isTrustedProxy) return facts;
  const { headers } = request;
  const address = headers.get("x-forwarded-for")?.split(",").at(-1)?.trim() ?? "";
  const isSecure = headers.get("x-forwarded-proto")?.split(",").at(-1)?.trim() === "https";
  return {
    local: facts.local,
    remote: ADDRESS.test(address) ? { address } : facts.remote,
    tls: facts.tls ?? (isSecure ? TLS_OF_PROXY : undefined),
  };
}

/** Digits, letters and signs of an IP address; what is none of them is no address at all. */
const ADDRESS = /^[0-9a-f:.]{2,45}$/i;

const TLS_OF_PROXY: RequestFacts["tls"] = {
  version: "proxied",
  cipher: "",
  alpn: undefined,
  sni: undefined,
  resumed: false,
  serverEndPoint: undefined,
  clientCertificate: undefined,
};
