import assert from "node:assert/strict";
import { lines } from "../support/messages.ts";
import { type TestServer, withServer } from "../support/server.ts";

/** INBOX with messages 1 to `count`; the higher the UID, the smaller the message and its subject. */
async function withMail(server: TestServer, count: number) {
  const c = await server.login("INBOX");
  for (let i = 1; i <= count; i++) {
    const subject = `Subject: ${String.fromCharCode(96 + count - i + 1)}`;
    await c.append("INBOX", lines(subject, "", "x".repeat(10 * (count - i + 1))));
  }
  return c;
}

const esearch = (data: string) => (line: string | undefined) => {
  assert.match(line ?? "nothing", /^ESEARCH \(TAG "t\d+"\)/);
  assert.equal((line ?? "").replace(/^ESEARCH \(TAG "t\d+"\)/, "").trim(), data);
};

Deno.test("ESORT tells the lowest, highest, number and order of what it sorted", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, 6);
    await c.ok("UID STORE 2 +FLAGS (\\Deleted)");
    await c.ok("EXPUNGE");
    const ask = async (command: string, data: string) => {
      const { untagged } = await c.ok(command);
      assert.equal(untagged.length, 1, untagged.join("\n"));
      esearch(data)(untagged[0]);
    };
    await ask("UID SORT RETURN () (SUBJECT) UTF-8 ALL", "UID ALL 6,5,4,3,1");
    await ask("SORT RETURN (ALL) (SUBJECT) UTF-8 ALL", "ALL 5,4,3,2,1");
    await ask("UID SORT RETURN (ALL) (REVERSE SIZE) UTF-8 ALL", "UID ALL 1,3:6");
    await ask("UID SORT RETURN (MIN) (SUBJECT) UTF-8 ALL", "UID MIN 6");
    await ask(
      "UID SORT RETURN (COUNT MAX MIN) (SUBJECT) UTF-8 UID 3:5",
      "UID MIN 5 MAX 3 COUNT 3",
    );
    await ask("UID SORT RETURN (ALL COUNT) (SUBJECT) UTF-8 TEXT nope", "UID COUNT 0");
    const changed = (await c.ok("UID SORT RETURN (ALL) (SUBJECT) UTF-8 MODSEQ 1")).untagged;
    assert.match(changed.at(-1) ?? "", / UID ALL 6,5,4,3,1 MODSEQ \d+$/);
    assert.match(
      (await c.ok("SORT (SUBJECT) UTF-8 MODSEQ 1")).untagged[0] ?? "",
      /^SORT 5 4 3 2 1 \(MODSEQ \d+\)$/,
    );
    await c.bad("SORT RETURN (NOPE) (SUBJECT) UTF-8 ALL");
    await c.bad("SORT RETURN () UTF-8 ALL");
  });
});

Deno.test("SAVE in a SORT keeps what the options told", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, 5);
    await c.ok("UID SORT RETURN (SAVE) (SUBJECT) UTF-8 UID 2:4");
    assert.deepEqual((await c.ok("SEARCH $")).untagged, ["SEARCH 2 3 4"]);
    await c.ok("UID SORT RETURN (SAVE MIN) (SUBJECT) UTF-8 UID 2:4");
    assert.deepEqual((await c.ok("SEARCH $")).untagged, ["SEARCH 4"]);
    const refused = await c.no("UID SORT RETURN (SAVE) (SUBJECT) X-NOPE ALL");
    assert.match(refused.code ?? "", /^BADCHARSET /);
    assert.deepEqual((await c.ok("SEARCH $")).untagged, ["SEARCH"]);
  });
});

