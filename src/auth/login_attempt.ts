import { logger } from "../base/mod.ts";

/** How an attempt to log in ended. */
export type AttemptResult =
  | "ok"
  | "baduser"
  | "badpassword"
  /** The mechanism cannot tell which of the two. */
  | "badcreds"
  | "badchanbind"
  /** The token is not of the issuer, not for us, or not valid any more. */
  | "badtoken"
  /** The credentials are right, but not for the authorization identity that was asked for. */
  | "badauthzid"
  | "badprotocol"
  /** What the client wants of the mechanism is not to be had here. */
  | "unsupported"
  | "logindisabled"
  | "error"
  | "aborted";

/** Results that mean somebody presented wrong credentials: these count, delay and ban. */
export const WRONG_CREDENTIALS: ReadonlySet<AttemptResult> = new Set([
  "baduser",
  "badpassword",
  "badcreds",
  "badchanbind",
  "badtoken",
]);

/** What is known of a TLS session; `TlsFacts` of the `net` room fits. */
export interface AuthTlsFacts {
  readonly version: string;
  readonly cipher: string;
  readonly alpn: string | undefined;
  readonly sni: string | undefined;
  readonly resumed: boolean;
  /** Channel binding data `tls-server-end-point` (RFC 5929 4.1). */
  readonly serverEndPoint: Uint8Array | undefined;
  /** DER of the client's certificate. */
  readonly clientCertificate: Uint8Array | undefined;
}

/** What is known of the connection that somebody logs in on; `TransportFacts` with a protocol fits. */
export interface ConnectionFacts {
  readonly protocol: "imap" | "submission" | "web";
  readonly remote: { readonly address: string };
  readonly local: { readonly address: string };
  readonly tls: AuthTlsFacts | undefined;
}

/** One attempt to log in. */
export interface LoginAttempt {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Undefined when the name leads to no account. */
  readonly accountId: number | undefined;
  /** The name as given, normalised; undefined when none was given or it is not well-formed. */
  readonly username: string | undefined;
  readonly facts: ConnectionFacts;
  /** SASL mechanism, LOGIN for the command, CERTIFICATE, or ADMIN for the admin's password. */
  readonly mechanism: string;
  /** Of the client's key, where that was looked at. */
  readonly fingerprint: string | undefined;
  /** What the client said it is (RFC 2971), as far as it had when this was told. */
  readonly userAgent: string | undefined;
  readonly result: AttemptResult;
}

const log = logger("auth");

/**
 * Writes the line of a failed attempt, always of the same form, so that fail2ban can read it. A
 * name is shown only when it is an address, since people type passwords in its place.
 */
export function logFailedAttempt(attempt: LoginAttempt): void {
  log.warn(formatFailedAttempt(attempt));
}

/** The line of `logFailedAttempt`. */
export function formatFailedAttempt({ username, facts, mechanism, result }: LoginAttempt): string {
  const shown = username?.includes("@") ? `"${escape(username)}"` : "-";
  return `failed authentication: username=${shown} remote=${facts.remote.address} ` +
    `protocol=${facts.protocol} mechanism=${mechanism} result=${result}`;
}

/** Printable ASCII that neither ends the quotes nor is a placeholder to the logger; else `\uXXXX`. */
function escape(text: string): string {
  return text.replace(
    /[^!-~]|["\\{}]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
