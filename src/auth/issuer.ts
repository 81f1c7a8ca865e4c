import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import { type Clock, errorReason, logger } from "../base/mod.ts";
import {
  ISSUER_FRESH_MS,
  ISSUER_RETRY_MS,
  ISSUER_STALE_MS,
  ISSUER_TIMEOUT_MS,
  MAX_ISSUER_ANSWER_BYTES,
} from "./limits.ts";

const log = logger("auth");

/** The issuer cannot be asked now; says nothing about the token. */
export class IssuerUnreachable extends Error {
  override readonly name = "IssuerUnreachable";
}

/** What the issuer says about itself (OpenID Connect Discovery 1.0, 3), and its keys. */
interface Known {
  readonly introspectionEndpoint: string | undefined;
  readonly keys: JWTVerifyGetKey;
  readonly fetchedMs: number;
}

/** An OpenID issuer: its keys, fetched anew in time, and kept while it is away. */
export class Issuer {
  readonly #issuer: string;
  readonly #clock: Clock;
  #known: Known | undefined;
  #fetching: Promise<Known> | undefined;
  #lastTryMs = -Infinity;

  constructor(issuer: string, clock: Clock) {
    this.#issuer = issuer;
    this.#clock = clock;
  }

  /** Where clients learn about the issuer; told to those whose token is refused. */
  get configurationUrl(): string {
    return `${this.#issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  }

  /** The keys that tokens are signed with. Rejects with IssuerUnreachable. */
  async keys(): Promise<JWTVerifyGetKey> {
    return (await this.#current()).keys;
  }

  /** The keys fetched anew because one is missing; undefined when that was done a moment ago. */
  async newerKeys(): Promise<JWTVerifyGetKey | undefined> {
    if (this.#clock.now() - this.#lastTryMs < ISSUER_RETRY_MS) return undefined;
    return (await this.#fetch()).keys;
  }

  /** Where it tells about tokens (RFC 7662), if it does. Rejects with IssuerUnreachable. */
  async introspectionEndpoint(): Promise<string | undefined> {
    return (await this.#current()).introspectionEndpoint;
  }

  async #current(): Promise<Known> {
    const known = this.#known;
    const age = known ? this.#clock.now() - known.fetchedMs : Infinity;
    if (known && age < ISSUER_FRESH_MS) return known;
    if (!known || age >= ISSUER_STALE_MS) return await this.#fetch();
    if (this.#clock.now() - this.#lastTryMs >= ISSUER_RETRY_MS) {
      // Nobody waits for it: what is known still holds.
      this.#fetch().catch(() => {});
    }
    return known;
  }

  #fetch(): Promise<Known> {
    return this.#fetching ??= this.#fetchAll().finally(() => this.#fetching = undefined);
  }

  async #fetchAll(): Promise<Known> {
    this.#lastTryMs = this.#clock.now();
    try {
      const about = await fetchJson(this.configurationUrl);
      if (about.issuer !== this.#issuer) {
        throw new IssuerUnreachable(`it calls itself ${JSON.stringify(about.issuer)}`);
      }
      const keys = await fetchJson(String(about.jwks_uri));
      const endpoint = about.introspection_endpoint;
      return this.#known = {
        introspectionEndpoint: typeof endpoint === "string" ? endpoint : undefined,
        keys: createLocalJWKSet(keys as unknown as JSONWebKeySet),
        fetchedMs: this.#clock.now(),
      };
    } catch (cause) {
      const reason = errorReason(cause);
      log.error("the issuer {issuer} is of no use now: {reason}", { issuer: this.#issuer, reason });
      throw new IssuerUnreachable("The issuer cannot be asked.", { cause });
    }
  }
}

/** Fetches a JSON object. Rejects when the answer is late, too long, no success or something else. */
export async function fetchJson(
  url: string,
  init: RequestInit = {},
): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(url, {
    ...init,
    redirect: "error",
    signal: AbortSignal.timeout(ISSUER_TIMEOUT_MS),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new IssuerUnreachable(`${url} answered ${response.status}`);
  }
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of response.body ?? []) {
    length += piece.length;
    if (length > MAX_ISSUER_ANSWER_BYTES) throw new IssuerUnreachable(`${url} answered too much`);
    pieces.push(piece);
  }
  const value: unknown = JSON.parse(await new Blob(pieces as BlobPart[]).text());
  if (typeof value !== "object" || value === null) {
    throw new IssuerUnreachable(`${url} answered no object`);
  }
  return value as Readonly<Record<string, unknown>>;
}