Deno.test("PARTIAL gives pages from either end, and NIL beyond the ends", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, 6);
    const watcher = await server.login("INBOX");
    await watcher.ok("UID STORE 2 +FLAGS (\\Deleted)");
    await watcher.ok("EXPUNGE");
    await c.ok("NOOP");
    const ask = async (command: string, data: string) => {
      const { untagged } = await c.ok(command);
      assert.equal(untagged.length, 1, untagged.join("\n"));
      esearch(data)(untagged[0]);
    };
    const pages: [string, string][] = [
      ["1:2", "1,3"],
      ["2:1", "1,3"],
      ["4:9", "5:6"],
      ["6:9", "NIL"],
      ["-1:-2", "5:6"],
      ["-2:-1", "5:6"],
      ["-4:-9", "1,3"],
      ["-5:-5", "1"],
      ["-6:-9", "NIL"],
      ["1:4294967295", "1,3:6"],
    ];
    for (const [range, set] of pages) {
      await ask(`UID SEARCH RETURN (PARTIAL ${range}) ALL`, `UID PARTIAL (${range} ${set})`);
    }
    await ask("SEARCH RETURN (PARTIAL -1:-2) ALL", "PARTIAL (-1:-2 4:5)");
    await ask("SEARCH RETURN (PARTIAL 1:3) TEXT nope", "PARTIAL (1:3 NIL)");
    await ask(
      "UID SEARCH RETURN (MIN MAX COUNT PARTIAL 2:3) ALL",
      "UID MIN 1 MAX 6 COUNT 5 PARTIAL (2:3 3:4)",
    );
    await ask(
      "UID SORT RETURN (PARTIAL 2:3) (SUBJECT) UTF-8 ALL",
      "UID PARTIAL (2:3 5,4)",
    );
    await ask("UID SORT RETURN (PARTIAL -1:-2) (SUBJECT) UTF-8 ALL", "UID PARTIAL (-1:-2 3,1)");
    const wrong = ["ALL PARTIAL 1:2", "PARTIAL 1:2 ALL", "PARTIAL 1:2 PARTIAL 3:4"];
    const syntax = ["PARTIAL", "PARTIAL 0:1", "PARTIAL 1", "PARTIAL -1:2", "PARTIAL 1:*"];
    for (const options of [...wrong, ...syntax]) await c.bad(`SEARCH RETURN (${options}) ALL`);
  });
});

Deno.test("SAVE with PARTIAL keeps what RFC 9394's table says", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, 9);
    const cases: [string, string][] = [
      ["PARTIAL 3:4", "3 4"],
      ["PARTIAL 3:4 MIN", "1 3 4"],
      ["PARTIAL 3:4 MAX", "3 4 9"],
      ["PARTIAL 3:4 MIN MAX", "1 3 4 9"],
      ["PARTIAL 3:4 COUNT", "1 2 3 4 5 6 7 8 9"],
      ["PARTIAL 3:4 COUNT MIN", "1 2 3 4 5 6 7 8 9"],
    ];
    for (const [options, saved] of cases) {
      await c.ok(`UID SEARCH RETURN (SAVE ${options}) ALL`);
      assert.deepEqual((await c.ok("SEARCH $")).untagged, [`SEARCH ${saved}`], options);
    }
    await c.ok("UID SEARCH RETURN (SAVE PARTIAL 20:30) ALL");
    assert.deepEqual((await c.ok("SEARCH $")).untagged, ["SEARCH"]);
  });
});

Deno.test("UID FETCH with PARTIAL picks messages before CHANGEDSINCE does", async () => {
  await withServer(async (server) => {
    const c = await withMail(server, 6);
    const other = await server.login("INBOX");
    const uids = (lines: readonly string[]) =>
      lines.map((line) => Number(/UID (\d+)/.exec(line)?.[1] ?? 0));
    const fetch = async (tail: string) => uids((await c.ok(`UID FETCH ${tail}`)).untagged);
    assert.deepEqual(await fetch("2:* FLAGS (PARTIAL -1:-3)"), [4, 5, 6]);
    assert.deepEqual(await fetch("2:* (UID FLAGS) (PARTIAL 1:2)"), [2, 3]);
    assert.deepEqual(await fetch("2:* FLAGS (PARTIAL 9:10)"), []);
    const { untagged } = await c.ok("STATUS INBOX (HIGHESTMODSEQ)");
    const before = /HIGHESTMODSEQ (\d+)/.exec(untagged.join())?.[1];
    await other.ok("UID STORE 1,5 +FLAGS (\\Flagged)");
    await c.ok("NOOP");
    assert.deepEqual(await fetch(`1:* FLAGS (PARTIAL -1:-3 CHANGEDSINCE ${before})`), [5]);
    assert.deepEqual(await fetch(`1:* FLAGS (CHANGEDSINCE ${before} PARTIAL 1:3)`), [1]);
    await c.bad("FETCH 1:* FLAGS (PARTIAL 1:2)");
    await c.bad("UID FETCH 1:* FLAGS (PARTIAL 1:2 PARTIAL 3:4)");
    await c.bad("UID FETCH 1:* FLAGS (PARTIAL)");
  });
});
