import { dirname, isAbsolute, join } from "node:path";
import {
  ACME_PROTOCOL,
  type ListenerKind,
  type Network,
  parseNetwork,
  parseRouteTarget,
  type RouteTarget,
} from "../../net/mod.ts";
import type { ChallengeWay } from "../../acme/mod.ts";
import { parseDurationMs, parseQuotaBytes, parseSizeBytes } from "../../base/mod.ts";
import { type ChatmailConfig, toChatmail } from "./chatmail.ts";
import { ConfigError, type LoadedFile } from "./load.ts";
import { checked } from "./checked.ts";
import { OWN_TARGETS } from "./schema.ts";

export type LogLevel = "error" | "warn" | "info" | "debug" | "trace";

export interface LogConfig {
  readonly level: LogLevel;
  readonly format: "text" | "json";
  /**
   * Whether mail and network addresses are written down: to the log, and beside logins. They are,
   * unless there is a chatmail domain or the configuration says otherwise.
   */
  readonly addresses: boolean;
}

/** A certificate chain and its private key, both PEM files. */
export interface CertificateFiles {
  readonly certificateFile: string;
  readonly privateKeyFile: string;
}

/** Protocol, or "none", to its target, in the order in which they are tried. */
export type RoutesConfig = ReadonlyMap<string, RouteTarget>;

/** Certificates that are fetched and renewed. */
export interface AcmeConfig {
  readonly directory: string;
  readonly email: string;
  /** In lower case; each gets a certificate of its own. */
  readonly names: readonly string[];
  /** Whom to trust instead of the public authorities when speaking to the directory. */
  readonly caFile: string | undefined;
  /** How names can be validated here, the preferred way first; never empty. */
  readonly ways: readonly ChallengeWay[];
}

export interface ListenerConfig {
  readonly kind: ListenerKind;
  /** `host:port`, `[v6]:port` or `unix:/path`. */
  readonly address: string;
  /** For an alpn listener: where clients go; empty for the others. */
  readonly routes: RoutesConfig;
  /** Routes that hold instead for clients that ask for this name. */
  readonly namedRoutes: ReadonlyMap<string, RoutesConfig>;
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

/** The host that takes mail for all other hosts. */
export interface RelayConfig {
  readonly host: string;
  readonly port: number;
  readonly tls: "starttls" | "implicit" | "none";
  /** Whom to trust instead of the public authorities. */
  readonly caFile: string | undefined;
  readonly login: { readonly username: string; readonly passwordFile: string } | undefined;
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
    readonly acme: AcmeConfig | undefined;
  };
  readonly listeners: readonly ListenerConfig[];
  readonly allowPlaintext: boolean;
  /** Whether SCRAM with channel binding is announced. */
  readonly channelBinding: boolean;
  readonly unauthenticate: boolean;
  readonly oauth: OAuthConfig | undefined;
  readonly maxMessageBytes: number;
  /** Messages that one command touches, or puts into a mailbox (RFC 9738); 0: no limit. */
  readonly messageLimit: number;
  readonly saveLimit: number;
  readonly maxConnections: number;
  /** 0: no limit. */
  readonly maxConnectionsPerUser: number;
  readonly gate: GateConfig;
  /** How much each account may send; 0 messages a minute: no limit. */
  readonly sending: { readonly messagesPerMinute: number; readonly burst: number };
  readonly relay: RelayConfig | undefined;
  /** Quota of accounts without one of their own; null: no limit. */
  readonly defaultQuotaBytes: number | null;
  /** After how long messages in mailboxes for deleted mail are removed; undefined: never. */
  readonly trashAfterMs: number | undefined;
  /** Networks of reverse proxies whose word on clients of web pages counts. */
  readonly webProxies: readonly Network[];
  /** A domain where accounts make themselves. */
  readonly chatmail: ChatmailConfig | undefined;
}

/**
 * The effective configuration of a file that was checked. Relative file names in it are taken from
 * the folder that the file is in. Throws ConfigError where settings contradict each other.
 */
