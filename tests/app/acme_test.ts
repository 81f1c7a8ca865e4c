import assert from "node:assert/strict";
import { connect as connectTls, type TLSSocket } from "node:tls";
import {
  freePort,
  HAS_PEBBLE,
  type Pebble,
  type PebbleOptions,
  startPebble,
  writePebbleCertificate,
} from "./pebble.ts";
import { runPostern, type ServerProcess, startPostern } from "./postern_process.ts";

/** Certificates fetched by a configured server from Debian's pebble. */

interface House {
  readonly folder: string;
  readonly config: string;
  readonly tlsPort: number;
  readonly httpPort: number;
  /** Where Pebble listens when it runs. */
  readonly port: number;
  startPebble(options?: Partial<PebbleOptions>): Promise<Pebble>;
  serve(): Promise<ServerProcess>;
}

const NAMES = ["mail.example.test", "imap.example.test"];

/** Listeners by which names can be validated. */
const ALPN = (port: number) =>
  `[[listener]]
kind = "alpn"
address = "127.0.0.1:${port}"
[listener.routes]
imap = "imap"
"acme-tls/1" = "acme"
`;
const WEB = (port: number) => `[[listener]]\nkind = "web"\naddress = "127.0.0.1:${port}"\n`;
const IMAPS = '[[listener]]\nkind = "imaps"\naddress = "127.0.0.1:0"\n';

