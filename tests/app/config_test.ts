import assert from "node:assert/strict";
import fc from "fast-check";
import { stringify } from "smol-toml";
import { toConfig } from "../../src/app/config/config.ts";
import { KeyLines } from "../../src/app/config/key_lines.ts";
import { ConfigError, parseConfig } from "../../src/app/config/load.ts";
import { parseDurationMs, parseQuotaBytes, parseSizeBytes, writeSize } from "../../src/base/mod.ts";
import { maskedContent, writeConfig } from "../../src/app/config/show.ts";

/** Every key that spec/interface.md has. */
const EVERY_KEY = `
hostname = "mail.example.org"
data_dir = "/var/lib/postern"
[log]
level = "info"
format = "text"
[tls]
certificate_file = "/etc/postern/fullchain.pem"
private_key_file = "privkey.pem"
min_version = "1.2"
[[tls.certificate]]
certificate_file = "other.pem"
private_key_file = "/other.key"
[tls.acme]
directory = "https://acme-v02.api.letsencrypt.org/directory"
email = "admin@example.org"
names = ["mail.example.org"]
[[listener]]
kind = "imap"
address = "0.0.0.0:143"
[[listener]]
kind = "imaps"
address = "[::]:993"
client_certificates = true
[[listener]]
kind = "alpn"
address = "0.0.0.0:443"
proxy_protocol = ["10.0.0.0/8"]
[listener.routes]
imap = "imap"
smtp = "submission"
"http/1.1" = "tcp://127.0.0.1:8080"
"acme-tls/1" = "acme"
none = "web"
[[listener]]
kind = "lmtp"
address = "unix:/run/postern/lmtp.sock"
[[listener]]
kind = "submissions"
address = "0.0.0.0:465"
[[listener]]
kind = "metrics"
address = "127.0.0.1:9143"
[auth]
allow_plaintext = false
channel_binding = true
unauthenticate = true
[auth.oauth]
issuer = "https://id.example.org"
audience = "mail"
username_claim = "email"
scope = "mail"
client_id = "postern"
client_secret_file = "oauth.secret"
[limits]
connections_per_address = 30
connections_per_minute = 300
failed_logins_per_minute = 10
failed_logins_per_day = 50
max_message_size = "50M"
max_connections = 20000
max_connections_per_user = 50
message_limit = 10000
save_limit = 1000
[quota]
default = "none"
[retention]
trash = "30d"
[web]
trusted_proxies = ["10.0.0.0/8", "::1"]
[relay]
host = "smtp.example.net"
port = 587
username = "mailer"
password_file = "/etc/postern/relay.password"
[chatmail]
domain = "chat.example.org"
registration = "invite"
invite_tokens_file = "tokens"
username_min_length = 8
username_max_length = 20
password_min_length = 12
max_mailbox_size = "100M"
max_message_size = "60M"
delete_mails_after = "10d"
delete_large_after = "3d"
delete_inactive_users_after = "60d"
min_available_memory = "100M"
min_free_disk_space = "2G"
require_encryption = true
admin = "mailto:admin@example.org"
iroh_relay = "https://iroh.example.org/"
turn_host = "turn.example.org"
turn_port = 3479
turn_secret_file = "turn.secret"
app_versions = '{"ios":"1.2"}'
push_url = "none"
`;

/** The lines of the complaint about `text` as p.toml. */
function complaints(text: string): string[] {
  try {
    parseConfig(text, "p.toml");
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message.split("\n");
  }
  return [];
}

Deno.test("every key of the interface is accepted and read", () => {
  const config = toConfig(parseConfig(EVERY_KEY, "/etc/postern/p.toml"));
  assert.equal(config.hostname, "mail.example.org");
  assert.deepEqual(config.tls.certificates, [
    { certificateFile: "/etc/postern/fullchain.pem", privateKeyFile: "/etc/postern/privkey.pem" },
    { certificateFile: "/etc/postern/other.pem", privateKeyFile: "/other.key" },
  ]);
  assert.equal(config.maxMessageBytes, 50 * 1024 * 1024);
  assert.equal(config.defaultQuotaBytes, 100 * 1024 ** 2);
  assert.deepEqual(config.listeners.map(({ kind }) => kind), [
    ...["imap", "imaps", "alpn", "lmtp", "submissions", "metrics"],
  ]);
  assert.deepEqual(config.listeners[1]?.address, "[::]:993");
  assert.deepEqual(config.listeners[2]?.routes.get("http/1.1"), {
    kind: "tcp",
    host: "127.0.0.1",
    port: 8080,
    proxyHeader: false,
  });
  assert.deepEqual(config.tls.acme?.ways, ["tls-alpn-01"]);
});

