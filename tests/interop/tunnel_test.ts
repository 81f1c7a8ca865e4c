import assert from "node:assert/strict";
import { makeVerifier } from "../../src/auth/mod.ts";
import { decodeLatin1, EMPTY_BYTES } from "../../src/base/mod.ts";
import { openSqliteStore } from "../../src/store/sqlite/engine.ts";
import type { AccountStore } from "../../src/store/mod.ts";
import { FLAGS, withFolder } from "../app/postern_process.ts";
import { TEST_COSTS } from "../support/server.ts";
import { digestOf, isInstalled, octetsOf, runOk, uniqueMessage } from "./programs.ts";

const USER = "user@example.org";
const ROOT = new URL("../../", import.meta.url).pathname;

interface Tunnel {
  readonly folder: string;
  /** A command that takes no arguments and speaks IMAP. */
  readonly command: string;
  readonly mail: AccountStore;
}

/** A test of a program that starts `postern imapserve` itself; skipped where it is missing. */
function tunnelTest(
  name: string,
  programs: readonly string[],
  body: (tunnel: Tunnel) => Promise<void>,
): void {
  const missing = programs.filter((program) => !isInstalled(program));
  if (missing.length > 0) {
    // deno-lint-ignore no-console -- the reason for a skipped test belongs in the test's output
    console.log(`skipped, ${missing.join(", ")} not installed: ${name}`);
  }
  const fn = () =>
    withFolder(async ({ path, config }) => {
      const store = await openSqliteStore({ dataDir: `${path}/data` });
      try {
        await store.directory.addDomain("example.org");
        const verifier = await makeVerifier("correct horse", TEST_COSTS);
        const account = await store.directory.addAccount(USER, verifier);
        const mail = await store.openAccount(account.id);
        const command = `${path}/tunnel`;
        const main = `${ROOT}main.ts --config '${config}' imapserve ${USER}`;
        const flags = [...FLAGS.slice(0, 1), "--config", `${ROOT}deno.json`, ...FLAGS.slice(1)];
        await Deno.writeTextFile(
          command,
          // The home of the program is a test folder; deno's cache is not in there.
          `#!/bin/sh\nexport DENO_DIR='${await denoDir()}'\n` +
            `exec '${Deno.execPath()}' ${flags.join(" ")} ${main}\n`,
          { mode: 0o755 },
        );
        await body({ folder: path, command, mail });
        for await (const breach of mail.check()) assert.fail(breach);
      } finally {
        await store.close();
      }
    });
  Deno.test({ name, ignore: missing.length > 0, fn });
}

async function denoDir(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}

async function append(mail: AccountStore, mailbox: string, number: number): Promise<void> {
  const stage = mail.stageMessage();
  await stage.write(new TextEncoder().encode(uniqueMessage(number)));
  const internalDate = { seconds: 1_700_000_000 + number, zoneMinutes: 0 };
  await mail.append(
    mailbox,
    [{ staged: await stage.finish(), flags: 0, keywords: [], internalDate }],
    { create: true },
  );
}

/** Digest and flags of each message, in the order of their UIDs. */
async function read(mail: AccountStore, mailbox: string): Promise<[string, number][]> {
  const { mailbox: { id }, uids } = await mail.selectMailbox(mailbox, { claimRecent: false });
  const found: [string, number][] = [];
  for await (const page of mail.fetchMessages(id, uids, ["raw"])) {
    for (const { raw, flags } of page) {
      found.push([digestOf(decodeLatin1(raw ?? EMPTY_BYTES)), flags]);
    }
  }
  return found;
}

const digest = (number: number) => digestOf(octetsOf(uniqueMessage(number)));

tunnelTest("mbsync syncs both ways through its Tunnel", ["mbsync"], async (tunnel) => {
  const { folder, command, mail } = tunnel;
  for (const number of [1, 2, 3]) await append(mail, "INBOX", number);
  await append(mail, "Entwürfe", 4);
  await Deno.mkdir(`${folder}/mail`);
  await Deno.writeTextFile(
    `${folder}/mbsyncrc`,
    `FSync no
IMAPStore far
Tunnel "${command}"

MaildirStore near
Path ${folder}/mail/
Inbox ${folder}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
`,
  );
  const sync = async () => {
    const { stderr } = await runOk(folder, "mbsync", ["-c", `${folder}/mbsyncrc`, "all"]);
    assert.doesNotMatch(stderr, /error|warning/i, stderr);
  };
  await sync();
  const inbox = `${folder}/mail/INBOX/cur`;
  const files = await Array.fromAsync(Deno.readDir(`${folder}/mail/INBOX/new`));
  assert.equal(files.length, 3);
  assert.equal((await Array.fromAsync(Deno.readDir(`${folder}/mail/Entw&APw-rfe/new`))).length, 1);
  for (const { name } of files) {
    await Deno.rename(`${folder}/mail/INBOX/new/${name}`, `${inbox}/${name.split(":")[0]}:2,S`);
  }
  await Deno.writeTextFile(`${inbox}/1700000009.9.host:2,F`, uniqueMessage(9).replaceAll("\r", ""));
  await sync();
  const found = await read(mail, "INBOX");
  assert.deepEqual(found.slice(0, 3), [1, 2, 3].map((number) => [digest(number), 1]));
  assert.deepEqual([found.length, found[3]?.[1]], [4, 4]);
});

tunnelTest(
  "neomutt reads, flags and saves through its tunnel",
  ["neomutt", "script"],
  async ({ folder, command, mail }) => {
    for (const number of [1, 2, 3]) await append(mail, "INBOX", number);
    const keys = "<jump>2<enter><display-message><exit><flag-message>" +
      "<last-entry><save-message>=Geschäft<enter><sync-mailbox><quit>";
    await Deno.writeTextFile(
      `${folder}/neomuttrc`,
      [
        `set tunnel="${command}" tunnel_is_secure=yes`,
        'set folder="imap://localhost/" spoolfile="imap://localhost/INBOX"',
        "set delete=yes move=no confirmappend=no confirmcreate=no save_empty=yes wait_key=no",
        "set mark_old=no quit=yes beep=no sleep_time=0 header_cache=''",
        `push "${keys}"`,
        "",
      ].join("\n"),
    );
    await runOk(folder, "script", [
      "-qec",
      `neomutt -n -F ${folder}/neomuttrc -f imap://localhost/INBOX`,
      "/dev/null",
    ]);
    assert.deepEqual(await read(mail, "INBOX"), [[digest(1), 0], [digest(2), 1 | 4]]);
    assert.deepEqual((await read(mail, "Geschäft")).map(([each]) => each), [digest(3)]);
  },
);
