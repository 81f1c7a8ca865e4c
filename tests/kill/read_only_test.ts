import assert from "node:assert/strict";
import { runPostern, startPostern, withFolder } from "../app/postern_process.ts";
import { isRoot, run } from "./programs.ts";

const LISTENER = '[[listener]]\nkind = "imap"\naddress = "127.0.0.1:0"\n';
const USER = "ann@example.org";
const MESSAGE = "Subject: kept\r\n\r\nbody\r\n";

/** What an admin may try, with what is read on stdin; code 1 but for `deliver`. */
const COMMANDS: readonly (readonly [args: readonly string[], stdin?: string, code?: number])[] = [
  [["serve"]],
  [["account", "list"]],
  [["account", "add", "bob@example.org", "--stdin"], "another password\n"],
  [["domain", "remove", "example.org"]],
  [["deliver", USER], MESSAGE, 75],
  [["check"]],
  [["check", "--repair"]],
  [["queue", "list"]],
  [["logins"]],
  [["ban", "list"]],
  [["imapserve", USER], "a SELECT INBOX\r\n"],
];

for (const wasKilled of [false, true]) {
  const before = wasKilled ? "a server was killed on it" : "all was stopped well";
  Deno.test({
    // Only root may mount.
    name: `on a read-only disk each command says so in one line and nothing is lost: ${before}`,
    ignore: !isRoot,
    fn: () =>
      withFolder(async ({ path, config }) => {
        const data = `${path}/data`;
        const postern = (args: readonly string[], stdin = "") =>
          runPostern(["--config", config, ...args], { stdin });
        await Deno.mkdir(data);
        await run("mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", data);
        try {
          await postern(["domain", "add", "example.org"]);
          await postern(["account", "add", USER, "--stdin"], "correct horse battery\n");
          await postern(["deliver", USER], MESSAGE);
          if (wasKilled) {
            const server = await startPostern(["--config", config, "serve"]);
            assert.equal((await postern(["deliver", USER], MESSAGE)).code, 0);
            await server.stop("SIGKILL");
          }
          await run("mount", "-o", "remount,ro", data);
          for (const [args, stdin, expected = 1] of COMMANDS) {
            const { code, stdout, stderr } = await postern(args, stdin);
            assert.deepEqual([code, stdout], [expected, ""], `${args.join(" ")}: ${stderr}`);
            assert.match(
              stderr,
              /^postern: cannot open \/\S+\/data\/directory\.db: .*; is the disk full or read-only.*\n$/,
            );
          }
          await run("mount", "-o", "remount,rw", data);
          const { stdout } = await postern(["imapserve", USER], "a EXAMINE INBOX\r\nb LOGOUT\r\n");
          assert.match(stdout, wasKilled ? /^\* 2 EXISTS/m : /^\* 1 EXISTS/m);
          assert.equal((await postern(["check"])).stdout, "every invariant holds\n");
        } finally {
          await run("umount", "-l", data);
        }
      }, LISTENER),
  });
}