const ALPN = '[[listener]]\nkind = "alpn"\naddress = "[::]:443"\n';

Deno.test("routes may be given for a name, and keep the order of the file", () => {
  const config = toConfig(parseConfig(
    `${ALPN}[listener.routes]
imap = "imap"
"http/1.1" = "web"
[listener.sni."files.example.org".routes]
"*" = "tls://10.0.0.5:443?proxy=v2"
[listener.sni."*.example.net".routes]
h2 = "tcp://127.0.0.1:8080"
none = "tls://[::1]:993"
`,
    "p.toml",
  ));
  const [listener] = config.listeners;
  assert.deepEqual([...listener?.routes.keys() ?? []], ["imap", "http/1.1"]);
  const named = [...listener?.namedRoutes ?? []]
    .map(([name, routes]) => [name, Object.fromEntries(routes)]);
  assert.deepEqual(named, [
    [
      "files.example.org",
      { "*": { kind: "tls", host: "10.0.0.5", port: 443, proxyHeader: true } },
    ],
    ["*.example.net", {
      h2: { kind: "tcp", host: "127.0.0.1", port: 8080, proxyHeader: false },
      none: { kind: "tls", host: "::1", port: 993, proxyHeader: false },
    }],
  ]);
});

Deno.test("a route that cannot work names its line and what could", () => {
  const routes = `${ALPN}[listener.routes]\n`;
  const target = /^p\.toml:5: listener\[0\]\.routes\.\S+: expected "imap", "submission", .* found /;
  for (
    const wrong of [
      "tcp://host",
      "udp://h:1",
      "tls://h:70000",
      "tls://h:1?proxy=v3",
      "unix:/x",
      "IMAP",
    ]
  ) {
    const [line = "", ...more] = complaints(`${routes}x = "${wrong}"\n`);
    assert.match(line, target);
    assert.deepEqual(more, []);
  }
  const cases = [
    ['"*" = "tcp://h:1"', 'expected "tls://host:port", as only TLS that is passed through'],
    ['"*" = "imap"', 'expected "tls://host:port"'],
    [
      '"acme-tls/1" = "web"',
      'expected "acme" or "tls://host:port", as this protocol only validates',
    ],
    ['imap = "acme"', 'expected another target, as "acme" is for "acme-tls/1" only'],
    ['none = "acme"', "expected another target"],
    ['h2 = "web"', "as the web pages speak HTTP/1.1"],
    ['"a b" = "web"', "expected a protocol's name of 1 to 255 printable characters"],
  ];
  for (const [route, expected] of cases) {
    const [line = ""] = complaints(`${routes}${route}\n`);
    assert.ok(line.startsWith("p.toml:5: listener[0].routes."), line);
    assert.ok(line.includes(expected ?? ""), line);
  }
  assert.match(
    complaints(`${routes}[listener.sni."Mail.example.org".routes]\nimap = "imap"\n`)[0] ?? "",
    /^p\.toml:5: listener\[0\]\.sni\."Mail\.example\.org": expected a host name in lower case/,
  );
  assert.match(
    complaints(`${routes}[listener.sni."a.example.org".route]\nimap = "imap"\n`).join(),
    /p\.toml:5: listener\[0\]\.sni\."a\.example\.org"\.route: unknown key; did you mean "routes"\?/,
  );
  assert.match(
    complaints('[[listener]]\nkind = "imaps"\naddress = "[::]:993"\n[listener.sni]\n')[0] ?? "",
    /sni: expected no routes on a listener of kind "imaps"/,
  );
});

const ACME = `[tls.acme]
directory = "https://acme.example/dir"
email = "a@example.org"
names = ["Mail.example.org", "mail.example.org", "b.example.org"]
`;

