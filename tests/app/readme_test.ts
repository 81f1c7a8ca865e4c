import assert from "node:assert/strict";
import { toConfig } from "../../src/app/config/config.ts";
import { parseConfig } from "../../src/app/config/load.ts";
import project from "../../deno.json" with { type: "json" };
import { isInstalled } from "../interop/programs.ts";
import {
  FLAGS,
  runPostern,
  type ServerProcess,
  startPostern,
  withFolder,
} from "./postern_process.ts";
import { shellCommands } from "./readme_commands.ts";

const README = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
const ROOT = new URL("../../", import.meta.url).pathname.replace(/\/$/, "");
const COMMANDS = shellCommands(README);

/** Commands that a test here took out of the README to run. */
const taken = new Set<string>();

/** The one command that is this, or else begins so. */
function take(begin: string): string {
  const found = COMMANDS.includes(begin)
    ? [begin]
    : COMMANDS.filter((command) => command.startsWith(begin));
  assert.equal(found.length, 1, `commands that begin with: ${begin}`);
  taken.add(found[0] ?? "");
  return found[0] ?? "";
}

/** A shell in which the programs are there that the README has people install. */
async function withShell(
  run: (shell: {
    readonly path: string;
    /** Runs the command with texts replaced; it must succeed. Gives what it prints. */
    sh(command: string, places?: Readonly<Record<string, string>>): Promise<string>;
  }) => Promise<void>,
): Promise<void> {
  await withFolder(async ({ path }) => {
    const bin = `${path}/bin`;
    await Deno.mkdir(bin);
    const postern = [Deno.execPath(), "run", "--config", `${ROOT}/deno.json`, ...FLAGS.slice(1)];
    const programs = {
      postern: `exec ${postern.join(" ")} ${ROOT}/main.ts "$@"`,
      deno: `exec ${Deno.execPath()} "$@"`,
      // npx -y deno@2.9.6 ARGUMENTS
      npx: `test "$1 $2" = "-y deno@2.9.6" && shift 2 && exec ${Deno.execPath()} "$@"`,
    };
    for (const [name, script] of Object.entries(programs)) {
      await Deno.writeTextFile(`${bin}/${name}`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    }
    const sh = async (command: string, places: Readonly<Record<string, string>> = {}) => {
      let line = command;
      for (const [text, place] of Object.entries(places)) {
        assert.ok(line.includes(text), `${line} has ${text}`);
        line = line.replaceAll(text, place);
      }
      const { code, stdout, stderr } = await new Deno.Command("sh", {
        args: ["-c", line],
        cwd: ROOT,
        env: { PATH: `${bin}:${Deno.env.get("PATH")}`, NO_COLOR: "1" },
        stdin: "null",
      }).output();
      assert.equal(code, 0, `${line}\n${new TextDecoder().decode(stderr)}`);
      return new TextDecoder().decode(stdout);
    };
    await run({ path, sh });
  });
}

Deno.test("the README opens with the two commands that a fresh machine needs", () => {
  assert.ok(README.indexOf("```sh") < 40);
  assert.deepEqual(COMMANDS.slice(0, 2), [
    take("npx -y deno@2.9.6 task start"),
    take("npx -y deno@2.9.6 task test"),
  ]);
  // The next test runs the first. The second runs this.
  assert.match(project.tasks.start.command, / && deno task -q postern demo$/);
  assert.match(project.tasks.test.command, /^deno .*test/);
});

Deno.test({
  name: "the README's first steps do what it says",
  ignore: !isInstalled("curl") || !isInstalled("python3"),
  fn: () =>
    withShell(async ({ path, sh }) => {
      const server = await startPostern(["demo", "--data", `${path}/demo`, "--ports", "0,0,0,0,0"]);
      try {
        const imaps = { "127.0.0.1:1993": server.address("imaps") };
        const curl = "curl -k --user demo@localhost:postern-demo ";
        assert.match(await sh(take(`${curl}imaps`), imaps), /\bINBOX\b/);
        assert.match(
          await sh(take(`${curl}'imaps://127.0.0.1:1993/INBOX?`), imaps),
          /^\* SEARCH( \d+)+\r\n$/,
        );
        const newest = take(`${curl}'imaps://127.0.0.1:1993/INBOX;MAILINDEX`);
        await sh(take("printf 'From: demo@localhost"), {
          "127.0.0.1:1587": server.address("submission"),
        });
        assert.match(await sh(newest, imaps), /^Subject: Sent\r$/m);
        await sh(take("python3 -c 'import smtplib"), {
          '"127.0.0.1", 1024': server.address("lmtp").replace(/(.*):/, '"$1", '),
        });
        assert.match(await sh(newest, imaps), /^Subject: By LMTP\r$/m);
        await sh(take("printf 'From: me@example.org"), {
          "postern-demo/postern.toml": `${path}/demo/postern.toml`,
        });
        assert.match(await sh(newest, imaps), /^Subject: By pipe\r$/m);
      } finally {
        await server.stop("SIGTERM");
      }
    }),
});

Deno.test({
  name: "the README's commands for a new host, moving, backup and restore do what it says",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withShell(async ({ path, sh }) => {
      const made = await sh(`${take("postern quickstart example.org")} --dir ${path}/etc`);
      const [, password = ""] = /its password:\n +(\S+)/.exec(made) ?? [];
      // Where nothing has to be root's and nothing can be in the way.
      const config = `${path}/etc/postern.toml`;
      await Deno.writeTextFile(
        config,
        `hostname = "mail.example.org"\ndata_dir = "data"\n[[listener]]\nkind = "imaps"\naddress = "127.0.0.1:0"\n`,
      );
      const postern = { "postern ": `postern --config ${config} ` };
      let server: ServerProcess = await startPostern(["serve", "--config", config]);
      try {
        const mail = "From: a@example.net\nSubject: Kept\n\nHello!\n";
        const delivered = await runPostern(
          ["deliver", "alice@example.org", "--config", config],
          { stdin: mail },
        );
        assert.equal(delivered.code, 0, delivered.stderr);
        await sh(`postern --config ${config} export maildir ${path}/maildir alice@example.org`);
        await sh(`postern --config ${config} export mbox ${path}/mbox alice@example.org`);
        await sh(take("postern import maildir "), {
          ...postern,
          "/var/vmail/alice/Maildir": `${path}/maildir`,
        });
        await sh(take("postern import mbox "), {
          ...postern,
          "/var/mail/alice": `${path}/mbox/INBOX.mbox`,
        });
        // Another account plays the old server.
        await sh(`postern --config ${config} account add bob@example.org --generate`);
        await Deno.writeTextFile(`${path}/password`, password);
        const moved = take("postern import imap ");
        await sh(`${moved} --insecure --password-file ${path}/password`, {
          ...postern,
          "old.example.org": server.address("imaps"),
          " alice@example.org": " bob@example.org",
        });
        const bob = JSON.parse(
          await sh(`postern --config ${config} account show bob@example.org --json`),
        );
        const inbox = bob.mailboxes.find(({ name }: { name: string }) => name === "INBOX");
        assert.equal(inbox.messages, 3);

        const backup = { "/mnt/backup/postern": `${path}/backup` };
        const [whole = "", one = ""] = COMMANDS.filter((each) =>
          each.startsWith("postern restore")
        );
        await sh(take("postern backup "), { ...postern, ...backup });
        await sh(`postern --config ${config} account remove alice@example.org`);
        await sh(one, { ...postern, ...backup });
        await server.stop("SIGTERM");
        await Deno.remove(`${path}/etc/data`, { recursive: true });
        await sh(whole, { ...postern, ...backup });
        taken.add(whole).add(one);
        server = await startPostern(["serve", "--config", config]);
        assert.match(await sh(`postern --config ${config} account list`), /alice@example\.org/);
      } finally {
        await server.stop("SIGTERM");
      }
    }),
});

Deno.test({
  name: "the README's commands for watching do what it says",
  ignore: !isInstalled("curl"),
  fn: () =>
    withShell(async ({ path, sh }) => {
      const config = `${path}/postern.toml`;
      await Deno.writeTextFile(
        config,
        'data_dir = "data"\n[[listener]]\nkind = "metrics"\naddress = "127.0.0.1:0"\n',
      );
      const server = await startPostern(["serve", "--config", config]);
      try {
        const place = { "127.0.0.1:9143": server.address("metrics") };
        await sh(take("curl -fsS http://127.0.0.1:9143/readyz"), place);
        await sh(take("curl -fsS http://127.0.0.1:9143/healthz"), place);
        assert.match(
          await sh(take("curl -fsS http://127.0.0.1:9143/metrics"), place),
          /^postern_/m,
        );
      } finally {
        await server.stop("SIGTERM");
      }
      const traced = take("OTEL_DENO=true");
      const names = traced.split(/[\s\\]+/).filter((word) => /^[A-Z_]+=/.test(word));
      assert.match(traced, /\n +deno task postern serve$/);
      const env = Object.fromEntries(names.map((word) => word.split("=") as [string, string]));
      const other = await startPostern(["serve", "--config", config], {
        // Nobody listens there, which the README says costs nothing.
        env: { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" },
      });
      assert.equal((await other.stop("SIGTERM")).code, 0);
    }),
});

Deno.test({
  name: "the README's commands for binaries and releases do what it says, with a stand-in runtime",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withShell(async ({ path, sh }) => {
      const standIn = (command: string) => `DENORT_BIN=${Deno.execPath()} ${command}`;
      const compile = COMMANDS.filter((command) => command.startsWith("deno task compile"));
      assert.equal(compile.length, 2);
      for (const command of compile) {
        await sh(standIn(`${command} --output ${path}/postern`));
        assert.ok((await Deno.stat(`${path}/postern`)).size > 1_000_000);
        taken.add(command);
      }
      const release = take("deno task release");
      await sh(standIn(`${release} --target x86_64-unknown-linux-gnu --output ${path}/dist`));
      assert.ok((await Deno.stat(`${path}/dist/SHA256SUMS`)).isFile);
      assert.match(await sh(take("deno task release-notes")), /## Postern \d/);
    }),
});

Deno.test("the README's configuration is valid", () => {
  const [, toml = ""] = /```toml\n([\s\S]*?)```/.exec(README) ?? [];
  assert.ok(toml.includes("hostname"));
  assert.equal(toConfig(parseConfig(toml, "README.md")).hostname, "mail.example.org");
});

Deno.test("every command that the README lists has help", async () => {
  const listed: string[][] = [];
  for (const [, cell = ""] of README.matchAll(/^\| (`(?:demo|serve|\w+ ).*?) +\| /gm)) {
    let group: string | undefined;
    for (const [, usage = ""] of cell.matchAll(/`([^`]+)`/g)) {
      const words = /^[a-z]+(?: [a-z]+)*/.exec(usage)?.[0].split(" ") ?? [];
      // "domain add NAME, list": the second is of the group that the first names.
      if (words.length > 1) group = words[0];
      listed.push(words.length === 1 && group ? [group, ...words] : words);
    }
  }
  assert.ok(listed.length >= 20, String(listed.length));
  const check = async (names: readonly string[]) => {
    const { code, stdout } = await runPostern(["help", ...names]);
    assert.equal(code, 0, names.join(" "));
    assert.match(stdout, new RegExp(`^Usage: postern ${names.join(" ")}`));
  };
  // Starting is most of the work, and two processors may share it.
  for (let i = 0; i < listed.length; i += 4) {
    await Promise.all(listed.slice(i, i + 4).map(check));
  }
});

Deno.test({
  name: "no command of the README is run by nothing",
  // Those above must have run: not so when something is not installed.
  ignore: !isInstalled("curl") || !isInstalled("python3") || Deno.build.os === "windows",
  fn: () => assert.deepEqual(COMMANDS.filter((command) => !taken.has(command)), []),
});

Deno.test("a command of the README is whole, without what is said about it", () => {
  const text =
    "```sh\na 1   # why\nb '# no\nmore' |\n  c\n```\n\n1. x\n\n   ```sh\n   d \\\n     e\n   ```\n\n```\nf\n```\n";
  assert.deepEqual(shellCommands(text), ["a 1", "b '# no\nmore' |\n  c", "d \\\n     e"]);
});
