import assert from "node:assert/strict";
import { failureReason } from "../../src/acme/failure_reason.ts";
import { needPlausibleClock } from "../../src/app/clock_check.ts";
import { Failure } from "../../src/app/failure.ts";
import { Database } from "../../src/store/sqlite/database.ts";
import { isInstalled } from "../interop/programs.ts";
import { isRoot } from "../kill/programs.ts";
import { makeIdentity } from "../support/identities.ts";
import { type RunOptions, runPostern, startPostern, withFolder } from "./postern_process.ts";

/** What goes wrong, how it comes about, and what the admin is told: one line, with what to do. */
interface Case {
  readonly name: string;
  /** Added to the configuration. */
  readonly toml?: string;
  /** Brings the trouble about; `path` is the configuration's folder. Gives what undoes it. */
  readonly arrange?: (path: string) => Promise<(() => unknown) | void>;
  /** "serve" unless given. */
  readonly args?: readonly string[];
  readonly options?: RunOptions;
  readonly code: 1 | 2;
  /** The line on stderr, after "postern: ". */
  readonly says: RegExp;
  /** Why it cannot be brought about here. */
  readonly ignore?: boolean;
}

const IMAP = '[[listener]]\nkind = "imap"\naddress = "127.0.0.1:0"\n';
const TLS = '[tls]\ncertificate_file = "cert.pem"\nprivate_key_file = "key.pem"\n';
const CHECK = ["config", "check"];

async function writePair(path: string, cert: string, key: string): Promise<void> {
  await Deno.writeTextFile(`${path}/cert.pem`, cert);
  await Deno.writeTextFile(`${path}/key.pem`, key);
}