Deno.test("fetching certificates needs a way to be validated, and names that can be", () => {
  const acme = (toml: string) => toConfig(parseConfig(toml, "/etc/p.toml")).tls.acme;
  const routed = `${ALPN}[listener.routes]\n"acme-tls/1" = "acme"\n`;
  const web = '[[listener]]\nkind = "web"\naddress = "0.0.0.0:80"\n';
  assert.deepEqual(acme(`${ACME}${routed}${web}`), {
    directory: "https://acme.example/dir",
    email: "a@example.org",
    names: ["mail.example.org", "b.example.org"],
    caFile: undefined,
    ways: ["tls-alpn-01", "http-01"],
  });
  assert.deepEqual(acme(`${ACME}ca_file = "ca.pem"\n${web}`)?.ways, ["http-01"]);
  assert.equal(acme(`${ACME}ca_file = "ca.pem"\n${web}`)?.caFile, "/etc/ca.pem");
  assert.throws(
    () => acme(`${ACME}${ALPN}[listener.routes]\nimap = "imap"\n`),
    /^ConfigError: \/etc\/p\.toml:1: tls\.acme: expected an alpn listener with the route "acme-tls\/1" = "acme", or a listener of kind "web", found neither$/,
  );
  const wrong = (from: string | RegExp, to: string) => complaints(ACME.replace(from, to)).join();
  assert.match(wrong("https:", "http:"), /:2: tls\.acme\.directory: expected the https address/);
  assert.match(
    wrong("b.example.org", "*.example.org"),
    /:4: tls\.acme\.names\[2\]: expected a host/,
  );
  assert.match(wrong("b.example.org", "192.0.2.1"), /not fetched for addresses, found "192/);
  assert.match(wrong(/names.*/, "names = []"), /expected at least one host name/);
});

Deno.test("an empty file is a configuration of defaults", () => {
  const config = toConfig(parseConfig("", "/etc/postern.toml"));
  assert.equal(config.hostname, Deno.hostname());
  assert.equal(config.dataDir, "/var/lib/postern");
  assert.equal(config.maxConnections, 20_000);
  assert.equal(config.allowPlaintext, false);
  assert.deepEqual(config.listeners, []);
});

Deno.test("relative file names are taken from the folder of the configuration file", () => {
  const data = (file: string) => toConfig(parseConfig('data_dir = "data"', file)).dataDir;
  assert.equal(data("/srv/mail/postern.toml"), "/srv/mail/data");
  assert.equal(data("postern.toml"), "data");
});

Deno.test("an unknown key in any table is an error with its line", () => {
  const withEach = EVERY_KEY.split("\n").flatMap((line, i, lines) =>
    line.startsWith("[") && line !== "[listener.routes]"
      ? [{
        text: [...lines.slice(0, i + 1), "zzz = 1", ...lines.slice(i + 1)].join("\n"),
        at: i + 2,
      }]
      : []
  );
  assert.ok(withEach.length > 14);
  for (const { text, at } of withEach) {
    const [complaint, ...more] = complaints(text);
    assert.match(complaint ?? "", new RegExp(`^p\\.toml:${at}: [\\w.[\\]]*\\bzzz: unknown key$`));
    assert.deepEqual(more, []);
  }
});

Deno.test("a key that is spelt almost right is told the right one", () => {
  assert.deepEqual(complaints('hostnme = "a"'), [
    'p.toml:1: hostnme: unknown key; did you mean "hostname"?',
  ]);
  assert.deepEqual(complaints('[[listener]]\nkind = "imap"\naddress = "a:1"\nadress = "a:1"'), [
    'p.toml:4: listener[0].adress: unknown key; did you mean "address"?',
  ]);
  assert.deepEqual(complaints("[limits]\nmax_message_siz = 1"), [
    'p.toml:2: limits.max_message_siz: unknown key; did you mean "max_message_size"?',
  ]);
});

Deno.test("a wrong value names file, line, key, what was expected and what was found", () => {
  const wrong: [string, string][] = [
    ["data_dir = 5", "p.toml:1: data_dir: expected the name of a file, found 5"],
    ['hostname = "a b"', 'p.toml:1: hostname: expected a host name, found "a b"'],
    [
      '\n[log]\nlevel = "loud"',
      'p.toml:3: log.level: expected "error", "warn", "info", "debug" or "trace", found "loud"',
    ],
    [
      "[limits]\nmax_message_size = 50",
      "p.toml:2: limits.max_message_size: expected a size with a unit, " +
      'such as "500K", "50M" or "2G", found 50',
    ],
    [
      "[limits]\nmax_connections = 0",
      "p.toml:2: limits.max_connections: expected a number from 1 to 1000000, found 0",
    ],
    [
      "[limits]\nmax_connections = 1.5",
      "p.toml:2: limits.max_connections: expected a number from 1 to 1000000, found 1.5",
    ],
    [
      '[retention]\ntrash = "30"',
      "p.toml:2: retention.trash: expected a duration with a unit, " +
      'such as "30s", "5m", "12h" or "20d", found "30"',
    ],
    [
      "[auth]\nallow_plaintext = 1",
      "p.toml:2: auth.allow_plaintext: expected true or false, found 1",
    ],
    ["[[relay]]", "p.toml:1: relay: expected a table, found [{}]"],
    ["quota = 1", "p.toml:1: quota: expected a table, found 1"],
    [
      '[tls]\ncertificate_file = "a"',
      "p.toml:1: tls.private_key_file: expected both the certificate's and the key's file, found nothing",
    ],
    [
      '[relay]\nhost = "a"\nusername = "u"',
      "p.toml:1: relay.password_file: expected both the user name and the password's file, found nothing",
    ],
    [
      '[relay]\nhost = "a"\ntls = "none"\nusername = "u"\npassword_file = "f"',
      'p.toml:3: relay.tls: expected "starttls" or "implicit", as the password is not sent in clear, found "none"',
    ],
    ["[relay]\nport = 25", "p.toml:1: relay.host: expected a host name, found nothing"],
    [
      '[[listener]]\nkind = "imap"\naddress = "x:1"\n[listener.routes]\nimap = "imap"',
      'p.toml:4: listener[0].routes: expected no routes on a listener of kind "imap", ' +
      'found {"imap":"imap"}',
    ],
  ];
  for (const [text, complaint] of wrong) assert.deepEqual(complaints(text), [complaint]);
});

Deno.test("all problems are told at once, in the order of their lines", () => {
  const text = '[[listener]]\nkind = "x"\naddress = "y"\n[limits]\nmax_connections = "z"\n';
  assert.deepEqual(complaints(text).map((line) => line.split(" ")[0]), [
    ...["p.toml:2:", "p.toml:3:", "p.toml:5:"],
  ]);
});

Deno.test("a chatmail domain has the limits of its kind unless they are given", () => {
  const read = (text: string) => toConfig(parseConfig(`data_dir = "/d"\n${text}`, "/a/p.toml"));
  const { chatmail, ...config } = read('[chatmail]\ndomain = "Chat.Example.org"');
  const day = 86_400_000;
  assert.deepEqual(chatmail, {
    domain: "chat.example.org",
    registration: "open",
    inviteTokensFile: undefined,
    usernameMinLength: 9,
    usernameMaxLength: 9,
    passwordMinLength: 9,
    maxMailboxBytes: 500 * 1024 ** 2,
    maxMessageBytes: 31_457_280,
    deleteMailsAfterMs: 20 * day,
    deleteLargeAfterMs: 7 * day,
    deleteInactiveAfterMs: 90 * day,
    minAvailableMemoryBytes: 200 * 1024 ** 2,
    minFreeDiskBytes: 1024 ** 3,
    requiresEncryption: false,
    passthroughSenders: [],
    passthroughRecipients: [],
    removedFields: ["DKIM-Signature", "Authentication-Results", "Received"],
    admin: undefined,
    irohRelay: undefined,
    turn: undefined,
    appVersions: undefined,
    pushUrl: "https://notifications.delta.chat/notify",
  });
  assert.equal(config.maxMessageBytes, 31_457_280);
  assert.equal(config.defaultQuotaBytes, 500 * 1024 ** 2);
  assert.equal(config.log.addresses, false);
  assert.deepEqual(config.sending, { messagesPerMinute: 60, burst: 10 });
  assert.deepEqual(config.gate, {
    openConnections: 5_000,
    connectionsPerMinute: 5_000,
    failuresPerMinute: 200,
    failuresPerDay: 5_000,
  });
  const { gate } = read('[chatmail]\ndomain = "a"\n[limits]\nconnections_per_address = 0');
  assert.equal(gate.openConnections, 0, "what is given holds");
  assert.equal(read("").gate.openConnections, 30);
  assert.equal(read("").log.addresses, true);
  const given = read(EVERY_KEY.slice(EVERY_KEY.indexOf("[chatmail]")));
  assert.equal(given.chatmail?.inviteTokensFile, "/a/tokens");
  assert.equal(given.chatmail?.deleteLargeAfterMs, 3 * day);
  const lists = read(
    '[chatmail]\ndomain = "a"\npassthrough_senders = ["News@A"]\nstrip_incoming = []\n' +
      'passthrough_recipients = ["@Partner.example"]',
  ).chatmail;
  assert.deepEqual(lists?.passthroughSenders, ["news@a"]);
  assert.deepEqual(lists?.passthroughRecipients, ["@partner.example"]);
  assert.deepEqual(lists?.removedFields, []);
  const wrong = [
    ...['passthrough_senders = ["news"]', 'strip_incoming = ["From"]', 'strip_incoming = ["a b"]'],
    ...["username_max_length = 5", 'registration = "invite"', 'invite_tokens_file = "t"'],
  ];
  for (const line of wrong) {
    assert.equal(complaints(`[chatmail]\ndomain = "a"\n${line}`).length, 1, line);
  }
});

Deno.test("what is not TOML names its line", () => {
  assert.match(complaints('hostname = "a"\nlog = [').join(), /^p\.toml:2: not valid TOML: \w/);
  assert.match(complaints("a = 1\na = 2").join(), /^p\.toml:2: not valid TOML: \w/);
});

Deno.test("what config show prints is a configuration of the same meaning, without secrets", () => {
  const loaded = parseConfig(EVERY_KEY, "/a/p.toml");
  const shown = writeConfig(loaded);
  assert.ok(!shown.includes("mailer"));
  assert.ok(shown.includes("relay.password"), "the name of a file is no secret");
  const again = parseConfig(shown, "/a/p.toml");
  const whole = parseConfig(shown.replace('"(hidden)"', '"mailer"'), "/a/p.toml");
  assert.deepEqual(toConfig(whole), toConfig(loaded));
  assert.deepEqual(maskedContent(again), maskedContent(loaded));
});

Deno.test("durations and sizes need a unit and read as written", () => {
  assert.equal(parseDurationMs("30s"), 30_000);
  assert.equal(parseDurationMs("1.5h"), 5_400_000);
  assert.equal(parseDurationMs("250ms"), 250);
  assert.equal(parseDurationMs("20d"), 20 * 86_400_000);
  for (const bad of ["", "30", "s", "-1s", "1 s", "1S", "1y", "1e3s", "99999999999d"]) {
    assert.equal(parseDurationMs(bad), undefined, bad);
  }
  assert.equal(parseSizeBytes("500M"), 500 * 1024 ** 2);
  assert.equal(parseSizeBytes("1.5K"), 1536);
  for (const bad of ["", "5", "M", "-1M", "5 M", "5m", "5MB", "9999999T", "0x1K"]) {
    assert.equal(parseSizeBytes(bad), undefined, bad);
  }
  assert.equal(parseQuotaBytes("none"), null);
});

Deno.test("a size that is written reads back, to one decimal", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 50 }), (bytes) => {
    const read = parseSizeBytes(writeSize(bytes));
    assert.ok(read !== undefined && Math.abs(read - bytes) <= bytes * 0.051);
  }));
});

