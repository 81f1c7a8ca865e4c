import assert from "node:assert/strict";
import { runHere } from "./postern_here.ts";
import { runPostern, withFolder } from "./postern_process.ts";

/** Runs a command that must succeed; gives stdout. */
async function succeed(config: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runHere(["--config", config, ...args]);
  assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
  assert.equal(stderr, "");
  return stdout;
}

Deno.test("a command line that makes no sense ends with 2 and one line that says why", async () => {
  const wrong: [string[], RegExp][] = [
    [[], /a command is missing/],
    [["account"], /a command is missing/],
    [["frobnicate"], /unknown command 'frobnicate'/],
    [["account", "frobnicate"], /unknown command 'frobnicate'/],
    [["account", "list", "--frobnicate"], /unknown option '--frobnicate'/],
    [["account", "add"], /missing required argument 'address'/],
    [["domain", "add", "a.example", "b.example"], /too many arguments/],
    [["account", "disable", "a@b.example"], /required option '--message <text>'/],
    [["account", "remove", "a@b.example", "--after", "soon"], /a duration with a unit.*"soon"/],
    [["help", "frobnicate"], /no command "frobnicate"/],
    [["demo", "--ports", "1,2,3"], /--ports: expected five numbers.*found "1,2,3"/],
    [["demo", "--ports", "1,2,3,4,70000"], /--ports: expected/],
    [["demo", "--host", "a b"], /--host: expected/],
  ];
  for (const [i, [args, why]] of wrong.entries()) {
    // The first is a process of its own: its exit code and streams are what a shell sees.
    const { code, stdout, stderr } = await (i === 0 ? runPostern : runHere)(args);
    assert.equal(code, 2, args.join(" "));
    assert.equal(stdout, "", args.join(" "));
    assert.match(stderr, /^postern: [^\n]+\n$/, args.join(" "));
    assert.match(stderr, why);
  }
});

Deno.test("help COMMAND and COMMAND --help are the same text, with an example", async () => {
  for (const names of [["account", "add"], ["serve"], ["deliver"], ["address", "add"]]) {
    const help = await runHere(["help", ...names]);
    const option = await runHere([...names, "--help"]);
    assert.deepEqual(help, option);
    assert.equal(help.code, 0);
    assert.equal(help.stderr, "");
    assert.match(help.stdout, /^Usage: postern /);
    assert.match(help.stdout, /Examples?:\n {2}\$ postern /);
    assert.match(help.stdout, /--config <file>/);
  }
});

Deno.test("help of every command has an example, or says where those below it have theirs", async () => {
  const visit = async (names: readonly string[]): Promise<number> => {
    const { stdout } = await runHere(["help", ...names]);
    const [, below = ""] = stdout.split("\nCommands:\n");
    const commands = [...below.matchAll(/^ {2}([a-z]+)/gm)].map(([, name = ""]) => name);
    const where = `\nEach has an example: postern help ${[...names, "COMMAND"].join(" ")}\n`;
    if (commands.length > 0) assert.ok(stdout.endsWith(where), stdout);
    else assert.match(stdout, /\nExamples?:\n(?: {2}\$ .+\n)* {2}\$ .*postern .+\n$/);
    let count = commands.length;
    for (const name of commands) count += await visit([...names, name]);
    return count;
  };
  assert.ok(await visit([]) > 50);
});

Deno.test("version says what runs here, as text and as JSON", async () => {
  const { stdout, code } = await runPostern(["version"]);
  assert.equal(code, 0);
  assert.match(stdout, /^postern \d+\.\d+\.\d+ \(Deno [\d.]+, SQLite [\d.]+, [\w-]+\)\n$/);
  assert.equal((await runPostern(["--version"])).stdout, stdout);
  const facts = JSON.parse((await runPostern(["version", "--json"])).stdout);
  assert.deepEqual(Object.keys(facts), ["version", "deno", "sqlite", "target"]);
});

Deno.test("a configuration that is wrong ends with 2 and names file, line, key and value", async () => {
  await withFolder(async ({ config }) => {
    for (const args of [["config", "check"], ["serve"], ["account", "list"], ["config", "show"]]) {
      const { code, stdout, stderr } = await runHere([...args, "--config", config]);
      assert.equal(code, 2, args.join(" "));
      assert.equal(stdout, "");
      assert.equal(
        stderr,
        `postern: ${config}:4: log.level: expected "error", "warn", "info", "debug" or "trace", ` +
          'found "loud"\n',
      );
    }
  }, '[log]\nlevel = "loud"\n');
});

