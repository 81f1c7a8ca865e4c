import assert from "node:assert/strict";
import { connect as connectTls } from "node:tls";
import { readCertificateStatus, ServerCertificates } from "../../src/app/certificates.ts";
import { toConfig } from "../../src/app/config/config.ts";
import { parseConfig } from "../../src/app/config/load.ts";
import { metrics } from "../../src/base/mod.ts";
import { type CertificatePair, CertificateStore, makeSelfSigned } from "../../src/net/mod.ts";
import { runPostern, startPostern, withFolder } from "./postern_process.ts";

/** Certificates in files that other programs exchange. */

const DAY_MS = 86_400_000;

const pairFor = (name: string, ageDays = 0) =>
  makeSelfSigned([name], Date.now() - ageDays * DAY_MS);

async function write(folder: string, { certificate, privateKey }: CertificatePair) {
  await Deno.writeTextFile(`${folder}/cert.pem`, certificate);
  await Deno.writeTextFile(`${folder}/key.pem`, privateKey);
}

const TOML = `data_dir = "data"
[tls]
certificate_file = "live/cert.pem"
private_key_file = "live/key.pem"
`;

function configOf(folder: string, toml = TOML) {
  return toConfig(parseConfig(toml, `${folder}/postern.toml`));
}

const failures = () => metrics.sum("postern_certificate_failures_total");

const LOOK_MS = 10;

