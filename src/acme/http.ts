/** How acme-client's requests are carried: by `fetch`, within limits of time and size. */
import { MAX_ANSWER, REQUEST_TIMEOUT_MS } from "./limits.ts";

/** What acme-client's HTTP library hands over of a request. */
export interface CarriedRequest {
  readonly url?: string;
  readonly method?: string;
  readonly headers: { toJSON(): Record<string, unknown> };
  readonly data?: unknown;
}

/** How to carry requests. */
export interface Carrier {
  readonly signal: AbortSignal;
  /** With the authorities to trust; undefined: the public ones. */
  readonly httpClient: Deno.HttpClient | undefined;
}

/**
 * Carries one request. Errors of the network are thrown as they are: acme-client's own adapter
 * would try again for minutes, wait as long as the server likes, and then hide what went wrong.
 */
export async function carry(request: CarriedRequest, { signal, httpClient }: Carrier) {
  const { url = "", method = "get", headers, data } = request;
  const answer = await fetch(url, {
    method: method.toUpperCase(),
    headers: Object.entries(headers.toJSON()).map(([name, value]) => [name, String(value)]),
    signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    ...(typeof data === "string" ? { body: data } : {}),
    ...(httpClient === undefined ? {} : { client: httpClient }),
  });
  return {
    data: await readText(answer),
    status: answer.status,
    statusText: answer.statusText,
    headers: Object.fromEntries(answer.headers),
  };
}

async function readText(answer: Response): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const piece of answer.body ?? []) {
    text += decoder.decode(piece, { stream: true });
    if (text.length > MAX_ANSWER) throw new Error("the answer is too long");
  }
  return text;
}
