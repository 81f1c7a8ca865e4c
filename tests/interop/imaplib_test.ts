import assert from "node:assert/strict";
import { PASSWORD, USER } from "../support/server.ts";
import { programTest, readMailbox, uniqueMessage } from "./programs.ts";

const SCRIPT = new URL("imaplib_client.py", import.meta.url).pathname;

programTest(
  "Python's imaplib logs in, stores, finds, flags, copies, expunges, names and waits",
  ["python3"],
  async ({ server, observer }) => {
    const child = new Deno.Command("python3", {
      args: [SCRIPT, `${server.port}`, `${server.tlsPort}`, USER, PASSWORD],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const stderr = new Response(child.stderr).text();
    const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
    let stdout = "";
    for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
      stdout += piece;
      if (piece.includes("idling")) await observer.append("INBOX", uniqueMessage(1));
    }
    const { code } = await child.status;
    clearTimeout(timer);
    assert.equal(code, 0, await stderr);
    await stderr;
    assert.match(stdout, /done/);

    const inbox = await readMailbox(observer, "INBOX");
    assert.deepEqual(inbox.map(({ flags }) => flags), ["$Work \\Seen", "", "", ""]);
    assert.equal(inbox[3]?.raw.length, new TextEncoder().encode(uniqueMessage(1)).length);
    const archive = await readMailbox(observer, "Archive");
    assert.deepEqual(archive.map(({ flags }) => flags), [
      "\\Deleted",
      "\\Deleted \\Flagged",
      "$Work \\Seen",
    ]);
    assert.equal(archive[2]?.digest, inbox[0]?.digest);
    assert.equal((await readMailbox(observer, "Gr&APwA3w-e")).length, 1);
  },
);
