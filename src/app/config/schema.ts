import * as z from "zod";
import {
  ACME_PROTOCOL,
  ANY_PROTOCOL,
  parseAddress,
  parseNetwork,
  parseRouteTarget,
} from "../../net/mod.ts";
import {
  DURATION_FORM,
  parseDurationMs,
  parseQuotaBytes,
  parseSizeBytes,
  QUOTA_FORM,
  SIZE_FORM,
} from "../../base/mod.ts";

/**
 * The configuration file's keys, as `postern.toml` spells them. Every object is strict: a key that
 * is not here is an error. Messages say what is expected; `load.ts` adds where and what was found.
 */

const ADDRESS_FORM =
  'an address, such as "0.0.0.0:993", "[::]:993", "localhost:143" or "unix:/run/postern/lmtp.sock"';
const NETWORK_FORM = 'a network or an address, such as "10.0.0.0/8" or "::1"';
const HOST_FORM = "a host name";
const DIRECTORY_FORM = "the https address of an ACME directory";
const EMAIL_FORM = "an e-mail address";
const FILE_FORM = "the name of a file";
const TARGET_FORM =
  '"imap", "submission", "web", "acme", "tcp://host:port" or "tls://host:port", ' +
  'the last two with "?proxy=v2" where the target wants a PROXY header';
const SNI_FORM = 'a host name in lower case, such as "mail.example.org" or "*.example.org"';
const SNI_NAME = /^(?=.{1,253}$)(\*\.)?[a-z0-9_]([\w-]*[a-z0-9])?(\.[a-z0-9]([\w-]*[a-z0-9])?)*$/;

const URI_FORM = 'a URI, such as "mailto:admin@example.org"';
const JSON_FORM = "JSON on one line";
const PUSH_FORM = 'the https address of a push service, or "none"';
const ISSUER_FORM = 'the https address of an OpenID issuer, such as "https://id.example.org"';

/** Tokens and keys must not travel in clear, other than within this host. */
function isIssuer(text: string): boolean {
  const { protocol, hostname, search, hash } = URL.parse(text) ?? {};
  if (search || hash) return false;
  return protocol === "https:" ||
    (protocol === "http:" && ["127.0.0.1", "[::1]", "localhost"].includes(hostname ?? ""));
}

const hostName = z.string(HOST_FORM).regex(
  /^(?=.{1,253}$)[A-Za-z0-9_]([\w-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([\w-]{0,61}[A-Za-z0-9])?)*$/,
  HOST_FORM,
);
const fileName = z.string(FILE_FORM).min(1, FILE_FORM);
const duration = z.string(DURATION_FORM).refine(
  (text) => parseDurationMs(text) !== undefined,
  DURATION_FORM,
);
const flag = z.boolean("true or false");
const address = z.string(ADDRESS_FORM).refine((text) => reads(parseAddress, text), ADDRESS_FORM);
const network = z.string(NETWORK_FORM).refine((text) => reads(parseNetwork, text), NETWORK_FORM);

/** The protocols of its own that an alpn listener can route to. */
export const OWN_TARGETS = ["imap", "submission", "web", "acme"] as const;

function count(minimum: number, maximum: number, what: string) {
  const message = `${what} from ${minimum} to ${maximum}`;
  return z.int(message).min(minimum, message).max(maximum, message);
}

function choice<const Choices extends readonly [string, ...string[]]>(choices: Choices) {
  const named = choices.map((name) => `"${name}"`);
  return z.enum(choices, `${named.slice(0, -1).join(", ")} or ${named.at(-1)}`);
}

function strict<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, { error: (issue) => wrongType(issue.code, "a table") });
}

/** Leaves messages about unknown keys to `load.ts`, which knows the key's own line. */
function wrongType(code: string | undefined, expected: string): string | undefined {
  return code === "invalid_type" ? expected : undefined;
}

function reads(parse: (text: string) => unknown, text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}

const certificate = {
  certificate_file: fileName.describe("PEM file with the certificate and those that signed it"),
  private_key_file: fileName.describe("PEM file with its key"),
};

