import assert from "node:assert/strict";
import { VERSION } from "../../src/base/mod.ts";
import { literal, type Result, type TestClient, utf8 } from "../support/client.ts";
import { PASSWORD, type TestServer, USER, withServer } from "../support/server.ts";

const MESSAGE = "Subject: Hello\r\n\r\nHello, world.\r\n";

/** Runs `body` with a client that acts and one that watches, both logged in. */
async function withTwo(
  body: (actor: TestClient, watcher: TestClient, server: TestServer) => Promise<void>,
): Promise<void> {
  await withServer(async (server) => {
    await body(await server.login(), await server.login(), server);
  });
}

/** The names in LIST responses. */
function names(result: Result): string[] {
  return result.untagged.map((line) => line.replace(/^LIST \(.*?\) "\/" /, ""));
}

/** The number behind `item` in the STATUS response of a mailbox. */
async function status(client: TestClient, mailbox: string, item: string): Promise<number> {
  const { untagged } = await client.ok(`STATUS ${mailbox} (${item})`);
  const line = untagged.find((line) => line.startsWith("STATUS "));
  return Number(new RegExp(`${item} (\\d+)`).exec(line ?? "")?.[1]);
}

Deno.test("what one connection does to mailboxes, another sees at once", async () => {
  await withTwo(async (actor, watcher) => {
    await actor.ok("CREATE Work/Old");
    assert.deepEqual(names(await watcher.ok('LIST "" "Work*"')), ["Work", "Work/Old"]);
    await actor.ok("RENAME Work Play");
    assert.deepEqual(names(await watcher.ok('LIST "" "*/*"')), ["Play/Old"]);
    await actor.ok("UNSUBSCRIBE Work");
    assert.deepEqual(names(await watcher.ok('LIST (SUBSCRIBED) "" "Work*"')), ["Work/Old"]);
    await watcher.no("CREATE Play", "ALREADYEXISTS");
    await actor.no("DELETE Play", "HASCHILDREN");
    await actor.ok("DELETE Play/Old");
    await watcher.no("STATUS Play/Old (MESSAGES)", "NONEXISTENT");
    await watcher.ok("DELETE Play");
    await actor.no("DELETE Play", "NONEXISTENT");
  });
});

Deno.test("RENAME below the own name takes mail and children along, and the old name is a new mailbox", async () => {
  await withTwo(async (actor, watcher) => {
    await actor.ok("CREATE a/c");
    await actor.append("a", "Subject: moved\r\n\r\n1\r\n");
    const before = await status(actor, "a", "UIDVALIDITY");
    await actor.ok("RENAME a a/b");
    assert.deepEqual(names(await watcher.ok('LIST "" "a*"')), ["a", "a/b", "a/b/c"]);
    assert.equal(await status(watcher, "a/b", "UIDVALIDITY"), before);
    assert.equal(await status(watcher, "a/b", "MESSAGES"), 1);
    assert.equal(await status(watcher, "a", "MESSAGES"), 0);
    assert.ok(await status(watcher, "a", "UIDVALIDITY") > before);
  });
});

Deno.test("UNSUBSCRIBE of a name that nobody ever subscribed or made is OK and changes nothing", async () => {
  await withTwo(async (actor, watcher) => {
    const before = (await watcher.ok('LIST (SUBSCRIBED) "" "*"')).untagged;
    const { untagged, code } = await actor.ok("UNSUBSCRIBE never/there");
    assert.deepEqual([untagged, code], [[], undefined]);
    assert.deepEqual((await watcher.ok('LIST (SUBSCRIBED) "" "*"')).untagged, before);
  });
});

Deno.test("a special use goes from one mailbox to another, and everybody sees it", async () => {
  await withTwo(async (actor, watcher) => {
    const pattern = '"" ("Bin" "Junk" "Trash")';
    assert.deepEqual(names(await watcher.ok(`LIST (SPECIAL-USE) ${pattern}`)), ["Junk", "Trash"]);
    await actor.no("CREATE Bin (USE (\\All))", "USEATTR");
    await actor.ok("CREATE Bin (USE (\\Trash \\Junk))");
    assert.deepEqual((await watcher.ok(`LIST ${pattern}`)).untagged, [
      'LIST (\\HasNoChildren \\Junk \\Trash) "/" Bin',
      'LIST (\\HasNoChildren) "/" Junk',
      'LIST (\\HasNoChildren) "/" Trash',
    ]);
  });
});

