import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

/** An OpenID issuer on this host, as far as a resource server sees one. */
export class OAuthIssuer {
  /** What introspection says about a token that is no JWT. */
  readonly opaque = new Map<string, Record<string, unknown>>();
  /** Paths that were asked for. */
  readonly asked: string[] = [];
  isDown = false;
  #server = createServer(async (request, response) => {
    this.asked.push(request.url ?? "");
    let body = "";
    for await (const piece of request) body += piece;
    const answer = this.isDown ? undefined : this.#answer(request.url ?? "", body, request.headers);
    response.writeHead(answer === undefined ? 503 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? {}));
  });
  #keys: { kid: string; alg: string; privateKey: CryptoKey; jwk: Record<string, unknown> }[] = [];

  static async start(): Promise<OAuthIssuer> {
    const issuer = new OAuthIssuer();
    await new Promise<void>((resolve) => issuer.#server.listen(0, "127.0.0.1", resolve));
    await issuer.addKey("one", "RS256");
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async addKey(kid: string, alg: string): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair(alg);
    this.#keys.push({ kid, alg, privateKey, jwk: { ...await exportJWK(publicKey), kid, alg } });
  }

  /** A token signed with the newest key; claims that are undefined are left out. */
  async token(claims: Record<string, unknown> = {}, { nowMs = Date.now() } = {}): Promise<string> {
    const key = this.#keys.at(-1);
    if (!key) throw new Error("no key");
    const now = Math.floor(nowMs / 1000);
    const whole = {
      iss: this.url,
      aud: "mail",
      iat: now,
      exp: now + 300,
      email: "alice@example.org",
      ...claims,
    };
    return await new SignJWT(whole).setProtectedHeader({ alg: key.alg, kid: key.kid })
      .sign(key.privateKey);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(path: string, body: string, headers: IncomingHttpHeaders): unknown {
    switch (path) {
      case "/.well-known/openid-configuration":
        return {
          issuer: this.url,
          jwks_uri: `${this.url}/keys`,
          introspection_endpoint: `${this.url}/introspect`,
        };
      case "/keys":
        return { keys: this.#keys.map(({ jwk }) => jwk) };
      case "/introspect":
        if (headers.authorization !== `Basic ${btoa("postern:very%20secret")}`) return undefined;
        return this.opaque.get(new URLSearchParams(body).get("token") ?? "") ?? { active: false };
      default:
        return undefined;
    }
  }
}
