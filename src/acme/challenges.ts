import type { ValidationCertificate } from "../net/mod.ts";

/** How an authority may validate a name: RFC 8737 3 and RFC 8555 8.3. */
export type ChallengeWay = "tls-alpn-01" | "http-01";

/** Where an authority's validation over HTTP asks (RFC 8555 8.3). */
const HTTP_PATH = "/.well-known/acme-challenge/";

/** What is answered to an authority that validates a name, while it is being validated. */
export class Challenges {
  readonly #certificates = new Map<string, ValidationCertificate>();
  readonly #keyAuthorizations = new Map<string, string>();

  /** What is shown to who validates `name` over TLS; undefined for a name that nobody should. */
  certificateFor(name: string): ValidationCertificate | undefined {
    return this.#certificates.get(name);
  }

  /** Shows the certificate to who validates `name` over TLS; gives the function that ends it. */
  showCertificate(name: string, certificate: ValidationCertificate): () => void {
    this.#certificates.set(name, certificate);
    return () => this.#certificates.delete(name);
  }

  /** Tells the key authorization to who asks for `token`; gives the function that ends it. */
  tellKeyAuthorization(token: string, keyAuthorization: string): () => void {
    this.#keyAuthorizations.set(token, keyAuthorization);
    return () => this.#keyAuthorizations.delete(token);
  }

  /** The answer to an authority that validates over HTTP; undefined for any other request. */
  answer(request: Request): Response | undefined {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith(HTTP_PATH)) return undefined;
    const keyAuthorization = this.#keyAuthorizations.get(pathname.slice(HTTP_PATH.length));
    if (keyAuthorization === undefined) return undefined;
    return new Response(keyAuthorization, {
      headers: { "content-type": "application/octet-stream" },
    });
  }
}