/** Certificates out of `folder/live`, watched every ten milliseconds. */
async function withFiles(
  run: (
    files: {
      readonly folder: string;
      readonly store: CertificateStore;
      readonly certificates: ServerCertificates;
      /** Waits until the default certificate is for `name`. */
      shows(name: string): Promise<void>;
      /** Long enough for a change to be noticed. */
      settle(): Promise<void>;
    },
  ) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/live`);
  await Deno.mkdir(`${folder}/data`);
  await write(`${folder}/live`, await pairFor("first.example.org"));
  const store = new CertificateStore([]);
  const clock = { now: () => Date.now() };
  const certificates = new ServerCertificates(configOf(folder), store, clock, () => [], LOOK_MS);
  await certificates.open();
  const settle = () => new Promise<void>((resolve) => setTimeout(resolve, 20 * LOOK_MS));
  try {
    await run({
      folder,
      store,
      certificates,
      settle,
      async shows(name) {
        for (let i = 0; i < 500 && store.certificates[0]?.names[0] !== name; i++) {
          await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        }
        assert.deepEqual(store.certificates[0]?.names, [name]);
      },
    });
  } finally {
    certificates.close();
    await settle();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("files that are written over, renamed into place or behind a switched link are taken", async () => {
  await withFiles(async ({ folder, shows }) => {
    const live = `${folder}/live`;
    await shows("first.example.org");
    await write(live, await pairFor("over.example.org"));
    await shows("over.example.org");

    const renamed = await pairFor("renamed.example.org");
    await Deno.writeTextFile(`${live}/cert.new`, renamed.certificate);
    await Deno.writeTextFile(`${live}/key.new`, renamed.privateKey);
    await Deno.rename(`${live}/key.new`, `${live}/key.pem`);
    await Deno.rename(`${live}/cert.new`, `${live}/cert.pem`);
    await shows("renamed.example.org");

    // As certbot does: links in live/ to files in archive/, exchanged one by one.
    await Deno.mkdir(`${folder}/archive`);
    for (const [number, name] of [[1, "one.example.org"], [2, "two.example.org"]] as const) {
      const pair = await pairFor(name);
      await Deno.writeTextFile(`${folder}/archive/key${number}.pem`, pair.privateKey);
      await Deno.writeTextFile(`${folder}/archive/cert${number}.pem`, pair.certificate);
      for (const kind of ["key", "cert"]) {
        await Deno.remove(`${live}/${kind}.pem`);
        await Deno.symlink(`../archive/${kind}${number}.pem`, `${live}/${kind}.pem`);
      }
      await shows(name);
    }

    // As Kubernetes does: one link to a folder, exchanged at once.
    await Deno.mkdir(`${folder}/third`);
    await write(`${folder}/third`, await pairFor("third.example.org"));
    await Deno.rename(live, `${folder}/old`);
    await Deno.symlink(`${folder}/third`, live);
    await shows("third.example.org");
  });
});

Deno.test("what cannot be used leaves the old certificate, is counted once, and is mended by the next", async () => {
  await withFiles(async ({ folder, store, settle, shows, certificates }) => {
    const live = `${folder}/live`;
    const other = await pairFor("other.example.org");
    const changes: [string, () => Promise<void>][] = [
      ["ended", async () => await write(live, await pairFor("ended.example.org", 900))],
      ["not begun", async () => await write(live, await pairFor("early.example.org", -3))],
      ["of another key", () => Deno.writeTextFile(`${live}/key.pem`, other.privateKey)],
      ["cut off", () => Deno.writeTextFile(`${live}/cert.pem`, other.certificate.slice(0, 99))],
      ["empty", () => Deno.writeTextFile(`${live}/cert.pem`, "")],
      ["gone", () => Deno.remove(`${live}/cert.pem`)],
    ];
    for (const [what, change] of changes) {
      const before = failures();
      await change();
      await settle();
      assert.deepEqual(store.certificates[0]?.names, ["first.example.org"], what);
      // A look between the two writes may have counted one more.
      assert.ok(failures() > before, what);
    }
    const counted = failures();
    await settle();
    assert.equal(failures(), counted, "it is not said at each look");
    const before = failures();
    await certificates.reread(configOf(folder));
    assert.equal(failures(), before + 1, "asked for by SIGHUP, it is said again");
    assert.deepEqual(store.certificates[0]?.names, ["first.example.org"]);
    await write(live, other);
    await shows("other.example.org");
    const expiry = "postern_certificate_expiry_timestamp_seconds";
    assert.equal(
      metrics.sum(expiry, { name: "other.example.org" }) * 1000,
      store.certificates[0]?.notAfterMs,
    );
    assert.equal(
      metrics.sum(expiry, { name: "first.example.org" }),
      0,
      "it is not in use any more",
    );
  });
});

Deno.test("one file that cannot be used does not hold up the others", async () => {
  await withFiles(async ({ folder, store, certificates }) => {
    for (const name of ["a", "b"]) {
      await Deno.mkdir(`${folder}/${name}`);
      await write(`${folder}/${name}`, await pairFor(`${name}.example.org`));
    }
    await Deno.writeTextFile(`${folder}/a/cert.pem`, "no certificate");
    const more = ["a", "b"].map((name) =>
      `[[tls.certificate]]
certificate_file = "${name}/cert.pem"
private_key_file = "${name}/key.pem"
`
    );
    await certificates.reread(configOf(folder, TOML + more.join("")));
    assert.deepEqual(
      store.certificates.map(({ names }) => names[0]),
      ["first.example.org", "b.example.org"],
    );
    assert.deepEqual(certificates.unusable.map(({ file }) => file), [`${folder}/a/cert.pem`]);
  });
});

Deno.test("the status of certificates has where they are from and what keeps them from being renewed", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/live`);
  await Deno.mkdir(`${folder}/data`);
  await write(`${folder}/live`, await pairFor("file.example.org"));
  const clock = { now: () => Date.now() };
  const fetched = [await pairFor("fetched.example.org")];
  const config = configOf(folder);
  const certificates = new ServerCertificates(
    config,
    new CertificateStore([]),
    clock,
    () => fetched,
  );
  await certificates.open();
  certificates.close();
  await Deno.writeTextFile(`${folder}/live/key.pem`, "no key");
  await certificates.reread(config);
  const [file, acme, ...others] = certificates.status(
    new Map([["fetched.example.org", "no route"], ["other.example.org", "no such name"]]),
  );
  assert.deepEqual(others, []);
  assert.deepEqual(
    [file?.names, file?.source, file?.issuer],
    [["file.example.org"], `${folder}/live/cert.pem`, "itself"],
  );
  assert.match(file?.problem ?? "", /key/);
  assert.deepEqual([acme?.source, acme?.problem], ["acme", "no route"]);
  const bare = configOf(folder, 'hostname = "own.example.org"\ndata_dir = "data"\n');
  const own = new ServerCertificates(bare, new CertificateStore([]), clock, () => []);
  await own.open();
  own.close();
  assert.deepEqual(
    own.status().map(({ names, source, problem }) => [names[0], source, problem]),
    [["own.example.org", "self-signed", ""]],
  );
  assert.deepEqual((await readCertificateStatus(bare)).certificates, own.status());
  const { certificates: none, unusable } = await readCertificateStatus(config);
  assert.deepEqual([none, unusable.length], [[], 1]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a server starts with a certificate that has ended, and says so", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/live`);
  await write(`${folder}/live`, await pairFor("ended.example.org", 900));
  const store = new CertificateStore([]);
  const clock = { now: () => Date.now() };
  const certificates = new ServerCertificates(configOf(folder), store, clock, () => []);
  const before = failures();
  await certificates.open();
  certificates.close();
  assert.deepEqual(store.certificates[0]?.names, ["ended.example.org"]);
  assert.equal(failures(), before + 1);
  await Deno.remove(folder, { recursive: true });
});