Deno.test("the configuration is found by option, by variable, in the folder, in this order", async () => {
  await withFolder(async ({ path, config }) => {
    const show = async (args: string[], env: Record<string, string>, cwd: string) => {
      const { stdout } = await runPostern(["config", "show", "--json", ...args], { env, cwd });
      return JSON.parse(stdout).hostname;
    };
    await Deno.writeTextFile(`${path}/variable.toml`, 'hostname = "variable"');
    await Deno.writeTextFile(`${path}/option.toml`, 'hostname = "option"');
    const env = { POSTERN_CONFIG: `${path}/variable.toml` };
    assert.equal(await show(["--config", `${path}/option.toml`], env, path), "option");
    assert.equal(await show([], env, path), "variable");
    assert.equal(await show([], { POSTERN_CONFIG: "" }, path), "mail.example.org");
    const missing = await runPostern(["config", "check", "--config", `${config}.not`]);
    assert.deepEqual([missing.code, missing.stderr], [
      2,
      `postern: ${config}.not: no such file\n`,
    ]);
  });
});

Deno.test("config check warns of numbers that strangers can read, and says that all is valid", async () => {
  await withFolder(async ({ config }) => {
    const { code, stdout, stderr } = await runPostern(["config", "check", "--config", config]);
    assert.equal(code, 0);
    assert.equal(stdout, `${config} is valid\n`);
    assert.match(stderr, /^postern: warning: listener metrics 0\.0\.0\.0:9143: its numbers .*\n$/);
  }, '[[listener]]\nkind = "metrics"\naddress = "0.0.0.0:9143"\n');
});

Deno.test("config check looks for the relay's files", async () => {
  await withFolder(async ({ config, path }) => {
    const { code, stderr } = await runPostern(["config", "check", "--config", config]);
    assert.equal(code, 1);
    assert.match(stderr, /^postern: relay\.password_file: cannot read .*relay\.password: /);
    await Deno.writeTextFile(`${path}/relay.password`, "secret\n");
    assert.match(await succeed(config, "config", "check"), /is valid\n$/);
  }, '[relay]\nhost = "smtp.example.net"\nusername = "u"\npassword_file = "relay.password"\n');
});

Deno.test("domains, accounts and addresses live their lives on the command line", async () => {
  await withFolder(async ({ config }) => {
    await succeed(config, "domain", "add", "example.org");
    await succeed(config, "domain", "add", "example.net", "--disabled");
    assert.match(
      await succeed(config, "domain", "list"),
      /^DOMAIN +STATUS\nexample.net +disabled\nexample.org +enabled\n$/,
    );

    const alice = "alice@example.org";
    const password = await succeed(config, "account", "add", alice, "--generate");
    assert.match(password, /^[a-z2-9]{5}(-[a-z2-9]{5}){3}\n$/);
    await succeed(config, "address", "add", "sales@example.org", alice);
    await succeed(config, "address", "add", "@example.net", alice);
    await succeed(config, "account", "quota", alice, "2G");

    // As a process of its own, with the permissions that it has.
    const show = ["--config", config, "account", "show", alice, "--json"];
    const shown = JSON.parse((await runPostern(show)).stdout);
    assert.equal(shown.quotaBytes, 2 * 1024 ** 3);
    assert.equal(shown.disabled, false);
    assert.deepEqual(shown.addresses.toSorted(), ["@example.net", "sales@example.org"]);
    assert.deepEqual(shown.mailboxes.map(({ name }: { name: string }) => name).toSorted(), [
      ...["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"],
    ]);
    await succeed(config, "account", "capabilities", alice, "uidonly", "NOTIFY");
    const table = await succeed(config, "account", "show", alice);
    assert.match(table, /Quota +2G\n/);
    assert.match(table, /Capabilities +all but UIDONLY NOTIFY\n/);
    await succeed(config, "account", "capabilities", alice);

    await succeed(config, "account", "disable", alice, "--message", "Call the office.");
    const [listed] = JSON.parse(await succeed(config, "account", "list", "--json"));
    assert.deepEqual([listed.address, listed.disabled, listed.disabledMessage], [
      ...[alice, true, "Call the office."],
    ]);
    await succeed(config, "account", "enable", alice);
    await succeed(config, "account", "remove", alice, "--after", "30d");
    const [waiting] = JSON.parse(await succeed(config, "account", "list", "--json"));
    const graceDays = (Date.parse(waiting.removed) - Date.now()) / 86_400_000;
    assert.ok(waiting.disabled && graceDays > 29.9 && graceDays < 30.1, waiting.removed);
    assert.match(await succeed(config, "account", "list"), /alice@example.org +to be removed 2/);
    await succeed(config, "account", "enable", alice);
    await succeed(config, "account", "quota", alice, "none");
    await succeed(config, "account", "password", alice, "--generate");
    assert.match(await succeed(config, "account", "list"), /alice@example.org +enabled +none +2/);
    const checked = await runPostern(["--config", config, "check"]);
    assert.deepEqual(checked, { code: 0, stdout: "every invariant holds\n", stderr: "" });

    await succeed(config, "address", "remove", "sales@example.org");
    await succeed(config, "address", "remove", "@example.net");
    await succeed(config, "account", "remove", alice);
    await succeed(config, "domain", "enable", "example.net");
    await succeed(config, "domain", "disable", "example.net");
    await succeed(config, "domain", "remove", "example.net");
    await succeed(config, "domain", "remove", "example.org");
    assert.equal(await succeed(config, "domain", "list"), "");
    assert.equal(await succeed(config, "domain", "list", "--json"), "[]\n");
  });
});

