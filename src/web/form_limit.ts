import type { Next } from "hono";
import { type Bytes, concatBytes } from "../base/mod.ts";
import { MAX_FORM_BYTES } from "./limits.ts";
import type { SiteContext } from "./site.tsx";

/**
 * Reads the body of a request, up to the size that a form may have, before the page sees it. Who
 * goes away while sending it is no error of the page.
 */
export async function limitForm(context: SiteContext, next: Next): Promise<Response | void> {
  const { raw } = context.req;
  if (raw.body === null) return await next();
  const tooLarge = () => context.text("This form has too much in it.\n", 413);
  if (Number(raw.headers.get("content-length") ?? 0) > MAX_FORM_BYTES) return tooLarge();
  const pieces: Bytes[] = [];
  let size = 0;
  const reader = raw.body.getReader();
  try {
    for (let read; !(read = await reader.read()).done;) {
      size += read.value.length;
      // The rest is left to whoever ends the request: to cancel it would end the answer, too.
      if (size > MAX_FORM_BYTES) return tooLarge();
      pieces.push(read.value);
    }
  } catch {
    return context.text("This form was cut off.\n", 400);
  }
  const { method, headers, url } = raw;
  context.req.raw = new Request(url, {
    method,
    headers,
    body: new Uint8Array(concatBytes(pieces)),
  });
  return await next();
}
