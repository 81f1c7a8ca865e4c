import assert from "node:assert/strict";
import { PASSWORD, USER } from "../support/server.ts";
import {
  appendUnique,
  type Bench,
  certificateFile,
  octetsOf,
  type Output,
  programTest,
  readMailbox,
  run,
  uniqueMessage,
} from "./programs.ts";

/** curl over TLS from the start, or by STARTTLS. */
async function curl(
  bench: Bench,
  path: string,
  args: readonly string[] = [],
  scheme: "imap" | "imaps" = "imaps",
  stdin = "",
): Promise<Output> {
  const { server, folder } = bench;
  const port = scheme === "imaps" ? server.tlsPort : server.port;
  return await run(
    folder,
    "curl",
    [
      "--silent",
      "--show-error",
      "--ssl-reqd",
      "--cacert",
      await certificateFile(bench),
      "--user",
      `${USER}:${PASSWORD}`,
      ...args,
      `${scheme}://127.0.0.1:${port}/${path}`,
    ],
    stdin,
  );
}

programTest(
  "curl lists, searches and fetches, over TLS and by STARTTLS",
  ["curl"],
  async (bench) => {
    const { observer } = bench;
    await appendUnique(observer, "INBOX", [1, 2, 3]);
    for (const scheme of ["imaps", "imap"] as const) {
      const listed = await curl(bench, "", [], scheme);
      const names = ["INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash"];
      for (const name of names) assert.match(listed.stdout, new RegExp(` "?${name}"?\r\n`));
      assert.equal(listed.stdout.split("\r\n").length, names.length + 1, listed.stdout);
      assert.equal(
        (await curl(bench, "INBOX?SUBJECT%20%22Message%202%22", [], scheme)).stdout,
        "* SEARCH 2\r\n",
      );
      const whole = await curl(bench, "INBOX;UID=2", [], scheme);
      assert.equal(whole.stdout, octetsOf(uniqueMessage(2)));
      const last = await curl(bench, "INBOX;MAILINDEX=*", [], scheme);
      assert.equal(last.stdout, octetsOf(uniqueMessage(3)));
      const subject = await curl(
        bench,
        "INBOX;UID=1;SECTION=HEADER.FIELDS%20(SUBJECT)",
        [],
        scheme,
      );
      assert.equal(subject.stdout, "Subject: Message 1\r\n\r\n");
      const text = await curl(bench, "INBOX;UID=1;SECTION=TEXT;PARTIAL=5.9", [], scheme);
      assert.equal(text.stdout, "of messag");
    }
  },
);

programTest("curl appends what the observer reads, byte for byte", ["curl"], async (bench) => {
  const { observer } = bench;
  await observer.ok("SELECT INBOX");
  const idle = await observer.idle();
  // 300 kB: more than one read of the server, and more than a piece of the store.
  const large = uniqueMessage(7) + "0123456789\r\n".repeat(25_000);
  for (const message of [uniqueMessage(5), large]) {
    const file = `${bench.folder}/message.eml`;
    await Deno.writeTextFile(file, message);
    const { code, stderr } = await curl(bench, "INBOX", ["--upload-file", file]);
    assert.equal(code, 0, stderr);
  }
  assert.equal(await idle.next(), "1 EXISTS");
  await idle.done();
  const stored = await readMailbox(observer, "INBOX");
  assert.deepEqual(stored.map(({ raw }) => raw), [uniqueMessage(5), large].map(octetsOf));
  // curl marks what it uploads as seen.
  assert.deepEqual(stored.map(({ flags }) => flags), ["\\Seen", "\\Seen"]);
});

programTest(
  "curl sends commands of its own, and is refused as it should be",
  ["curl"],
  async (bench) => {
    await appendUnique(bench.observer, "INBOX", [1, 2, 3]);
    const request = (command: string, path = "INBOX") => curl(bench, path, ["--request", command]);
    const flagged = await request("STORE 2 +FLAGS (\\Deleted)");
    assert.match(flagged.stdout, /^\* 2 FETCH \(.*FLAGS \(.*\\Deleted.*\).*\)\r\n$/);
    assert.equal((await request("EXPUNGE")).stdout, "* 2 EXPUNGE\r\n");
    await request("CREATE Gr&APwA3w-e", "");
    assert.match(
      (await request("STATUS INBOX (MESSAGES)", "")).stdout,
      /^\* STATUS "?INBOX"? \(MESSAGES 2\)/,
    );
    await bench.observer.ok("STATUS Gr&APwA3w-e (MESSAGES)");
    // 67: login denied; 78: the file given in the URL was not found.
    const denied = await curl(bench, "INBOX", ["--user", `${USER}:wrong`]);
    assert.equal(denied.code, 67);
    assert.equal((await curl(bench, "INBOX;UID=999")).code, 78);
    const plain = await curl(bench, "INBOX?ALL", ["--login-options", "AUTH=PLAIN"]);
    assert.equal(plain.stdout, "* SEARCH 1 2\r\n", plain.stderr);
  },
);