const SERVED = `[tls]
certificate_file = "live/cert.pem"
private_key_file = "live/key.pem"
[[tls.certificate]]
certificate_file = "other/cert.pem"
private_key_file = "other/key.pem"
[[listener]]
kind = "imaps"
address = "127.0.0.1:0"
`;

Deno.test("a running server shows renewed certificates by name, and drops nobody", async () => {
  await withFolder(async ({ path, config }) => {
    await Deno.mkdir(`${path}/archive1`);
    await Deno.mkdir(`${path}/archive2`);
    await Deno.mkdir(`${path}/other`);
    await write(`${path}/archive1`, await pairFor("mail.example.org"));
    await write(`${path}/archive2`, await pairFor("mail.example.org"));
    await write(`${path}/other`, await pairFor("other.example.org"));
    await Deno.symlink("archive1", `${path}/live`);
    const server = await startPostern(["serve", "--config", config]);
    const [host, port] = server.address("imaps").split(":");
    const open = async (servername: string) => {
      const socket = connectTls({
        host,
        port: Number(port),
        servername,
        rejectUnauthorized: false,
      });
      await new Promise((resolve, reject) => {
        socket.once("secureConnect", resolve);
        socket.once("error", reject);
      });
      return socket;
    };
    const shown = async (servername: string) => {
      const socket = await open(servername);
      const { fingerprint256, subject } = socket.getPeerCertificate();
      socket.destroy();
      return { fingerprint: fingerprint256, name: subject.CN };
    };
    const session = await open("mail.example.org");
    let text = "";
    session.on("data", (data) => text += data.toString());
    const before = await shown("mail.example.org");
    const other = await shown("other.example.org");
    assert.equal(other.name, "other.example.org");
    assert.deepEqual(await shown("unknown.example.org"), before);

    await Deno.remove(`${path}/live`);
    await Deno.symlink("archive2", `${path}/live`);
    let after = before;
    for (let i = 0; i < 100 && after.fingerprint === before.fingerprint; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      after = await shown("mail.example.org");
    }
    assert.notEqual(after.fingerprint, before.fingerprint);
    assert.deepEqual(await shown("other.example.org"), other);
    session.write("a NOOP\r\nb LOGOUT\r\n");
    await new Promise((resolve) => session.once("close", resolve));
    assert.match(text, /\r\na OK .*\r\nb OK /s);

    // SIGHUP with a certificate that cannot be used changes nothing but the log.
    await write(`${path}/other`, await pairFor("other.example.org", 900));
    server.kill("SIGHUP");
    for (let i = 0; i < 300 && !/read again/.test(server.stderr()); i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.match(
      server.stderr(),
      /error app: \S+other\/cert\.pem: the certificate ended on \d{4}-[^\n]+; the old certificate stays\n/,
    );
    assert.deepEqual(await shown("other.example.org"), other);
    assert.equal((await server.stop("SIGTERM")).code, 0);
  }, SERVED);
});

Deno.test("config check looks into the certificates", async () => {
  await withFolder(async ({ path, config }) => {
    const check = () => runPostern(["config", "check", "--config", config]);
    assert.match(
      (await check()).stderr,
      /tls\.certificate_file: cannot read \S+live\/cert\.pem: no such file/,
    );
    await Deno.mkdir(`${path}/live`);
    await Deno.mkdir(`${path}/other`);
    const pair = await pairFor("mail.example.org");
    await write(`${path}/live`, pair);
    await write(`${path}/other`, {
      ...await pairFor("other.example.org"),
      ...pair,
      privateKey: "x",
    });
    assert.match(
      (await check()).stderr,
      /other\/key\.pem: the private key is not an unencrypted PEM/,
    );
    await write(`${path}/other`, await pairFor("other.example.org", 900));
    const { code, stderr } = await check();
    assert.equal(code, 1);
    assert.match(stderr, /^postern: \S+other\/cert\.pem: the certificate ended on /);
    await write(`${path}/other`, await pairFor("other.example.org"));
    assert.equal((await check()).code, 0);
  }, SERVED);
});