const acmeName = hostName.refine(
  (name) => !reads(parseNetwork, name),
  "a host name, as certificates are not fetched for addresses",
).transform((name) => name.toLowerCase());

const routeTarget = z.string(TARGET_FORM).refine(
  (text) => reads((target) => parseRouteTarget(target, OWN_TARGETS), text),
  TARGET_FORM,
);

/** Protocol, `none` or `*`, to where it goes. */
const routes = z.record(z.string(), routeTarget, "a table of protocols")
  .superRefine((table, context) => {
    for (const [protocol, target] of Object.entries(table)) {
      const expected = routeProblem(protocol, target);
      if (expected !== undefined) {
        context.addIssue({ code: "custom", path: [protocol], message: expected });
      }
    }
  });

const namedRoutes = z.record(z.string(), strict({ routes }), "a table of host names")
  .superRefine((table, context) => {
    for (const name of Object.keys(table).filter((key) => !SNI_NAME.test(key))) {
      context.addIssue({ code: "custom", path: [name], message: SNI_FORM });
    }
  });

const listener = strict({
  kind: choice([
    "imap",
    "imaps",
    "alpn",
    "lmtp",
    "submission",
    "submissions",
    "web",
    "metrics",
  ]).describe(
    "what is spoken: `imap` (STARTTLS), `imaps`, `alpn` (one TLS port for everything), `lmtp`, `submission` (STARTTLS), `submissions`, `web` (HTTP in clear, behind a proxy) or `metrics`",
  ),
  address: address.describe(
    "`host:port`, `[v6]:port` (`[::]` takes IPv4 too) or `unix:/path`; port 0 picks a free one",
  ),
  client_certificates: flag.optional().describe(
    "asks TLS clients for a certificate, by whose key they can log in; false unless given",
  ),
  proxy_protocol: z.array(network, "a list of networks").optional().describe(
    "networks whose peers must send a PROXY header (version 1 or 2)",
  ),
  routes: routes.optional().describe(
    "of an `alpn` listener: protocol that the client offers, `none` or `*`, to its target",
  ),
  sni: namedRoutes.optional().describe(
    "of an `alpn` listener: routes for clients that ask for a host name, instead of the others",
  ),
}).superRefine((value, context) => {
  const refuse = (key: string, message: string) =>
    context.addIssue({ code: "custom", path: [key], message });
  if (value.kind === "alpn" && value.routes === undefined) {
    refuse("routes", 'a table [listener.routes] of an alpn listener, such as imap = "imap"');
  }
  if (value.kind !== "alpn") {
    for (const key of ["routes", "sni"] as const) {
      if (value[key] !== undefined) refuse(key, `no routes on a listener of kind "${value.kind}"`);
    }
  }
});

/** What should stand in place of a target that would break the protocol's rules. */
function routeProblem(protocol: string, text: string): string | undefined {
  if (!/^[\x21-\x7e]{1,255}$/.test(protocol)) {
    return "a protocol's name of 1 to 255 printable characters";
  }
  if (!reads((target) => parseRouteTarget(target, OWN_TARGETS), text)) return undefined;
  const { kind, ...target } = parseRouteTarget(text, OWN_TARGETS);
  const own = "name" in target ? target.name : undefined;
  if (protocol === ANY_PROTOCOL && kind !== "tls") {
    return '"tls://host:port", as only TLS that is passed through can be of any protocol';
  }
  // RFC 8737 4: the protocol is for validation and nothing else.
  if (protocol === ACME_PROTOCOL && own !== "acme" && kind !== "tls") {
    return '"acme" or "tls://host:port", as this protocol only validates certificates';
  }
  if (protocol !== ACME_PROTOCOL && own === "acme") {
    return `another target, as "acme" is for "${ACME_PROTOCOL}" only`;
  }
  if (protocol === "h2" && own === "web") {
    return '"tcp://host:port" or "tls://host:port", as the web pages speak HTTP/1.1';
  }
  return undefined;
}

