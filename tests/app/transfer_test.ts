import assert from "node:assert/strict";
import { isInstalled } from "../interop/programs.ts";
import { runPostern, withFolder } from "./postern_process.ts";

async function withAccounts(
  body: (
    run: (args: string[], stdin?: string) => ReturnType<typeof runPostern>,
    folder: string,
    config: string,
  ) => Promise<void>,
): Promise<void> {
  await withFolder(async ({ path, config }) => {
    const run = (args: string[], stdin?: string) =>
      runPostern(["--config", config, ...args], stdin === undefined ? {} : { stdin });
    await run(["domain", "add", "example.org"]);
    await run(["account", "add", "a@example.org", "--generate"]);
    await run(["account", "add", "b@example.org", "--generate"]);
    await run(["deliver", "a@example.org"], "Subject: x\n\nFrom me\n");
    await body(run, path, config);
  });
}

Deno.test("export and import carry an account over the command line", () =>
  withAccounts(async (run, folder) => {
    for (const kind of ["mbox", "maildir"]) {
      const exported = await run(["export", kind, `${folder}/${kind}`, "a@example.org", "--json"]);
      assert.equal(exported.code, 0, exported.stderr);
      assert.deepEqual(
        JSON.parse(exported.stdout).find((each: { mailbox: string }) => each.mailbox === "INBOX"),
        { mailbox: "INBOX", messages: 1, warnings: [] },
      );
      const imported = await run(["import", kind, `${folder}/${kind}`, "b@example.org"]);
      assert.equal(imported.code, 0, imported.stderr);
      assert.equal(imported.stderr, "", "no bar where nobody looks");
      assert.match(imported.stdout, /^MAILBOX +MESSAGES\n[^]*INBOX +1\n/);
    }
    const shown = JSON.parse((await run(["account", "show", "b@example.org", "--json"])).stdout);
    const inbox = shown.mailboxes.find(({ name }: { name: string }) => name === "INBOX");
    assert.equal(inbox.messages, 2);
  }));

Deno.test("what cannot be exported or imported fails with one line that says why", () =>
  withAccounts(async (run, folder) => {
    const wrong: [string[], number, RegExp][] = [
      [["export", "mbox", folder, "a@example.org"], 1, /is not empty.*choose another folder/],
      [["export", "tar", folder, "a@example.org"], 2, /unknown command 'tar'/],
      [["import", "mbox", `${folder}/none`, "a@example.org"], 1, /none: no such file or directory/],
      [["import", "mbox", `${folder}/postern.toml`, "a@example.org"], 1, /not in mbox format/],
      [["import", "maildir", folder, "a@example.org"], 1, /is no Maildir/],
      [["import", "maildir", folder, "c@example.org"], 1, /no account c@example.org/],
      [["import", "mbox", `${folder}/postern.toml`, "a@example.org", "--mailbox", "a//b"], 1, /em/],
      [["import", "imap", "http://x@y/", "a@example.org"], 2, /expected imaps:/],
      [["import", "imap", "imaps://x:secret@y/", "a@example.org"], 2, /password does not belong/],
      [["import", "imap", "imaps://y/", "a@example.org"], 2, /the user is missing/],
      [["import", "imap", "imap://x@127.0.0.1:1/", "a@example.org"], 1, /ECONNREFUSED/],
    ];
    for (const [args, code, why] of wrong) {
      const result = await run(args, "secret\n");
      assert.equal(result.code, code, `${args.join(" ")}: ${result.stderr}`);
      assert.equal(result.stdout, "");
      assert.match(result.stderr, /^postern: [^\n]+\n$/);
      assert.match(result.stderr, why);
      assert.doesNotMatch(result.stderr, /secret/);
    }
  }));

Deno.test({
  name: "a person at a terminal sees how far an import is",
  // `script` gives it a terminal.
  ignore: !isInstalled("script"),
  fn: () =>
    withAccounts(async (run, folder, config) => {
      await run(["export", "mbox", `${folder}/mbox`, "a@example.org"]);
      const args = ["--config", config, "import", "mbox", `${folder}/mbox`, "b@example.org"];
      await Deno.writeTextFile(
        `${folder}/run.ts`,
        `import { posternCommand } from "${new URL("postern_process.ts", import.meta.url)}";
        const child = posternCommand(${JSON.stringify(args)}, {}).spawn();
        Deno.exit((await child.status).code);`,
      );
      const { code, stdout } = await new Deno.Command("script", {
        args: ["-qec", `${Deno.execPath()} run -A --no-config ${folder}/run.ts`, "/dev/null"],
        env: { TERM: "xterm" },
      }).output();
      const text = new TextDecoder().decode(stdout);
      assert.equal(code, 0, text);
      assert.match(text, /INBOX .*100%/);
      assert.match(text, /MAILBOX +MESSAGES/);
    }),
});
