import assert from "node:assert/strict";
import { PASSWORD, USER } from "../support/server.ts";
import {
  appendUnique,
  type Bench,
  certificateFile,
  digestOf,
  octetsOf,
  programTest,
  readMailbox,
  runOk,
  uniqueMessage,
} from "./programs.ts";

/** Runs neomutt on a mailbox, with `keys` as if typed; it must end by itself. */
async function neomutt(
  bench: Bench,
  mailbox: string,
  keys: string,
  settings: readonly string[] = [],
): Promise<void> {
  const { server, folder } = bench;
  const config = `${folder}/neomuttrc`;
  const url = `imaps://127.0.0.1:${server.tlsPort}`;
  await Deno.writeTextFile(
    config,
    [
      `set folder="${url}/" spoolfile="${url}/INBOX"`,
      `set imap_user="${USER}" imap_pass="${PASSWORD}"`,
      `set certificate_file="${await certificateFile(bench)}" ssl_verify_host=no`,
      "set delete=yes move=no confirmappend=no confirmcreate=no save_empty=yes wait_key=no",
      "set mark_old=no quit=yes beep=no sleep_time=0 header_cache=''",
      ...settings,
      `push "${keys.replaceAll("\n", "<enter>")}"`,
      "",
    ].join("\n"),
  );
  // Keys come from the configuration; script gives the terminal that curses wants.
  await runOk(folder, "script", [
    "-qec",
    `neomutt -n -F ${config} -f '${url}/${mailbox}'`,
    "/dev/null",
  ]);
}

programTest(
  "neomutt reads, tags, flags, saves and expunges",
  ["neomutt", "script"],
  async (bench) => {
    const { observer } = bench;
    const numbers = Array.from({ length: 30 }, (_, i) => i + 1);
    await appendUnique(observer, "INBOX", numbers);
    await observer.ok("SELECT INBOX");
    await neomutt(
      bench,
      "INBOX",
      // Reads the third, flags the fifth, saves 20 to 29 to a new mailbox, deletes the last.
      "<jump>3\n<display-message><exit>" +
        "<tag-pattern>~s 'Message 5$'\n<tag-prefix><flag-message><untag-pattern>.\n" +
        "<tag-pattern>~s 'Message 2.$'\n<tag-prefix><save-message>=Geschäft\n" +
        "<last-entry><delete-message><sync-mailbox><quit>",
    );
    const left = numbers.filter((number) => number < 20);
    assert.deepEqual(
      (await readMailbox(observer, "INBOX")).map(({ digest, flags }) => `${digest} ${flags}`),
      left.map((number) => {
        const flags = number === 3 ? "\\Seen" : number === 5 ? "\\Flagged" : "";
        return `${digestOf(octetsOf(uniqueMessage(number)))} ${flags}`;
      }),
    );
    assert.deepEqual(
      (await readMailbox(observer, "Gesch&AOQ-ft")).map(({ digest }) => digest),
      numbers.filter((number) => number >= 20 && number < 30).map((number) =>
        digestOf(octetsOf(uniqueMessage(number)))
      ),
    );
  },
);

programTest(
  "neomutt logs in by SCRAM-SHA-256, creates a mailbox and copies a message between mailboxes",
  ["neomutt", "script"],
  async (bench) => {
    const { observer } = bench;
    await appendUnique(observer, "Archive", [1, 2]);
    const keys = "<last-entry><copy-message>=Drafts\n<quit>";
    await neomutt(bench, "Archive", keys, ['set imap_authenticators="scram-sha-256"']);
    const digests = async (mailbox: string) =>
      (await readMailbox(observer, mailbox)).map(({ digest }) => digest);
    const second = digestOf(octetsOf(uniqueMessage(2)));
    assert.deepEqual(await digests("Drafts"), [second]);
    assert.equal((await digests("Archive")).length, 2);
  },
);

programTest(
  "neomutt is told of mail that comes while it has the mailbox open",
  ["neomutt", "script"],
  async (bench) => {
    const { observer } = bench;
    await appendUnique(observer, "INBOX", [1]);
    await observer.ok("SELECT INBOX");
    const command = `touch ${bench.folder}/waiting; sleep 0.7`;
    const ended = neomutt(
      bench,
      "INBOX",
      `<shell-escape>${command}\n<flag-message><sync-mailbox><last-entry><flag-message><sync-mailbox><quit>`,
    );
    await appearance(`${bench.folder}/waiting`);
    await appendUnique(observer, "INBOX", [2]);
    await ended;
    const flags = (await readMailbox(observer, "INBOX")).map(({ flags }) => flags);
    assert.deepEqual(flags, ["\\Flagged", "\\Flagged"]);
  },
);

/** Waits until a file is there. */
async function appearance(path: string): Promise<void> {
  for (let i = 0; i < 2000; i++) {
    if (await Deno.stat(path).then(() => true, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.fail(`${path} did not appear`);
}