Deno.test("a mailbox deleted while others have it selected is gone for them too", async () => {
  await withTwo(async (actor, watcher) => {
    await actor.ok("CREATE Work");
    await actor.append("Work", MESSAGE);
    await watcher.ok("SELECT Work");
    const uidValidity = await status(actor, "Work", "UIDVALIDITY");
    await actor.ok("DELETE Work");
    await watcher.ok("NOOP");
    await watcher.no("FETCH 1 FLAGS", "NONEXISTENT");
    await watcher.no("STATUS Work (MESSAGES)", "NONEXISTENT");
    await actor.ok("CREATE Work");
    // The new mailbox is another one, for the session that had the old one selected too.
    await watcher.no("FETCH 1 FLAGS", "NONEXISTENT");
    assert.ok(await status(watcher, "Work", "UIDVALIDITY") > uidValidity);
    await watcher.ok("CLOSE");
    assert.ok((await watcher.ok("SELECT Work")).untagged.includes("0 EXISTS"));
  });
});

Deno.test("a session may delete the mailbox that it has selected", async () => {
  await withTwo(async (actor, watcher) => {
    await actor.ok("CREATE Work");
    await actor.ok("SELECT Work");
    await actor.ok("DELETE Work");
    await actor.ok("UNSELECT");
    await watcher.no("STATUS Work (MESSAGES)", "NONEXISTENT");
  });
});

Deno.test("a mailbox renamed while others have it selected stays selected", async () => {
  await withTwo(async (actor, watcher) => {
    await actor.ok("CREATE Work");
    await actor.append("Work", MESSAGE);
    await watcher.ok("SELECT Work");
    const uidValidity = await status(actor, "Work", "UIDVALIDITY");
    await actor.ok("RENAME Work Play");
    assert.equal((await watcher.ok("FETCH 1 UID")).untagged.length, 1);
    await actor.append("Play", MESSAGE);
    assert.ok((await watcher.ok("NOOP")).untagged.includes("2 EXISTS"));
    assert.equal(await status(watcher, "Play", "UIDVALIDITY"), uidValidity);
  });
});

Deno.test("RENAME INBOX moves its messages, in the eyes of who has it selected too", async () => {
  await withTwo(async (actor, watcher) => {
    await actor.append("INBOX", MESSAGE);
    await actor.append("INBOX", MESSAGE);
    await actor.ok("CREATE INBOX/Sub");
    await watcher.ok("SELECT INBOX");
    await actor.ok("RENAME INBOX Old/Mail");
    assert.deepEqual((await watcher.ok("NOOP")).untagged, ["2 EXPUNGE", "1 EXPUNGE"]);
    assert.equal(await status(watcher, "INBOX", "MESSAGES"), 0);
    assert.equal(await status(watcher, "INBOX", "UIDNEXT"), 3);
    assert.equal(await status(watcher, "Old/Mail", "MESSAGES"), 2);
    assert.deepEqual(names(await watcher.ok('LIST "" "INBOX*"')), ["INBOX", "INBOX/Sub"]);
  });
});

Deno.test("STATUS tells what others did, and takes no message's \\Recent", async () => {
  await withTwo(async (actor, watcher) => {
    await actor.ok("CREATE Work");
    await actor.append("Work", MESSAGE);
    await actor.append("Work", MESSAGE, { flags: "\\Seen \\Deleted" });
    const all = "MESSAGES UIDNEXT UNSEEN DELETED SIZE RECENT";
    const { untagged } = await watcher.ok(`STATUS Work (${all})`);
    assert.deepEqual(untagged, [
      `STATUS Work (MESSAGES 2 UIDNEXT 3 UNSEEN 1 DELETED 1 SIZE ${2 * MESSAGE.length} RECENT 2)`,
    ]);
    assert.ok((await actor.ok("SELECT Work")).untagged.includes("2 RECENT"));
    assert.equal(await status(watcher, "Work", "RECENT"), 0);
    // Of the selected mailbox too, and there its own \Recent messages count.
    assert.equal(await status(actor, "Work", "RECENT"), 2);
    assert.equal(await status(actor, "Work", "MESSAGES"), 2);
    await actor.ok("STORE 1 +FLAGS (\\Seen)");
    assert.equal(await status(watcher, "Work", "UNSEEN"), 0);
    await actor.ok("EXPUNGE");
    assert.equal(await status(watcher, "Work", "SIZE"), MESSAGE.length);
    assert.equal(await status(watcher, "Work", "UIDNEXT"), 3);
  });
});