function acmeTest(
  name: string,
  listeners: (house: House) => string,
  names: readonly string[],
  run: (house: House) => Promise<void>,
): void {
  if (!HAS_PEBBLE) {
    // deno-lint-ignore no-console -- the reason for a skipped test belongs in the test's output
    console.log(`skipped, pebble not installed: ${name}`);
  }
  Deno.test({
    name,
    ignore: !HAS_PEBBLE,
    fn: async () => {
      const folder = await Deno.makeTempDir();
      const [tlsPort, httpPort, port] = [freePort(), freePort(), freePort()];
      const running: { stop(signal?: Deno.Signal): Promise<unknown> }[] = [];
      const house: House = {
        folder,
        config: `${folder}/postern.toml`,
        tlsPort,
        httpPort,
        port,
        async startPebble(options = {}) {
          const pebble = await startPebble({ folder, tlsPort, httpPort, port, ...options });
          running.push(pebble);
          return pebble;
        },
        async serve() {
          const server = await startPostern(["serve", "--config", this.config]);
          running.push(server);
          return server;
        },
      };
      await writePebbleCertificate(folder);
      await Deno.writeTextFile(
        house.config,
        `hostname = "${NAMES[0]}"
data_dir = "data"
[tls.acme]
directory = "https://localhost:${port}/dir"
email = "admin@example.test"
names = ${JSON.stringify(names)}
ca_file = "pebble.pem"
${listeners(house)}`,
      );
      try {
        await run(house);
      } finally {
        for (const each of running) await each.stop("SIGKILL").catch(() => undefined);
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

interface Shown {
  readonly issuer: string;
  readonly names: string;
  readonly fingerprint: string;
}

function open(port: number, servername: string): Promise<TLSSocket> {
  const socket = connectTls({
    host: "127.0.0.1",
    port,
    servername,
    ALPNProtocols: ["imap"],
    rejectUnauthorized: false,
  });
  return new Promise((resolve, reject) => {
    socket.once("secureConnect", () => resolve(socket));
    socket.once("error", reject);
  });
}

/** The certificate that a client sees who asks for `name`. */
async function shown(port: number, name: string): Promise<Shown> {
  const socket = await open(port, name);
  const { issuer, subjectaltname, fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return { issuer: String(issuer.CN), names: subjectaltname ?? "", fingerprint: fingerprint256 };
}

async function eventually(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !await holds();) {
    if (Date.now() > deadline) assert.fail(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const isPebble = ({ issuer }: Shown) => issuer.startsWith("Pebble");
const portOf = (address: string) => Number(address.split(":")[1]);

acmeTest(
  "each name gets a certificate by tls-alpn-01 while the server serves, and keeps it over a restart",
  ({ tlsPort }) => ALPN(tlsPort) + IMAPS,
  [...NAMES, "mail.off.example"],
  async (house) => {
    const { config, tlsPort, folder } = house;
    const disabled = ["domain", "add", "off.example", "--disabled", "--config", config];
    assert.equal((await runPostern(disabled)).code, 0);
    const first = await house.serve();
    const early = await open(tlsPort, "mail.example.test");
    assert.equal(early.getPeerCertificate().issuer.CN, "mail.example.test", "self-signed");
    let lines = "";
    early.on("data", (data) => lines += data.toString());
    await eventually("the failure", () => /no certificate for imap/.test(first.stderr()));
    const pebble = await house.startPebble();
    // Nobody waits for five minutes who has just mended what was wrong.
    first.kill("SIGHUP");
    for (const name of NAMES) {
      await eventually(name, async () => {
        const certificate = await shown(tlsPort, name);
        return isPebble(certificate) && certificate.names === `DNS:${name}`;
      });
      const { fingerprint } = await shown(portOf(first.address("imaps")), name);
      assert.equal(fingerprint, (await shown(tlsPort, name)).fingerprint);
    }
    early.write("a LOGOUT\r\n");
    await eventually("the old session's answer", () => /^a OK /m.test(lines));

    const before = await Promise.all(NAMES.map((name) => shown(tlsPort, name)));
    assert.equal((await first.stop("SIGTERM")).code, 0);
    assert.doesNotMatch(pebble.log(), /off\.example/);
    assert.doesNotMatch(first.stderr(), /PRIVATE/);
    await pebble.stop();
    const second = await house.serve();
    assert.deepEqual(await Promise.all(NAMES.map((name) => shown(tlsPort, name))), before);
    assert.doesNotMatch(second.stderr(), /acme: /);

    const [authority] = [...Deno.readDirSync(`${folder}/data/acme`)];
    const files = `${folder}/data/acme/${authority?.name}`;
    assert.equal((Deno.statSync(`${folder}/data/acme`).mode ?? 0) & 0o777, 0o700);
    assert.deepEqual([...Deno.readDirSync(files)].map(({ name }) => name).sort(), [
      "account.key.pem",
      "failures.json",
      ...NAMES.map((name) => `${name}.pem`).sort(),
    ]);
    for (const { name } of Deno.readDirSync(files)) {
      assert.equal((Deno.statSync(`${files}/${name}`).mode ?? 0) & 0o777, 0o600, name);
    }
  },
);

acmeTest(
  "a web listener answers http-01, and certificates are renewed before they end",
  ({ httpPort }) => WEB(httpPort) + IMAPS,
  ["mail.example.test"],
  async (house) => {
    await house.startPebble({ validitySeconds: 6 });
    const server = await house.serve();
    const port = portOf(server.address("imaps"));
    const now = () => shown(port, "mail.example.test");
    await eventually("the first certificate", async () => isPebble(await now()));
    const session = await open(port, "mail.example.test");
    const { fingerprint } = await now();
    await eventually("the second", async () => (await now()).fingerprint !== fingerprint);
    assert.equal(session.destroyed, false);
    session.destroy();
    assert.match(server.stderr(), /fetched a certificate for mail\.example\.test \(http-01\)/);
    assert.equal(server.stderr().match(/made a self-signed/g)?.length, 1);
    // Pages are there too; other paths of the authority are not.
    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${house.httpPort}${path}`);
      await response.body?.cancel();
      return response.status;
    };
    assert.equal(await get("/"), 200);
    assert.equal(await get("/.well-known/acme-challenge/unknown"), 404);
  },
);

acmeTest(
  "a name that cannot be validated one way is tried the other way, and never in a loop of restarts",
  ({ tlsPort, httpPort }) => ALPN(tlsPort) + WEB(httpPort),
  ["mail.example.test"],
  async (house) => {
    const { tlsPort } = house;
    // A port where nobody is.
    await house.startPebble({ tlsPort: freePort() });
    const failed = async (server: ServerProcess) => {
      await eventually("the failure", () => /no certificate/.test(server.stderr()));
      return /no certificate for \S+ \((\S+)\): (.*); next attempt in (\d) minutes/.exec(
        server.stderr(),
      );
    };
    const first = await house.serve();
    const [, way, reason, minutes] = await failed(first) ?? [];
    assert.equal(way, "tls-alpn-01");
    assert.match(reason ?? "", /Failed to connect to 127\.0\.0\.1/);
    assert.ok(Number(minutes) >= 5 && Number(minutes) <= 7, minutes);
    assert.equal((await first.stop("SIGTERM")).code, 0);

    const second = await house.serve();
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.doesNotMatch(second.stderr(), /acme: /);
    assert.ok(!isPebble(await shown(tlsPort, "mail.example.test")));
    second.kill("SIGHUP");
    await eventually("the certificate", async () => {
      return isPebble(await shown(tlsPort, "mail.example.test"));
    });
    assert.match(second.stderr(), /fetched a certificate for mail\.example\.test \(http-01\)/);
  },
);