export function toConfig(loaded: LoadedFile): Config {
  const { file, content } = loaded;
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
  const listeners = content.listener.map((listener) => ({
    kind: listener.kind,
    address: listener.address,
    routes: readRoutes(listener.routes ?? {}),
    namedRoutes: new Map(
      Object.entries(listener.sni ?? {}).map(([name, { routes }]) => [name, readRoutes(routes)]),
    ),
    trustedProxies: (listener.proxy_protocol ?? []).map(parseNetwork),
    clientCertificates: listener.client_certificates ?? false,
  }));
  const chatmail = content.chatmail && toChatmail(content.chatmail, resolve);
  const defaultQuotaBytes = checked(parseQuotaBytes(content.quota.default));
  return {
    hostname: content.hostname ?? Deno.hostname(),
    dataDir: resolve(content.data_dir),
    log: { ...content.log, addresses: content.log.addresses ?? chatmail === undefined },
    tls: {
      certificates,
      minVersion: tls.min_version,
      acme: readAcme(loaded, listeners, resolve),
    },
    listeners,
    allowPlaintext: content.auth.allow_plaintext,
    channelBinding: content.auth.channel_binding,
    unauthenticate: content.auth.unauthenticate,
    oauth: content.auth.oauth && toOAuth(content.auth.oauth, resolve),
    maxMessageBytes: Math.min(
      checked(parseSizeBytes(content.limits.max_message_size)),
      chatmail?.maxMessageBytes ?? Infinity,
    ),
    messageLimit: content.limits.message_limit,
    saveLimit: content.limits.save_limit,
    maxConnections: content.limits.max_connections,
    maxConnectionsPerUser: content.limits.max_connections_per_user,
    gate: toGate(content.limits, chatmail !== undefined),
    sending: {
      messagesPerMinute: content.limits.messages_per_minute,
      burst: content.limits.messages_burst,
    },
    relay: content.relay && toRelay(content.relay, resolve),
    defaultQuotaBytes: defaultQuotaBytes ?? chatmail?.maxMailboxBytes ?? null,
    trashAfterMs: content.retention.trash === undefined
      ? undefined
      : parseDurationMs(content.retention.trash),
    webProxies: content.web.trusted_proxies.map(parseNetwork),
    chatmail,
  };
}

/**
 * The phones of a whole city may share one address of their carrier. On a chatmail host one address
 * is therefore held to a quarter of all connections, and what fails to log in is mostly phones whose
 * account was removed; passwords there are random.
 */
function toGate(limits: LoadedFile["content"]["limits"], isChatmail: boolean): GateConfig {
  const share = Math.ceil(limits.max_connections / 4);
  const defaults = isChatmail
    ? { open: share, perMinute: share, failures: 200, failuresPerDay: 5_000 }
    : { open: 30, perMinute: 300, failures: 10, failuresPerDay: 50 };
  return {
    openConnections: limits.connections_per_address ?? defaults.open,
    connectionsPerMinute: limits.connections_per_minute ?? defaults.perMinute,
    failuresPerMinute: limits.failed_logins_per_minute ?? defaults.failures,
    failuresPerDay: limits.failed_logins_per_day ?? defaults.failuresPerDay,
  };
}

function readRoutes(table: Readonly<Record<string, string>>): RoutesConfig {
  return new Map(
    Object.entries(table)
      .map(([protocol, target]) => [protocol, parseRouteTarget(target, OWN_TARGETS)]),
  );
}

function readAcme(
  { file, content, lines }: LoadedFile,
  listeners: readonly ListenerConfig[],
  resolve: (name: string) => string,
): AcmeConfig | undefined {
  const { acme } = content.tls;
  if (acme === undefined) return undefined;
  const ways: ChallengeWay[] = [];
  const leadsToAcme = (routes: RoutesConfig) => {
    const target = routes.get(ACME_PROTOCOL);
    return target?.kind === "own" && target.name === "acme";
  };
  if (
    listeners.some(({ routes, namedRoutes }) => [routes, ...namedRoutes.values()].some(leadsToAcme))
  ) {
    ways.push("tls-alpn-01");
  }
  if (listeners.some(({ kind }) => kind === "web")) ways.push("http-01");
  if (ways.length === 0) {
    throw new ConfigError(
      `${file}:${
        lines.lineOf(["tls", "acme"])
      }: tls.acme: expected an alpn listener with the route ` +
        `"${ACME_PROTOCOL}" = "acme", or a listener of kind "web", found neither`,
    );
  }
  return {
    directory: acme.directory,
    email: acme.email,
    names: [...new Set(acme.names)],
    caFile: acme.ca_file === undefined ? undefined : resolve(acme.ca_file),
    ways,
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

function toRelay(
  relay: NonNullable<LoadedFile["content"]["relay"]>,
  resolve: (name: string) => string,
): RelayConfig {
  const { host, port, tls, ca_file: caFile, username, password_file: passwordFile } = relay;
  return {
    host,
    port,
    tls: tls ?? (port === IMPLICIT_TLS_PORT ? "implicit" : "starttls"),
    caFile: caFile && resolve(caFile),
    login: username !== undefined && passwordFile !== undefined
      ? { username, passwordFile: resolve(passwordFile) }
      : undefined,
  };
}

/** Where submission is within TLS from the first octet (RFC 8314 3.3). */
const IMPLICIT_TLS_PORT = 465;
