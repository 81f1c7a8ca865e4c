import assert from "node:assert/strict";
import { ImapFlow } from "imapflow";
import { openSqliteStore } from "../../src/store/sqlite/engine.ts";
import { runPostern, withFolder } from "../app/postern_process.ts";
import { contentsOf } from "../transfer/contents.ts";
import { isInstalled, uniqueMessage } from "./programs.ts";

const USER = "alice@example.org";
const PASSWORD = "old-password";
/** Owner of Dovecot's mail: an account that every Debian has. */
const MAIL_USER = "mail";

interface Dovecot {
  readonly port: number;
  readonly maildir: string;
  readonly client: ImapFlow;
}

/** Why Debian's Dovecot cannot be run here, if so. */
function obstacle(): string | undefined {
  // Its processes change their user.
  if (Deno.uid() !== 0) return "not root";
  return isInstalled("dovecot") && isInstalled("doveadm") ? undefined : "dovecot not installed";
}

async function withDovecot(
  folder: string,
  body: (dovecot: Dovecot) => Promise<void>,
): Promise<void> {
  const probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = (probe.addr as Deno.NetAddr).port;
  probe.close();
  await Deno.mkdir(`${folder}/home`);
  await Deno.chmod(folder, 0o755);
  await new Deno.Command("chown", { args: [MAIL_USER, `${folder}/home`] }).output();
  const special = (name: string, use: string) =>
    `  mailbox "${name}" {\n    special_use = \\${use}\n    auto = subscribe\n  }\n`;
  await Deno.writeTextFile(
    `${folder}/dovecot.conf`,
    `protocols = imap
listen = 127.0.0.1
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/dovecot.log
ssl = no
disable_plaintext_auth = no
mail_location = maildir:~/Maildir
first_valid_uid = 1
passdb {
  driver = static
  args = password=${PASSWORD}
}
userdb {
  driver = static
  args = uid=${MAIL_USER} gid=${MAIL_USER} home=${folder}/home allow_all_users=yes
}
namespace inbox {
  inbox = yes
${special("Sent", "Sent")}${special("Entwürfe", "Drafts")}}
service imap-login {
  inet_listener imap {
    port = ${port}
  }
}
`,
  );
  const server = new Deno.Command("dovecot", {
    args: ["-F", "-c", `${folder}/dovecot.conf`],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const client = new ImapFlow({
    ...{ host: "127.0.0.1", port, secure: false, logger: false },
    auth: { user: USER, pass: PASSWORD },
  });
  try {
    for (let tries = 0; tries < 200; tries++) {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
      connection?.close();
      if (connection) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await client.connect();
    await body({ port, maildir: `${folder}/home/Maildir`, client });
    await client.logout();
  } finally {
    client.close();
    server.kill("SIGTERM");
    await server.status;
  }
}

/** What a person's mail looks like: many mailboxes, flags, keywords, dates of other years. */
async function fill(client: ImapFlow): Promise<void> {
  for (const name of ["Projekte", "Projekte.März", "天気", "Alt"]) await client.mailboxCreate(name);
  await client.mailboxUnsubscribe("Alt");
  const mails: [string, number, string[], string][] = [
    ["INBOX", 1, ["\\Seen", "\\Answered"], "2019-03-31T03:00:00+02:00"],
    ["INBOX", 2, ["\\Flagged", "$Label1", "NonJunk"], "2020-02-29T23:59:59Z"],
    ["INBOX", 3, [], "2024-12-31T23:00:00-05:00"],
    ["Sent", 4, ["\\Seen"], "2023-01-01T00:00:00Z"],
    ["Entwürfe", 5, ["\\Draft"], "2023-01-02T00:00:00Z"],
    ["Projekte.März", 6, ["wichtig"], "2001-09-09T01:46:40Z"],
    ["天気", 7, ["\\Deleted"], "2023-01-03T00:00:00Z"],
  ];
  for (const [mailbox, number, flags, date] of mails) {
    await client.append(mailbox, uniqueMessage(number), flags, new Date(date));
  }
  const large = `Subject: large\r\n\r\n${"0123456789abcdef\r\n".repeat(100_000)}`;
  await client.append("Alt", large, ["\\Seen"], new Date("2022-01-01T00:00:00Z"));
}

const reason = obstacle();
// deno-lint-ignore no-console -- the reason for a skipped test belongs in the test's output
if (reason) console.log(`skipped, ${reason}: moving from Dovecot`);

Deno.test({
  name: "an account moves from Debian's Dovecot, by IMAP and from its Maildir, as the README says",
  ignore: reason !== undefined,
  fn: () =>
    withFolder(({ path, config }) =>
      withDovecot(path, async ({ client, port, maildir }) => {
        await fill(client);
        const run = async (args: string[], stdin?: string) => {
          const result = await runPostern(
            ["--config", config, ...args],
            stdin === undefined ? {} : { stdin },
          );
          assert.equal(result.code, 0, `${args.join(" ")}: ${result.stderr}`);
          assert.equal(result.stderr, "");
          return result.stdout;
        };
        await run(["domain", "add", "example.org"]);
        await run(["account", "add", USER, "--generate"]);
        await run(["account", "add", "bob@example.org", "--generate"]);
        await Deno.writeTextFile(`${path}/password`, `${PASSWORD}\n`);
        const byImap = [
          ...["import", "imap", `imap://alice%40example.org@127.0.0.1:${port}/`, USER],
          ...["--insecure", "--password-file", `${path}/password`],
        ];
        assert.match(await run(byImap), /INBOX +3\n/);

        const read = async (address: string) => {
          const store = await openSqliteStore({ dataDir: `${path}/data` });
          try {
            const account = await store.directory.resolveAddress(address);
            assert.ok(account);
            const mail = await store.openAccount(account.id);
            for await (const breach of mail.check()) assert.fail(breach);
            return await contentsOf(mail);
          } finally {
            await store.close();
          }
        };
        const contents = await read(USER);
        const facts = (name: string) => contents[name]?.facts;
        const rest = (name: string) =>
          contents[name]?.messages.map((line) => line.slice(line.indexOf(" ") + 1));
        assert.deepEqual(rest("INBOX"), [
          "3 1553994000 ",
          "4 1583020799 $Label1 NonJunk",
          "0 1735704000 ",
        ]);
        assert.deepEqual(rest("Projekte/März"), ["0 1000000000 wichtig"]);
        assert.deepEqual(rest("天気"), ["8 1672704000 "]);
        assert.deepEqual(rest("Alt"), ["1 1640995200 "]);
        assert.deepEqual(
          [facts("Entwürfe"), facts("Sent"), facts("Alt"), facts("天気"), facts("Drafts")],
          ["subscribed Drafts", "subscribed Sent", " ", "subscribed ", "subscribed "],
        );

        // The days until everybody has moved: what is new, and flags, follow.
        await client.mailboxOpen("INBOX");
        await client.messageFlagsAdd("3", ["\\Seen", "wichtig"]);
        await client.append("INBOX", uniqueMessage(8), [], new Date("2025-01-01T00:00:00Z"));
        assert.match(await run(byImap), /INBOX +1\n/);
        const followed = await read(USER);
        assert.deepEqual(
          followed["INBOX"]?.messages.slice(2).map((line) => line.slice(line.indexOf(" ") + 1)),
          ["1 1735704000 wichtig", "0 1735689600 "],
        );

        // And the same account from its files.
        await run(["import", "maildir", maildir, "bob@example.org"]);
        const fromFiles = await read("bob@example.org");
        for (const [name, { facts, messages }] of Object.entries(followed)) {
          const sorted = (lines: readonly string[] = []) => [...lines].sort();
          if (name === "Drafts") continue;
          assert.deepEqual(sorted(fromFiles[name]?.messages), sorted(messages), name);
          // Which mailbox is for what stands in Dovecot's configuration, not in the Maildir.
          assert.equal(fromFiles[name]?.facts.split(" ")[0], facts.split(" ")[0], name);
        }
      })
    ),
});
