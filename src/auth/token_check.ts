import { errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from "jose";
import { type Clock, errorReason, logger } from "../base/mod.ts";
import { FairPool } from "./fair_pool.ts";
import { fetchJson, Issuer, IssuerUnreachable } from "./issuer.ts";
import {
  CLOCK_SKEW_SECONDS,
  MAX_INTROSPECTIONS,
  MAX_QUEUED_INTROSPECTIONS,
  MAX_QUEUED_INTROSPECTIONS_PER_NETWORK,
} from "./limits.ts";

const log = logger("auth");

/** Public-key signatures only: with a shared secret anybody who checks tokens could make them. */
const ALGORITHMS = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];

export interface OAuthOptions {
  /** The OpenID issuer, as tokens spell it. */
  readonly issuer: string;
  /** Whom tokens must be for. */
  readonly audience: string;
  /** The claim that has the account's address. */
  readonly usernameClaim: string;
  /** A scope that tokens must have. */
  readonly scope?: string;
  /** Who we are to the issuer, to ask about tokens that are no JWTs (RFC 7662). */
  readonly client?: { readonly id: string; readonly secret: string };
}

/** Why a token is refused, as the registry of OAuth errors has it. */
export type TokenProblem = "invalid_token" | "insufficient_scope";

export class TokenError extends Error {
  override readonly name = "TokenError";

  constructor(readonly problem: TokenProblem, message: string) {
    super(message);
  }
}

/** Checks access tokens of one OpenID issuer. */
export class TokenCheck {
  readonly #options: OAuthOptions;
  readonly #issuer: Issuer;
  readonly #clock: Clock;
  readonly #pool = new FairPool({
    running: MAX_INTROSPECTIONS,
    runningPerOwner: MAX_INTROSPECTIONS / 2,
    queued: MAX_QUEUED_INTROSPECTIONS,
    queuedPerOwner: MAX_QUEUED_INTROSPECTIONS_PER_NETWORK,
  });

  constructor(options: OAuthOptions, clock: Clock) {
    this.#options = options;
    this.#issuer = new Issuer(options.issuer, clock);
    this.#clock = clock;
  }

  /** What a client is told whose token is refused (RFC 7628 3.2.2). */
  explain(problem: TokenProblem | "invalid_request"): Readonly<Record<string, string>> {
    const { scope } = this.#options;
    return {
      status: problem,
      ...(scope === undefined ? {} : { scope }),
      "openid-configuration": this.#issuer.configurationUrl,
    };
  }

  /**
   * The name that a token is for. `network` is whose turn it is when the issuer must be asked.
   * Rejects with TokenError, IssuerUnreachable or PoolFullError.
   */
  async verify(token: string, network: string): Promise<string> {
    const claims = /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)
      ? await this.#verifyJwt(token)
      : await this.#pool.run(network, () => this.#introspect(token));
    return this.#usernameOf(claims);
  }

  async #verifyJwt(token: string): Promise<JWTPayload> {
    try {
      try {
        return await this.#verifyWith(await this.#issuer.keys(), token);
      } catch (error) {
        // The issuer may have begun to use another key.
        const isKeyMissing = error instanceof errors.JWKSNoMatchingKey;
        const newer = isKeyMissing ? await this.#issuer.newerKeys() : undefined;
        if (newer === undefined) throw error;
        return await this.#verifyWith(newer, token);
      }
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      throw new TokenError("invalid_token", error.message);
    }
  }

  async #verifyWith(keys: JWTVerifyGetKey, token: string): Promise<JWTPayload> {
    const { issuer, audience } = this.#options;
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      algorithms: ALGORITHMS,
      requiredClaims: ["exp"],
      clockTolerance: CLOCK_SKEW_SECONDS,
      currentDate: new Date(this.#clock.now()),
    });
    return payload;
  }

  /** Asks the issuer about a token (RFC 7662 2). */
  async #introspect(token: string): Promise<JWTPayload> {
    const { client, issuer, audience } = this.#options;
    const endpoint = client && await this.#issuer.introspectionEndpoint();
    if (client === undefined || endpoint === undefined) {
      throw new TokenError("invalid_token", "not a JWT, and nobody to ask about it");
    }
    let claims: JWTPayload & { active?: unknown };
    try {
      const credentials = `${encodeURIComponent(client.id)}:${encodeURIComponent(client.secret)}`;
      claims = await fetchJson(endpoint, {
        method: "POST",
        headers: { authorization: `Basic ${btoa(credentials)}`, accept: "application/json" },
        body: new URLSearchParams({ token, token_type_hint: "access_token" }),
      });
    } catch (cause) {
      const reason = errorReason(cause);
      log.error("the issuer could not be asked about a token: {reason}", { reason });
      throw new IssuerUnreachable("The issuer cannot be asked.", { cause });
    }
    if (claims.active !== true) throw new TokenError("invalid_token", "not active");
    if (claims.iss !== undefined && claims.iss !== issuer) {
      throw new TokenError("invalid_token", "of another issuer");
    }
    // Without this a token that somebody gave to another service would open the mailbox.
    if (![claims.aud ?? []].flat().includes(audience)) {
      throw new TokenError("invalid_token", "for another audience");
    }
    const now = this.#clock.now() / 1000;
    if (typeof claims.exp === "number" && claims.exp + CLOCK_SKEW_SECONDS < now) {
      throw new TokenError("invalid_token", "expired");
    }
    return claims;
  }

  #usernameOf(claims: JWTPayload): string {
    const { usernameClaim, scope } = this.#options;
    if (scope !== undefined) {
      const scopes = [claims.scope ?? claims.scp ?? []].flat().join(" ").split(" ");
      if (!scopes.includes(scope)) throw new TokenError("insufficient_scope", "lacks the scope");
    }
    const username = claims[usernameClaim];
    if (typeof username !== "string" || username === "") {
      throw new TokenError("invalid_token", `has no claim ${usernameClaim}`);
    }
    // An address that its owner only says is his.
    if (usernameClaim === "email" && claims.email_verified === false) {
      throw new TokenError("invalid_token", "its e-mail address is not verified");
    }
    return username;
  }
}