/** A certificate that holds from and until so many days from now. */
async function writeDated(path: string, from: number, until: number): Promise<void> {
  const { key } = await makeIdentity("ecdsa");
  await Deno.writeTextFile(`${path}/key.pem`, key);
  const date = (days: number) =>
    new Date(Date.now() + days * 86_400_000).toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  await run("openssl", [
    ...["req", "-new", "-key", `${path}/key.pem`, "-subj", "/CN=mail.example.org"],
    ...["-out", `${path}/request.pem`],
  ]);
  await Deno.writeTextFile(`${path}/index.txt`, "");
  await Deno.writeTextFile(
    `${path}/ca.cnf`,
    `[ca]\ndefault_ca=c\n[c]\ndatabase=${path}/index.txt\nnew_certs_dir=${path}\nserial=${path}/serial\n` +
      "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n",
  );
  await run("openssl", [
    ...["ca", "-batch", "-selfsign", "-config", `${path}/ca.cnf`, "-rand_serial", "-notext"],
    ...["-keyfile", `${path}/key.pem`, "-in", `${path}/request.pem`, "-out", `${path}/cert.pem`],
    ...["-startdate", date(from), "-enddate", date(until)],
  ]);
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, {
    args: [...args],
    stdout: "null",
    stderr: "piped",
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** A disk of its own for the data, of so many octets. */
async function smallDisk(path: string, size: string): Promise<() => Promise<void>> {
  await Deno.mkdir(`${path}/data`);
  await run("mount", ["-t", "tmpfs", "-o", `size=${size}`, "none", `${path}/data`]);
  return () => run("umount", ["--lazy", `${path}/data`]);
}

const CASES: readonly Case[] = [
  {
    name: "a port that another program has",
    toml: IMAP,
    arrange: async (path) => {
      const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const config = await Deno.readTextFile(`${path}/postern.toml`);
      await Deno.writeTextFile(
        `${path}/postern.toml`,
        config.replace("127.0.0.1:0", `127.0.0.1:${taken.addr.port}`),
      );
      return () => taken.close();
    },
    code: 1,
    says:
      /^listener imap: another program listens on 127\.0\.0\.1:\d+; stop it, or choose another address$/,
  },
  {
    name: "port 443 without the capability for it",
    toml: IMAP.replace("127.0.0.1:0", "127.0.0.1:443"),
    options: { through: ["setpriv", "--bounding-set=-net_bind_service"] },
    ignore: !isRoot || !isInstalled("setpriv"),
    code: 1,
    says:
      /^listener imap: not permitted to listen on 127\.0\.0\.1:443; ports below 1024 need the capability CAP_NET_BIND_SERVICE, as the unit of "postern quickstart" gives it; or choose/,
  },
  {
    name: "an address that the machine has not",
    toml: IMAP.replace("127.0.0.1:0", "192.0.2.77:0"),
    code: 1,
    says:
      /^listener imap: this machine has no address for 192\.0\.2\.77:0; choose another address$/,
  },
  {
    name: "a certificate that is not there",
    toml: TLS + IMAP,
    code: 1,
    says:
      /^tls\.certificate_file: cannot read \S+cert\.pem: no such file; give a PEM file that the server's user may read$/,
  },
  {
    name: "a certificate that may not be read",
    toml: TLS + IMAP,
    arrange: async (path) => {
      const { cert, key } = await makeIdentity("ecdsa");
      await writePair(path, cert, key);
      await Deno.chmod(`${path}/key.pem`, 0o000);
    },
    options: { through: ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] },
    ignore: !isRoot || !isInstalled("setpriv"),
    code: 1,
    says: /^tls\.private_key_file: cannot read \S+key\.pem: no permission to read it; give/,
  },
  {
    name: "a certificate that is garbage",
    toml: TLS + IMAP,
    arrange: (path) => writePair(path, "hello", "world"),
    code: 1,
    says: /^\S+cert\.pem and \S+key\.pem: [^\n]*PEM/,
  },
  {
    name: "a key of another certificate",
    toml: TLS + IMAP,
    arrange: async (path) => {
      const [one, other] = [await makeIdentity("ecdsa"), await makeIdentity("ecdsa")];
      await writePair(path, one.cert, other.key);
    },
    code: 1,
    says: /^\S+cert\.pem and \S+key\.pem: [^\n]*key[^\n]*certificate/,
  },
  {
    name: "a certificate that has ended",
    toml: TLS,
    arrange: (path) => writeDated(path, -20, -10),
    args: CHECK,
    code: 1,
    says: /^\S+cert\.pem: the certificate ended on \d{4}-\S+: put a new one in its place$/,
  },
  {
    name: "a certificate that is not valid yet, or a clock that is slow",
    toml: TLS,
    arrange: (path) => writeDated(path, 10, 20),
    args: CHECK,
    code: 1,
    says:
      /^\S+cert\.pem: the certificate does not hold before \S+, and this machine's clock says \S+: is that right\?$/,
  },
  {
    name: "no room on the disk at the start",
    toml: IMAP,
    arrange: (path) => smallDisk(path, "16k"),
    ignore: !isRoot,
    code: 1,
    says: /disk[^\n]* full/,
  },
  {
    name: "an unknown key",
    toml: '[log]\nlevle = "info"\n',
    code: 2,
    says: /^\S+postern\.toml:4: log\.levle: unknown key; did you mean "level"\?$/,
  },
  {
    name: "a value of the wrong type",
    toml: "[limits]\nmax_connections = true\n",
    code: 2,
    says: /^\S+:4: limits\.max_connections: expected a number from 1 to 1000000, found true$/,
  },
  {
    name: "a file that is no TOML",
    toml: "[limits\n",
    code: 2,
    says: /^\S+postern\.toml:\d+: not valid TOML: /,
  },
  {
    name: "no configuration at all",
    args: ["serve", "--config", "/nonexistent/postern.toml"],
    code: 2,
    says: /^\/nonexistent\/postern\.toml: no such file$/,
  },
  {
    name: "data of a newer version",
    toml: IMAP,
    arrange: async (path) => {
      await runPostern(["domain", "add", "example.org", "--config", `${path}/postern.toml`]);
      const db = Database.open(`${path}/data/directory.db`);
      db.exec("PRAGMA user_version = 999");
      db.close();
    },
    code: 1,
    says: /schema 999; this version knows \d+; run the newer version again$/,
  },
  {
    name: "another server on the same data",
    toml: IMAP,
    arrange: async (path) => {
      const server = await startPostern(["serve", "--config", `${path}/postern.toml`]);
      return () => server.stop("SIGTERM");
    },
    code: 1,
    says: /^another postern serves \S+data: stop it, or choose another data_dir$/,
  },
  {
    name: "root on another user's data",
    arrange: async (path) => {
      await Deno.mkdir(`${path}/data`);
      await Deno.chown(`${path}/data`, 64_321, 64_321);
    },
    args: ["account", "list"],
    ignore: !isRoot,
    code: 1,
    says:
      /^the data in \S+ belongs to user 64321, [^\n]* run this as that user, with sudo -u '#64321'/,
  },
  {
    name: "a relay's password that is not there",
    toml: `[relay]\nhost = "smtp.example.net"\nusername = "u"\npassword_file = "secret"\n${IMAP}`,
    code: 1,
    says:
      /^relay\.password_file: cannot read \S+secret: no such file; put the secret there, on one line, /,
  },
  {
    name: "a chatmail host without its domain",
    toml: `[chatmail]\nregistration = "open"\n${IMAP}`,
    code: 2,
    says: /^\S+:3: chatmail\.domain: expected a host name, found nothing$/,
  },
  {
    name: "too few open files",
    toml: IMAP,
    options: { openFiles: 200 },
    code: 1,
    says:
      /^the process may open too few files: raise the limit \(ulimit -n, or LimitNOFILE of the systemd unit\) to \d+/,
  },
];

for (const each of CASES) {
  const { name, toml = "", arrange, args = ["serve"], options = {}, code, says } = each;
  Deno.test({
    name: `an admin is told of ${name}, and what to do`,
    ignore: each.ignore ?? false,
    fn: () =>
      withFolder(async ({ path, config }) => {
        const undo = await arrange?.(path);
        try {
          const result = await runPostern(
            args.includes("--config") ? args : [...args, "--config", config],
            options,
          );
          assert.equal(result.code, code, result.stderr);
          const lines = result.stderr.trimEnd().split("\n")
            // What is logged on the way is no answer.
            .filter((line) => !/^\d{4}-\S+Z (?:info|warn) /.test(line));
          assert.equal(lines.length, 1, result.stderr);
          assert.match(lines[0] ?? "", /^postern: /);
          assert.match((lines[0] ?? "").slice("postern: ".length), says);
        } finally {
          await undo?.();
        }
      }, toml),
  });
}

Deno.test({
  name:
    "a disk that fills up while the server runs is told in the log and to senders, and is no end",
  ignore: !isRoot,
  fn: () =>
    withFolder(async ({ path, config }) => {
      const unmount = await smallDisk(path, "3m");
      try {
        const cli = (args: string[], stdin?: string) =>
          runPostern([...args, "--config", config], stdin === undefined ? {} : { stdin });
        assert.equal((await cli(["domain", "add", "example.org"])).code, 0);
        assert.equal((await cli(["account", "add", "a@example.org", "--generate"])).code, 0);
        const server = await startPostern(["serve", "--config", config]);
        const filler = `${path}/data/filler`;
        await new Deno.Command("dd", {
          args: ["if=/dev/zero", `of=${filler}`, "bs=4k"],
          stderr: "null",
        }).output();
        const mail = `Subject: large\r\n\r\n${"x".repeat(70)}\r\n`.padEnd(200_000, "y\r\n");
        const refused = await cli(["deliver", "a@example.org"], mail);
        assert.equal(refused.code, 75);
        assert.match(refused.stderr, /^postern: [^\n]*disk[^\n]*full[^\n]*\n$/);
        await Deno.remove(filler);
        assert.equal((await cli(["deliver", "a@example.org"], mail)).code, 0, "room again");
        assert.equal((await server.stop("SIGTERM")).code, 0);
      } finally {
        await unmount();
      }
    }, IMAP),
});

Deno.test("a server does not start while the clock is before its own making", () => {
  const at = (time: string) => () => needPlausibleClock({ now: () => Date.parse(time) });
  assert.throws(at("1970-01-01T00:01:00Z"), (error) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.exitCode, 1);
    assert.match(
      error.message,
      /clock says 1970-01-01T00:01:00\.000Z[^\n]*timedatectl set-ntp true/,
    );
    return true;
  });
  assert.throws(at("2026-10-31T23:59:59Z"));
  at("2026-11-01T00:00:00Z")();
});

Deno.test("a certificate that cannot be fetched for the clock's sake is said to be so", () => {
  const reason = (text: string) => failureReason(new Error(text), Date.UTC(2020, 0, 1));
  assert.match(
    reason("error sending request: invalid peer certificate: certificate not valid yet"),
    /this machine's clock says 2020-01-01T00:00:00\.000Z: is that right\?/,
  );
  const untrusted = new Error("invalid peer certificate: expired");
  const fetchError = new TypeError("fetch failed", { cause: untrusted });
  assert.match(failureReason(fetchError, 0), /^invalid peer certificate: expired \(this machine's/);
  assert.match(reason("urn:ietf:params:acme:error:badNonce"), /a proxy\?/);
  assert.equal(reason("connection refused"), "connection refused");
});