const key = fc.oneof(
  fc.stringMatching(/^[a-z_]{1,6}$/),
  fc.constantFrom("a.b", "x y", "é", 'quo"te', "it's", "=", "#", "[k]"),
);
const scalar = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "\n", '"', "'", "[", "]", "#", "=", "\\", "é") }),
  fc.integer(),
  fc.boolean(),
  fc.array(fc.string({ unit: fc.constantFrom("]", "[", '"', "#") })),
);
const { table } = fc.letrec<{ table: Record<string, unknown> }>((tie) => ({
  table: fc.dictionary(
    key,
    fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      scalar,
      tie("table"),
      fc.array(tie("table"), { minLength: 1, maxLength: 3 }),
    ),
    { maxKeys: 4 },
  ),
}));

Deno.test("every key of any document is found on the line that spells it", () => {
  fc.assert(fc.property(table, (document) => {
    const text = stringify(document);
    const written = text.split("\n");
    const lines = new KeyLines(text);
    const visit = (value: unknown, path: PropertyKey[]): void => {
      const last = path.at(-1);
      if (typeof last === "string" && !isTable(value)) {
        const line = written[lines.lineOf(path) - 1] ?? "";
        const spelt = /^[\w-]+$/.test(last) ? last : JSON.stringify(last);
        assert.ok(line.startsWith(`${spelt} = `), `${path.join(" > ")}: ${line}\n${text}`);
      }
      if (isTable(value)) {
        for (const [name, inner] of Object.entries(value)) visit(inner, [...path, name]);
      }
    };
    visit(document, []);
  }));
});