Deno.test("STATUS HIGHESTMODSEQ turns CONDSTORE on, alone and through LIST", async () => {
  await withServer(async (server) => {
    for (
      const command of [
        "STATUS INBOX (HIGHESTMODSEQ)",
        'LIST "" INBOX RETURN (STATUS (HIGHESTMODSEQ))',
      ]
    ) {
      const [actor, watcher] = [await server.login("INBOX"), await server.login("INBOX")];
      const { untagged } = await watcher.ok(command);
      assert.match(untagged.join("\n"), /^OK \[HIGHESTMODSEQ \d+\]/m);
      assert.match(untagged.join("\n"), /^STATUS INBOX \(HIGHESTMODSEQ \d+\)$/m);
      await actor.append("INBOX", MESSAGE);
      await watcher.ok("NOOP");
      await actor.ok("STORE 1 FLAGS (\\Flagged)");
      assert.match((await watcher.ok("NOOP")).untagged.join("\n"), /FETCH \(.*MODSEQ \(\d+\)/);
      await actor.ok("STORE 1 FLAGS ()");
    }
  });
});

Deno.test("STATUS of every mailbox comes with one LIST", async () => {
  await withTwo(async (actor, watcher) => {
    await actor.ok("CREATE Work");
    await actor.append("Work", MESSAGE);
    const { untagged } = await watcher.ok('LIST "" (INBOX Work) RETURN (STATUS (MESSAGES SIZE))');
    assert.deepEqual(untagged, [
      'LIST (\\HasNoChildren) "/" INBOX',
      "STATUS INBOX (MESSAGES 0 SIZE 0)",
      'LIST (\\HasNoChildren) "/" Work',
      `STATUS Work (MESSAGES 1 SIZE ${MESSAGE.length})`,
    ]);
  });
});

Deno.test("each connection has names spelt as it asked for", async () => {
  await withTwo(async (actor, watcher) => {
    assert.deepEqual((await watcher.ok("ENABLE IMAP4rev2")).untagged, ["ENABLED IMAP4REV2"]);
    await actor.ok("CREATE Entw&APw-rfe&-");
    const [line] = (await watcher.ok('LIST "" "Entw*"')).untagged;
    assert.equal(utf8(line ?? ""), 'LIST (\\HasNoChildren) "/" "Entwürfe&"');
    await watcher.ok(["CREATE ", literal("日本語", { nonSync: true })]);
    await watcher.ok(["STATUS ", literal("日本語"), " (MESSAGES)"]);
    assert.deepEqual(names(await actor.ok('LIST "" "&ZeVnLIqe-"')), ["&ZeVnLIqe-"]);
    await actor.bad("STATUS Entw&rfe (MESSAGES)");
    assert.deepEqual(names(await watcher.ok('LIST "" "&*"')), []);
  });
});

Deno.test("a quoted name may hold quotes and backslashes", async () => {
  await withTwo(async (actor, watcher) => {
    await actor.ok('CREATE "a\\\\b\\"c d"');
    assert.deepEqual(names(await watcher.ok('LIST "" a*')), ['"a\\\\b\\"c d"']);
    await watcher.ok('DELETE "a\\\\b\\"c d"');
  });
});

Deno.test("CREATE with a delimiter at the end answers in the terms of each protocol", async () => {
  await withTwo(async (actor, watcher) => {
    assert.deepEqual((await actor.ok("CREATE a/")).untagged, []);
    await watcher.ok("ENABLE IMAP4rev2");
    assert.deepEqual((await watcher.ok("CREATE b/")).untagged, [
      'LIST (\\HasNoChildren \\Subscribed) "/" b ("OLDNAME" (b/))',
    ]);
    assert.deepEqual(names(await actor.ok('LIST "" (a b)')), ["a", "b"]);
  });
});

Deno.test("commands sent at once are answered in order", async () => {
  await withTwo(async (actor) => {
    actor.send(
      'p1 CREATE a\r\np2 LIST "" a\r\np3 CREATE a\r\np4 DELETE a\r\np5 LIST "" a\r\np6 NOOP\r\n',
    );
    const answers = [];
    for (const tag of ["p1", "p2", "p3", "p4", "p5", "p6"]) answers.push(await actor.answer(tag));
    assert.deepEqual(answers.map((answer) => answer.status), ["OK", "OK", "NO", "OK", "OK", "OK"]);
    assert.deepEqual(answers.map((answer) => answer.untagged.length), [0, 1, 0, 0, 0, 0]);
  });
});

Deno.test("before login nothing says what runs here, and mailboxes are out of reach", async () => {
  await withServer(async (server) => {
    const client = await server.connect();
    assert.doesNotMatch(client.greeting, /postern/i);
    assert.deepEqual((await client.ok('ID ("name" "test")')).untagged, ["ID NIL"]);
    const [before] = (await client.ok("CAPABILITY")).untagged;
    assert.doesNotMatch(before ?? "", /LIST|NAMESPACE|APPENDLIMIT|SPECIAL/);
    for (
      const command of [
        "CREATE a",
        "DELETE a",
        "RENAME a b",
        "SUBSCRIBE a",
        "UNSUBSCRIBE a",
        'LIST "" "*"',
        'LSUB "" "*"',
        "STATUS INBOX (MESSAGES)",
        "NAMESPACE",
        "ENABLE CONDSTORE",
        "CHECK",
      ]
    ) {
      const answer = await client.cmd(command);
      assert.notEqual(answer.status, "OK", command);
      assert.deepEqual(answer.untagged, [], command);
      await client.ok("NOOP");
    }
    await client.ok(`LOGIN ${USER} "${PASSWORD}"`);
    assert.deepEqual((await client.ok("ID NIL")).untagged, [
      `ID ("name" "Postern" "version" "${VERSION}")`,
    ]);
    await client.ok("CREATE a");
    const [after] = (await client.ok("CAPABILITY")).untagged;
    assert.match(after ?? "", / LIST-EXTENDED /);
    assert.doesNotMatch(after ?? "", /AUTH=/);
  });
});

Deno.test("CHECK needs a mailbox; LOGOUT says BYE and closes", async () => {
  await withTwo(async (actor) => {
    assert.notEqual((await actor.cmd("CHECK")).status, "OK");
    await actor.ok("SELECT INBOX");
    await actor.ok("CHECK");
    assert.match((await actor.ok("LOGOUT")).untagged[0] ?? "", /^BYE /);
    assert.equal(await actor.rest(), "");
  });
});

Deno.test("a capability switched off for an account is neither announced nor enabled", async () => {
  await withServer(async (server) => {
    const account = await server.store.directory.resolveAddress(USER);
    assert.ok(account);
    await server.store.directory.setDisabledCapabilities(account.id, ["IMAP4REV2", "SPECIAL-USE"]);
    const client = await server.login();
    const [line] = (await client.ok("CAPABILITY")).untagged;
    assert.match(line ?? "", / IMAP4rev1 /);
    assert.doesNotMatch(line ?? "", /IMAP4rev2| SPECIAL-USE/);
    assert.deepEqual((await client.ok("ENABLE IMAP4rev2")).untagged, ["ENABLED"]);
    assert.equal(await status(client, "INBOX", "RECENT"), 0);
  });
});

Deno.test("names that no mailbox can have are refused with CANNOT and leave nothing behind", async () => {
  await withTwo(async (actor, watcher) => {
    const before = await watcher.ok('LIST "" "*"');
    for (const name of ['""', "a//b", "/a", "a/../b", "#a", '"&AAE-"']) {
      await actor.no(`CREATE ${name}`, "CANNOT");
      await actor.no(`RENAME INBOX ${name}`, "CANNOT");
      await actor.no(`SUBSCRIBE ${name}`, "CANNOT");
    }
    assert.deepEqual((await watcher.ok('LIST "" "*"')).untagged, before.untagged);
  });
});
