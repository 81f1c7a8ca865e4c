import assert from "node:assert/strict";
import { parseConfig } from "../../src/app/config/load.ts";
import { toConfig } from "../../src/app/config/config.ts";
import { writeUnit } from "../../src/app/quickstart/unit.ts";
import { openSqliteStore } from "../../src/store/sqlite/engine.ts";
import { isInstalled } from "../interop/programs.ts";
import { runPostern } from "./postern_process.ts";

async function withTop(run: (top: string) => Promise<void>): Promise<void> {
  const top = await Deno.makeTempDir();
  try {
    await run(top);
  } finally {
    await Deno.remove(top, { recursive: true });
  }
}

/** The configuration that was written. */
async function readConfig(file: string) {
  return toConfig(parseConfig(await Deno.readTextFile(file), file));
}

Deno.test("quickstart writes a configuration that is valid, the unit and the user, and tells the rest", () =>
  withTop(async (top) => {
    const { code, stdout, stderr } = await runPostern([
      ...["quickstart", "Example.ORG", "--dir", `${top}/etc`, "--account", "alice"],
    ]);
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "");
    const config = await readConfig(`${top}/etc/postern.toml`);
    assert.equal(config.hostname, "mail.example.org");
    assert.equal(config.dataDir, `${top}/etc/data`);
    assert.deepEqual(config.tls.acme?.names, ["mail.example.org", "autoconfig.example.org"]);
    assert.deepEqual(
      config.listeners.map(({ kind }) => kind),
      ["alpn", "imaps", "submissions", "submission", "lmtp", "metrics"],
    );
    const check = await runPostern(["config", "check", "--config", `${top}/etc/postern.toml`]);
    assert.equal(check.code, 0, check.stderr);
    for (const name of ["postern.toml", "postern.service", "postern.sysusers"]) {
      assert.equal((await Deno.stat(`${top}/etc/${name}`)).mode! & 0o777, 0o644);
      assert.ok(stdout.includes(`${top}/etc/${name}\n`), name);
    }
    assert.match(
      await Deno.readTextFile(`${top}/etc/postern.sysusers`),
      new RegExp(`^u postern - "Postern mail server" ${top}/etc/data$`, "m"),
    );
    for (
      const record of [
        /^ {2}mail\.example\.org\. +A +192\.0\.2\.1 +;/m,
        /^ {2}mail\.example\.org\. +AAAA +2001:db8::1 +;/m,
        /^ {2}example\.org\. +MX +10 mail\.example\.org\.$/m,
        /^ {2}_imaps\._tcp\.example\.org\. +SRV +0 1 993 mail\.example\.org\.$/m,
        /^ {2}_submissions\._tcp\.example\.org\. +SRV +0 1 465 mail\.example\.org\.$/m,
        /^ {2}_submission\._tcp\.example\.org\. +SRV +10 1 587 mail\.example\.org\.$/m,
        /^ {2}_imap\._tcp\.example\.org\. +SRV +0 0 0 \. /m,
        /^ {2}example\.org\. +TXT +"v=spf1 mx ~all"/m,
        /^ {2}_dmarc\.example\.org\. +TXT +"v=DMARC1; p=none"/m,
      ]
    ) assert.match(stdout, record);
    const steps = [...stdout.matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number));
    assert.deepEqual(steps, steps.map((_, i) => i + 1));
    assert.ok(steps.length >= 6);

    const [admin = "", alice = ""] = stdout.match(/^ {2}(?:[a-z0-9]{5}-){3}[a-z0-9]{5}$/gm) ?? [];
    assert.notEqual(admin, alice);
    const store = await openSqliteStore({ dataDir: config.dataDir });
    try {
      assert.ok(await store.directory.adminVerifier());
      assert.deepEqual(await store.directory.listDomains(), [
        { name: "example.org", isDisabled: false },
      ]);
      const account = await store.directory.resolveAddress("postmaster@example.org");
      assert.equal(account?.address, "alice@example.org");
    } finally {
      await store.close();
    }
  }));

Deno.test("quickstart writes nothing when any of its files is there, and names them all", () =>
  withTop(async (top) => {
    await Deno.mkdir(`${top}/etc`);
    await Deno.writeTextFile(`${top}/etc/postern.service`, "mine");
    await Deno.mkdir(`${top}/data`);
    await Deno.writeTextFile(`${top}/data/directory.db`, "mail");
    const { code, stdout, stderr } = await runPostern([
      ...["quickstart", "example.org", "--dir", `${top}/etc`, "--data", `${top}/data`],
    ]);
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.equal(
      stderr,
      `postern: nothing was written, since there is already ${top}/etc/postern.service and ` +
        `${top}/data/directory.db: move it away, or choose other folders with --dir and --data\n`,
    );
    assert.deepEqual([...Deno.readDirSync(`${top}/etc`)].map(({ name }) => name), [
      "postern.service",
    ]);
    assert.equal(await Deno.readTextFile(`${top}/etc/postern.service`), "mine");
  }));