/** A table or an array of tables, which has a heading and not a line of its own. */
function isTable(value: unknown): value is object {
  if (Array.isArray(value)) return value.length > 0 && value.every(isTable);
  return typeof value === "object" && value !== null;
}

Deno.test("keys are found in hand-written TOML: long strings, dotted keys, lists over lines", () => {
  const lines = new KeyLines([
    "# [not] a = table", // 1
    'a.b = """', // 2
    "c = 1", // 3
    '"""', // 4
    "list = [ # [x]", // 5
    '  "]", # y = 2', // 6
    "]", // 7
    '"quo.ted" = { deep = 1 }', // 8
    "[ t . u ] # heading", // 9
    "k = '''it's '''", // 10
    "[[arr]]", // 11
    "k = 1", // 12
    "[[ arr ]]", // 13
    "k = 2", // 14
    "[arr.sub]", // 15
    "k = 3", // 16
  ].join("\n"));
  assert.equal(lines.lineOf(["a", "b"]), 2);
  assert.equal(lines.lineOf(["list", 0]), 5);
  assert.equal(lines.lineOf(["quo.ted", "deep"]), 8);
  assert.equal(lines.lineOf(["t", "u"]), 9);
  assert.equal(lines.lineOf(["t", "u", "k"]), 10);
  assert.equal(lines.lineOf(["arr", 0, "k"]), 12);
  assert.equal(lines.lineOf(["arr", 1]), 13);
  assert.equal(lines.lineOf(["arr", 1, "k"]), 14);
  assert.equal(lines.lineOf(["arr", 1, "sub", "k"]), 16);
  for (const inString of ["c", "y", "x"]) assert.equal(lines.lineOf([inString]), 1);
});

Deno.test("finding keys ends for any text", () => {
  const unit = fc.constantFrom("[", "]", '"', "'", "#", "=", "\n", ".", "a", " ", "\\", "{");
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 60 }), (text) => {
      assert.ok(new KeyLines(text).lineOf(["a"]) >= 1);
    }),
    { numRuns: 500 },
  );
});

Deno.test("an issuer of tokens must be one that nobody can listen to, and its secret goes with its id", () => {
  const oauth = (text: string) => complaints(`[auth.oauth]\naudience = "mail"\n${text}`);
  assert.deepEqual(oauth('issuer = "https://id.example.org/realm"'), []);
  assert.deepEqual(oauth('issuer = "http://127.0.0.1:8080"'), []);
  for (const issuer of ["http://id.example.org", "id.example.org", "https://x/?a=b", "ftp://x"]) {
    const [complaint = "", ...more] = oauth(`issuer = "${issuer}"`);
    assert.match(complaint, /^p\.toml:3: auth\.oauth\.issuer: expected the https address/);
    assert.deepEqual(more, []);
  }
  const [complaint = ""] = oauth('issuer = "https://x"\nclient_id = "postern"');
  assert.match(complaint, /auth\.oauth\.client_secret_file: expected both client_id/);
});