const oauth = strict({
  issuer: z.string(ISSUER_FORM).refine(isIssuer, ISSUER_FORM).describe(
    "the OpenID issuer whose access tokens log in",
  ),
  audience: z.string("a text").min(1, "a text").describe("whom tokens must be meant for"),
  username_claim: z.string("the name of a claim").min(1, "the name of a claim").default("email")
    .describe("the claim that has the address of the account"),
  scope: z.string("the name of a scope").regex(/^[!#-[\]-~]+$/, "the name of one scope").optional()
    .describe("a scope that tokens must have"),
  client_id: z.string("a text").min(1, "a text").optional().describe(
    "as whom the issuer is asked about tokens that say nothing themselves",
  ),
  client_secret_file: fileName.optional().describe(
    "a file with the secret for that, on its first line",
  ),
}).superRefine(({ client_id, client_secret_file }, context) => {
  if ((client_id === undefined) === (client_secret_file === undefined)) return;
  const path = [client_id === undefined ? "client_id" : "client_secret_file"];
  context.addIssue({ code: "custom", path, message: "both client_id and client_secret_file" });
});

const size = z.string(SIZE_FORM).refine((text) => (parseSizeBytes(text) ?? 0) > 0, SIZE_FORM);
/** After how long something is deleted: never at once. */
const age = duration.refine((text) => parseDurationMs(text) !== 0, DURATION_FORM);

const PASSTHROUGH_FORM = 'an address or a domain, such as "help@example.org" or "@example.org"';
const passthrough = z.string(PASSTHROUGH_FORM).regex(/^[^\s@]*@[^\s@]+$/, PASSTHROUGH_FORM);
const FIELD_FORM = 'the name of a header field, such as "Received"';
/** Of these, clients and people would miss the message itself. */
const KEPT_FIELDS =
  /^(?:from|to|cc|date|message-id|mime-version|content-.*|secure-join.*|chat-.*)$/i;
const fieldName = z.string(FIELD_FORM).regex(/^[!-9;-~]{1,100}$/, FIELD_FORM)
  .refine((name) => !KEPT_FIELDS.test(name), "a header field that no message needs");

/** A domain where accounts make themselves; the defaults are those of chatmail relays. */
const chatmail = strict({
  domain: hostName.describe("the domain where accounts make themselves"),
  registration: choice(["open", "invite", "closed"]).default("open").describe(
    "`open`; `invite`: with a token; `closed`: nobody new",
  ),
  invite_tokens_file: fileName.optional().describe(
    "a file with a token on each line, read at each use",
  ),
  username_min_length: count(1, 64, "a number").default(9).describe("shortest name before the `@`"),
  username_max_length: count(1, 64, "a number").default(9).describe("longest name before the `@`"),
  password_min_length: count(8, 100, "a number").default(9).describe("shortest password"),
  max_mailbox_size: size.default("500M").describe(
    "quota of each account; over 75 % the oldest mail goes",
  ),
  max_message_size: size.default("30M").describe("largest message"),
  delete_mails_after: age.default("20d").describe("age at which mail is deleted"),
  delete_large_after: age.default("7d").describe("the same for messages over 200 KB"),
  delete_inactive_users_after: age.default("90d").describe(
    "after how long without a login an account is removed",
  ),
  min_available_memory: z.string(SIZE_FORM).refine(
    (text) => parseSizeBytes(text) !== undefined,
    SIZE_FORM,
  ).default("200M").describe("with less, no accounts are made"),
  min_free_disk_space: z.string(SIZE_FORM).refine(
    (text) => parseSizeBytes(text) !== undefined,
    SIZE_FORM,
  ).default("1G").describe("with less, no accounts are made"),
  require_encryption: flag.default(false).describe(
    "takes and sends nothing but encrypted mail and what sets encryption up",
  ),
  passthrough_senders: z.array(passthrough, "a list of addresses").default([]).describe(
    "addresses and `@domain`s that may send unencrypted mail",
  ),
  passthrough_recipients: z.array(passthrough, "a list of addresses").default([]).describe(
    "addresses and `@domain`s that unencrypted mail may go to",
  ),
  strip_incoming: z.array(fieldName, "a list of header fields").default([
    "DKIM-Signature",
    "Authentication-Results",
    "Received",
  ]).describe("header fields that are taken out of mail from other hosts"),
  admin: z.string(URI_FORM).regex(/^[a-z][a-z0-9+.-]*:[!-~]+$/i, URI_FORM).optional().describe(
    "how to reach the admin, told to clients: a URI",
  ),
  iroh_relay: z.url({ protocol: /^https?$/, error: URI_FORM }).optional().describe(
    "the address of an Iroh relay, told to clients",
  ),
  turn_host: hostName.optional().describe(
    "the TURN server for calls, told to clients with a password",
  ),
  turn_port: count(1, 65_535, "a port").default(3478).describe("its port"),
  turn_secret_file: fileName.optional().describe(
    "a file with the secret that it shares with this host",
  ),
  app_versions: z.string(JSON_FORM).refine(
    (text) => /^[ -~]+$/.test(text) && reads(JSON.parse, text),
    JSON_FORM,
  ).optional().describe("told to clients as it is: JSON on one line"),
  push_url: z.string(PUSH_FORM).refine(
    (text) => text === "none" || isIssuer(text),
    PUSH_FORM,
  ).default("https://notifications.delta.chat/notify").describe(
    "whom to tell that a device should be woken up; `none`: nobody",
  ),
}).superRefine((value, context) => {
  const refuse = (key: string, message: string) =>
    context.addIssue({ code: "custom", path: [key], message });
  if ((value.turn_host === undefined) !== (value.turn_secret_file === undefined)) {
    refuse(
      value.turn_host === undefined ? "turn_host" : "turn_secret_file",
      "both turn_host and turn_secret_file",
    );
  }
  if (value.username_max_length < value.username_min_length) {
    refuse("username_max_length", "at least username_min_length");
  }
  if ((value.registration === "invite") !== (value.invite_tokens_file !== undefined)) {
    refuse(
      "registration",
      value.registration === "invite"
        ? "invite_tokens_file beside it, with a token on each line"
        : '"invite", since there is an invite_tokens_file',
    );
  }
});

/** The whole file. What is left out has the default given here. */
export const configSchema = strict({
  hostname: hostName.optional().describe(
    "name of this host: greeting, Received lines, certificate; the machine's name unless given",
  ),
  data_dir: fileName.default("/var/lib/postern").describe("where mail and everything else is kept"),
  log: strict({
    level: choice(["error", "warn", "info", "debug", "trace"]).default("info").describe(
      "`error`, `warn`, `info`, `debug` or `trace`; taken over on SIGHUP",
    ),
    format: choice(["text", "json"]).default("text").describe(
      "`text`, or `json` for collectors; logs go to stderr",
    ),
    addresses: flag.optional().describe(
      "whether mail and network addresses are written down; true, but false with `[chatmail]`",
    ),
  }).prefault({}),
  tls: strict({
    certificate_file: fileName.optional().describe(
      "PEM file with the certificate and those that signed it",
    ),
    private_key_file: fileName.optional().describe("PEM file with its key"),
    min_version: choice(["1.2", "1.3"]).default("1.2").describe(
      "oldest TLS version: `1.2` or `1.3`",
    ),
    certificate: z.array(strict(certificate), "an array of tables").default([]).describe(
      "more certificates, chosen by the name that the client asks for",
    ),
    acme: strict({
      // RFC 8555 6.1: nothing but HTTPS.
      directory: z.url({ protocol: /^https$/, error: DIRECTORY_FORM }).describe(
        "where to fetch certificates: an ACME directory, whose terms you agree to",
      ),
      email: z.string(EMAIL_FORM).regex(/^[^\s@]+@[^\s@]+$/, EMAIL_FORM).describe(
        "whom the authority may write to",
      ),
      names: z.array(acmeName, "a list of host names").min(1, "at least one host name").describe(
        "host names, each with a certificate of its own",
      ),
      ca_file: fileName.optional().describe(
        "PEM file of whom to trust for a directory of your own",
      ),
    }).optional(),
  }).superRefine((value, context) => {
    const { certificate_file, private_key_file } = value;
    if ((certificate_file === undefined) === (private_key_file === undefined)) return;
    const path = [certificate_file === undefined ? "certificate_file" : "private_key_file"];
    context.addIssue({
      code: "custom",
      path,
      message: "both the certificate's and the key's file",
    });
  }).prefault({}),
  listener: z.array(listener, "an array of tables, [[listener]]").default([]),
  auth: strict({
    allow_plaintext: flag.default(false).describe("takes passwords without TLS"),
    channel_binding: flag.default(true).describe("offers SCRAM-…-PLUS"),
    unauthenticate: flag.default(true).describe("offers UNAUTHENTICATE"),
    oauth: oauth.optional(),
  }).prefault({}),
  limits: strict({
    max_message_size: z.string(SIZE_FORM).refine(
      (text) => (parseSizeBytes(text) ?? 0) > 0,
      SIZE_FORM,
    ).default("50M").describe("largest message that is taken"),
    max_connections: count(1, 1_000_000, "a number").default(20_000).describe(
      "connections at a time, all together",
    ),
    max_connections_per_user: count(0, 1_000_000, "a number").default(0).describe(
      "sessions of one account at a time; 0: any number",
    ),
    message_limit: count(0, 4_294_967_295, "a number").default(0).describe(
      "messages that one command touches (MESSAGELIMIT); 0: any number",
    ),
    save_limit: count(0, 4_294_967_295, "a number").default(0).describe(
      "messages that one APPEND or COPY stores (SAVELIMIT); 0: any number",
    ),
    // Left out, these depend on what the host is for: see `config.ts`.
    connections_per_address: count(0, 1_000_000, "a number").optional().describe(
      "from one address at a time; 30, with `[chatmail]` a quarter of all",
    ),
    connections_per_minute: count(0, 1_000_000, "a number").optional().describe(
      "from one address; 300, with `[chatmail]` a quarter of all",
    ),
    failed_logins_per_minute: count(0, 1_000_000, "a number").optional().describe(
      "from one address; 10, with `[chatmail]` 200",
    ),
    failed_logins_per_day: count(0, 1_000_000, "a number").optional().describe(
      "from one address; 50, with `[chatmail]` 5,000",
    ),
    messages_per_minute: count(0, 60_000, "a number").default(60).describe(
      "that an account may send; 0: any number",
    ),
    messages_burst: count(1, 60_000, "a number").default(10).describe("of these at once"),
  }).prefault({}),
  quota: strict({
    default: z.string(QUOTA_FORM).refine(
      (text) => parseQuotaBytes(text) !== undefined,
      QUOTA_FORM,
    ).default("none").describe("of accounts without a quota of their own: a size, or `none`"),
  }).prefault({}),
  retention: strict({
    trash: age.optional().describe(
      "age at which messages in Trash are deleted, by the day they came there; never unless given",
    ),
  }).prefault({}),
  web: strict({
    trusted_proxies: z.array(network, "a list of networks").default([]).describe(
      "networks of reverse proxies in front of the web pages: what they say in `X-Forwarded-For` " +
        "and `X-Forwarded-Proto` is believed",
    ),
  }).prefault({}),
  relay: strict({
    host: hostName.describe("takes mail for other hosts; without `[relay]` such mail is refused"),
    port: count(1, 65_535, "a port").default(587).describe("its port"),
    tls: choice(["starttls", "implicit", "none"]).optional().describe(
      "`starttls`, `implicit` (unless given, on port 465) or `none`",
    ),
    ca_file: fileName.optional().describe(
      "PEM file of whom to trust instead of the public authorities",
    ),
    username: z.string("a user name").optional().describe("whom to log in as"),
    password_file: fileName.optional().describe("a file with the password, on its first line"),
  }).superRefine(({ username, password_file, tls }, context) => {
    if ((username === undefined) !== (password_file === undefined)) {
      context.addIssue({
        code: "custom",
        path: [username === undefined ? "username" : "password_file"],
        message: "both the user name and the password's file",
      });
    } else if (tls === "none" && username !== undefined) {
      context.addIssue({
        code: "custom",
        path: ["tls"],
        message: '"starttls" or "implicit", as the password is not sent in clear',
      });
    }
  }).optional(),
  chatmail: chatmail.optional(),
});

/** The file's content, checked and with defaults filled in; values are still as written. */
export type ConfigFile = z.output<typeof configSchema>;
