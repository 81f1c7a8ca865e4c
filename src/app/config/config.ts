import { dirname, isAbsolute, join } from "node:path";
import {
  type ListenerKind,
  type Network,
  parseNetwork,
  parseRouteTarget,
  type RouteTarget,
} from "../../net/mod.ts";
import { type LoadedFile, writePath } from "./load.ts";
import { parseQuotaBytes, parseSizeBytes } from "./quantity.ts";
import { OWN_TARGETS } from "./schema.ts";

export type LogLevel = "error" | "warn" | "info" | "debug" | "trace";

export interface LogConfig {
  readonly level: LogLevel;
  readonly format: "text" | "json";
}

/** A certificate chain and its private key, both PEM files. */
export interface CertificateFiles {
  readonly certificateFile: string;
  readonly privateKeyFile: string;
}

export interface ListenerConfig {
  readonly kind: ListenerKind;
  /** `host:port`, `[v6]:port` or `unix:/path`. */
  readonly address: string;
  /** For an alpn listener: protocol, or "none", to its target; empty for the others. */
  readonly routes: ReadonlyMap<string, RouteTarget>;
  /** Networks whose peers must send a PROXY header. */
  readonly trustedProxies: readonly Network[];
  /** Whether TLS clients are asked for a certificate. */
  readonly clientCertificates: boolean;
}

/** An OpenID issuer whose tokens log in. */
export interface OAuthConfig {
  readonly issuer: string;
  readonly audience: string;
  readonly usernameClaim: string;
  /** That a token must have; undefined: none in particular. */
  readonly scope: string | undefined;
  /** For asking about tokens that say nothing themselves. */
  readonly client: { readonly id: string; readonly secretFile: string } | undefined;
}

/** What one address may do before it has to wait; 0: no limit. */
export interface GateConfig {
  readonly openConnections: number;
  readonly connectionsPerMinute: number;
  readonly failuresPerMinute: number;
  readonly failuresPerDay: number;
}

/** The effective configuration of a server: defaults filled in, file names absolute or as from cwd. */
export interface Config {
  readonly hostname: string;
  readonly dataDir: string;
  readonly log: LogConfig;
  readonly tls: {
    /** Empty: a self-signed certificate is made in `dataDir`. The first is the default one. */
    readonly certificates: readonly CertificateFiles[];
    readonly minVersion: "1.2" | "1.3";
  };
  readonly listeners: readonly ListenerConfig[];
  readonly allowPlaintext: boolean;
  /** Whether SCRAM with channel binding is announced. */
  readonly channelBinding: boolean;
  readonly unauthenticate: boolean;
  readonly oauth: OAuthConfig | undefined;
  readonly maxMessageBytes: number;
  readonly maxConnections: number;
  /** Quota of accounts without one of their own; null: no limit. */
  readonly defaultQuotaBytes: number | null;
}

/**
 * The effective configuration of a file that was checked. Relative file names in it are taken from
 * the folder that the file is in.
 */
export function toConfig({ file, content }: LoadedFile): Config {
  const folder = dirname(file);
  const resolve = (name: string) => isAbsolute(name) ? name : join(folder, name);
  const { tls } = content;
  const certificates = tls.certificate.map((files) => ({
    certificateFile: resolve(files.certificate_file),
    privateKeyFile: resolve(files.private_key_file),
  }));
  if (tls.certificate_file !== undefined && tls.private_key_file !== undefined) {
    certificates.unshift({
      certificateFile: resolve(tls.certificate_file),
      privateKeyFile: resolve(tls.private_key_file),
    });
  }
  return {
    hostname: content.hostname ?? Deno.hostname(),
    dataDir: resolve(content.data_dir),
    log: content.log,
    tls: { certificates, minVersion: tls.min_version },
    listeners: content.listener.map((listener) => ({
      kind: listener.kind,
      address: listener.address,
      routes: new Map(
        Object.entries(listener.routes ?? {})
          .map(([protocol, target]) => [protocol, parseRouteTarget(target, OWN_TARGETS)]),
      ),
      trustedProxies: (listener.proxy_protocol ?? []).map(parseNetwork),
      clientCertificates: listener.client_certificates ?? false,
    })),
    allowPlaintext: content.auth.allow_plaintext,
    channelBinding: content.auth.channel_binding,
    unauthenticate: content.auth.unauthenticate,
    oauth: content.auth.oauth && toOAuth(content.auth.oauth, resolve),
    maxMessageBytes: checked(parseSizeBytes(content.limits.max_message_size)),
    maxConnections: content.limits.max_connections,
    defaultQuotaBytes: checked(parseQuotaBytes(content.quota.default)),
  };
}

function toOAuth(
  oauth: NonNullable<LoadedFile["content"]["auth"]["oauth"]>,
  resolve: (name: string) => string,
): OAuthConfig {
  const { client_id: id, client_secret_file: secretFile } = oauth;
  return {
    issuer: oauth.issuer,
    audience: oauth.audience,
    usernameClaim: oauth.username_claim,
    scope: oauth.scope,
    client: id !== undefined && secretFile !== undefined
      ? { id, secretFile: resolve(secretFile) }
      : undefined,
  };
}

/** What the schema has checked cannot be missing. */
function checked<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError("the schema let through what does not parse");
  return value;
}

/** Kinds of listener that this version opens. */
const SERVED_KINDS: readonly ListenerKind[] = ["imap", "imaps", "alpn", "lmtp"];
/** Protocols of its own that this version has for an alpn listener. */
const SERVED_TARGETS = ["imap", "web"];

/** Whether this version opens listeners of that kind. */
export function isServedKind(kind: ListenerKind): boolean {
  return SERVED_KINDS.includes(kind);
}

/** Whether this version can send clients to that target. */
export function isServedTarget(target: RouteTarget): boolean {
  return target.kind !== "own" || SERVED_TARGETS.includes(target.name);
}

/** A line for each setting that is valid and has no effect in this version, with its place. */
export function unservedSettings({ file, content, lines }: LoadedFile): string[] {
  const found: { line: number; text: string }[] = [];
  const note = (path: readonly PropertyKey[], effect: string) => {
    const line = lines.lineOf(path);
    found.push({
      line,
      text: `${file}:${line}: ${writePath(path)}: not in this version, ${effect}`,
    });
  };
  content.listener.forEach((listener, i) => {
    if (!isServedKind(listener.kind)) note(["listener", i, "kind"], "the listener stays closed");
    for (const [protocol, target] of Object.entries(listener.routes ?? {})) {
      if (isServedTarget(parseRouteTarget(target, OWN_TARGETS))) continue;
      note(["listener", i, "routes", protocol], "clients that ask for it are refused");
    }
  });
  if (content.tls.acme) note(["tls", "acme"], "no certificates are fetched");
  if (content.retention.trash !== undefined) note(["retention", "trash"], "nothing expires");
  if (content.relay) note(["relay"], "no mail is relayed");
  if (content.chatmail) note(["chatmail"], "no accounts make themselves");
  return found.sort((a, b) => a.line - b.line).map(({ text }) => text);
}