Deno.test("quickstart takes its files away again when the data cannot be made", () =>
  withTop(async (top) => {
    await Deno.symlink("nowhere", `${top}/data`);
    const { code, stderr } = await runPostern([
      ...["quickstart", "example.org", "--dir", `${top}/etc`, "--data", `${top}/data`],
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /^postern: cannot make the data directory [^\n]*\n$/);
    assert.deepEqual([...Deno.readDirSync(`${top}/etc`)], []);
  }));

Deno.test("quickstart for chatmail: the host is the domain, accounts make themselves", () =>
  withTop(async (top) => {
    const { code, stdout, stderr } = await runPostern([
      ...["quickstart", "chat.example.org", "--chatmail", "--dir", top, "--data", `${top}/data`],
      "--json",
    ]);
    assert.equal(code, 0, stderr);
    const made = JSON.parse(stdout);
    const config = await readConfig(`${top}/postern.toml`);
    assert.equal(config.hostname, "chat.example.org");
    assert.equal(config.chatmail?.domain, "chat.example.org");
    assert.equal(config.chatmail?.registration, "open");
    assert.equal(config.chatmail?.requiresEncryption, true);
    assert.match(made.adminPassword, /^([a-z0-9]{5}-){3}[a-z0-9]{5}$/);
    assert.ok(!made.records.some(({ name }: { name: string }) => name.startsWith("autoconfig.")));
    assert.ok(
      !made.steps.some(({ commands }: { commands: string[] }) =>
        commands.some((command) => command.includes("account add"))
      ),
    );
  }));

Deno.test("quickstart refuses what is no domain, no folder for a unit, no name for an account", async () => {
  const wrong: [string[], RegExp][] = [
    [["example"], /DOMAIN: expected a domain name, such as "example.org".*found "example"/],
    [["exa mple.org"], /DOMAIN: expected/],
    [["münchen.example"], /in its form "xn--…"/],
    [["example.org", "--hostname", "mail_server"], /--hostname: expected/],
    [["example.org", "--dir", "/tmp/a b"], /--dir: expected a folder without spaces/],
    [
      ["example.org", "--dir", "/nonexistent/x", "--account", "a@b.example"],
      /--account: expected a name/,
    ],
    [["example.org", "--dir", "/nonexistent/x", "--account", "a", "--chatmail"], /make themselves/],
  ];
  for (const [args, why] of wrong) {
    const { code, stdout, stderr } = await runPostern(["quickstart", ...args]);
    assert.equal(code, 2, args.join(" "));
    assert.equal(stdout, "");
    assert.match(stderr, /^postern: [^\n]+\n$/);
    assert.match(stderr, why);
  }
});

Deno.test({
  name: "systemd finds nothing wrong with the unit, and calls its exposure OK",
  ignore: !isInstalled("systemd-analyze"),
  fn: () =>
    withTop(async (top) => {
      const file = `${top}/postern.service`;
      const program = { command: ["/bin/true"], commandAsUser: "", unitLines: [], isAtHome: false };
      for (const dataDir of ["/var/lib/postern", "/srv/mail"]) {
        await Deno.writeTextFile(
          file,
          writeUnit({ program, configFile: "/etc/postern/postern.toml", dataDir }),
        );
        const verify = await new Deno.Command("systemd-analyze", {
          args: ["verify", "--man=no", file],
        }).output();
        const said = new TextDecoder().decode(verify.stderr);
        assert.equal(said, "");
        assert.ok(verify.success);
      }
      const { stdout } = await new Deno.Command("systemd-analyze", {
        args: ["security", "--offline=yes", "--no-pager", file],
      }).output();
      const [, level] = /exposure level for postern\.service: ([\d.]+) OK/
        .exec(new TextDecoder().decode(stdout)) ?? [];
      assert.ok(Number(level) <= 2, `${level}`);
    }),
});

Deno.test("the unit lets V8 make code, gives no root, and has no watchdog that nobody feeds", () => {
  const program = {
    command: ["/usr/bin/postern"],
    commandAsUser: "",
    unitLines: [],
    isAtHome: false,
  };
  const unit = (dataDir: string) => writeUnit({ program, configFile: "/etc/p.toml", dataDir });
  const text = unit("/var/lib/postern");
  assert.match(text, /^ExecStart=\/usr\/bin\/postern serve --config \/etc\/p\.toml$/m);
  assert.match(text, /^User=postern$/m);
  assert.match(text, /^AmbientCapabilities=CAP_NET_BIND_SERVICE$/m);
  assert.match(text, /^StateDirectory=postern$/m);
  assert.doesNotMatch(text, /^(?:MemoryDenyWriteExecute|WatchdogSec|ReadWritePaths)=/m);
  assert.match(unit("/srv/mail"), /^ReadWritePaths=\/srv\/mail$/m);
  assert.doesNotMatch(unit("/srv/mail"), /^StateDirectory/m);
});