Deno.test("what cannot be done ends with 1 and one line that says why", async () => {
  await withFolder(async ({ config }) => {
    await succeed(config, "domain", "add", "example.org");
    await succeed(config, "account", "add", "alice@example.org", "--generate");
    await succeed(config, "address", "add", "sales@example.org", "alice@example.org");
    const impossible: [string[], RegExp][] = [
      [["domain", "add", "example.org"], /example.org/],
      [["domain", "remove", "example.org"], /example.org/],
      [["domain", "enable", "example.com"], /example.com/],
      [["account", "add", "alice@example.org", "--generate"], /alice@example.org/],
      [["account", "add", "bob@example.com", "--generate"], /run "postern domain add example.com"/],
      [["account", "add", "bob", "--generate"], /@/],
      [["demo", "--data", config], /cannot make the data directory .*postern.toml: /],
      [["account", "show", "bob@example.org"], /no account bob@example.org/],
      [["account", "remove", "sales@example.org"], /leads to the account alice@example.org/],
      [["account", "quota", "alice+x@example.org", "1G"], /leads to the account alice@example.org/],
      [["address", "add", "sales@example.org", "alice@example.org"], /sales@example.org/],
      [["address", "remove", "nobody@example.org"], /nobody@example.org/],
    ];
    for (const [i, [args, why]] of impossible.entries()) {
      const started = i === 0 ? runPostern : runHere;
      const { code, stdout, stderr } = await started(["--config", config, ...args]);
      assert.equal(code, 1, `${args.join(" ")}: ${stderr}`);
      assert.equal(stdout, "");
      assert.match(stderr, /^postern: [^\n]+\n$/, args.join(" "));
      assert.match(stderr, why);
    }
  });
});

Deno.test("a password comes from one line of stdin, and a bad one changes nothing", async () => {
  await withFolder(async ({ config }) => {
    await succeed(config, "domain", "add", "example.org");
    const add = ["--config", config, "account", "add", "alice@example.org", "--stdin"];
    const bad: [string | undefined, RegExp][] = [
      ["short\n", /shorter than 8/],
      ["\n", /no password: expected one line/],
      [undefined, /no password: expected one line/],
    ];
    for (const [stdin, why] of bad) {
      const result = await runPostern(add, stdin === undefined ? {} : { stdin });
      assert.equal(result.code, 2, result.stderr);
      assert.match(result.stderr, why);
    }
    assert.equal(await succeed(config, "account", "list"), "");
    const done = await runPostern(add, { stdin: "correct horse\r\nbattery staple\n" });
    assert.deepEqual(done, { code: 0, stdout: "", stderr: "" });
    const both = await runPostern([...add, "--generate"], { stdin: "correct horse\n" });
    assert.equal(both.code, 2);
    assert.match(both.stderr, /exclude each other/);
  });
});

Deno.test("no output of any command holds a password that was given", async () => {
  await withFolder(async ({ config }) => {
    await succeed(config, "domain", "add", "example.org");
    const password = "xyzzy-plugh-plover";
    const add = ["--config", config, "account", "add", "alice@example.org", "--stdin"];
    const outputs = [await runPostern(add, { stdin: password })];
    outputs.push(await runPostern([...add, "--json"], { stdin: password }));
    outputs.push(await runPostern(["--config", config, "account", "show", "alice@example.org"]));
    for (const { stdout, stderr } of outputs) assert.ok(!`${stdout}${stderr}`.includes(password));
  });
});

Deno.test("the data directory and its files are for their owner only", async () => {
  await withFolder(async ({ path, config }) => {
    await succeed(config, "domain", "add", "example.org");
    const { mode } = await Deno.stat(`${path}/data`);
    assert.equal((mode ?? 0) & 0o777, 0o700);
  });
});
