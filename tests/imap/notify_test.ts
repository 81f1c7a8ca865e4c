import assert from "node:assert/strict";
import { literal, type TestClient } from "../support/client.ts";
import { simpleMessage } from "../support/messages.ts";
import { type TestServer, withServer } from "../support/server.ts";

const ALL_MESSAGES = "(MessageNew MessageExpunge FlagChange)";
const SELECTED_ALL = `NOTIFY SET (SELECTED ${ALL_MESSAGES})`;

/** The next response, without "* ". */
async function next(client: TestClient): Promise<string> {
  const line = await client.response();
  assert.ok(line.startsWith("* "), line);
  return line.slice(2);
}

/** A client that sent NOTIFY, and one that changes things. */
async function pair(
  server: TestServer,
  notify: string,
  mailbox?: string,
): Promise<{ phone: TestClient; c: TestClient }> {
  const phone = await server.login(mailbox);
  await phone.ok(notify);
  return { phone, c: await server.login("INBOX") };
}

Deno.test("changes of the selected mailbox are told between commands, without IDLE", async () => {
  await withServer(async (server) => {
    const { phone, c } = await pair(server, SELECTED_ALL, "INBOX");
    const plain = await server.login("INBOX");
    await c.append("INBOX", simpleMessage());
    assert.equal(await next(phone), "1 EXISTS");
    assert.match(await next(phone), /^\d RECENT$/);
    assert.match(await next(phone), /^1 FETCH \(UID 1 FLAGS \((\\Recent)?\)\)$/);
    await c.ok("STORE 1 +FLAGS (\\Seen $Work)");
    assert.match(await next(phone), /^FLAGS \(.* \$Work\)$/);
    assert.match(await next(phone), /^OK \[PERMANENTFLAGS/);
    assert.match(await next(phone), /^1 FETCH \(UID 1 FLAGS \(\\Seen \$Work.*\)\)$/);
    await c.ok("STORE 1 +FLAGS.SILENT (\\Deleted)");
    assert.match(await next(phone), /^1 FETCH .*\\Deleted/);
    await c.ok("EXPUNGE");
    assert.equal(await next(phone), "1 EXPUNGE");
    // A session without NOTIFY hears nothing until it asks.
    assert.ok(await plain.isQuiet(50));
    // What this client does itself is told once, in answer to its commands.
    assert.deepEqual((await phone.ok(["APPEND INBOX ", literal(simpleMessage())])).untagged, [
      "1 EXISTS",
      "1 RECENT",
    ]);
    assert.ok(await phone.isQuiet(50));
  });
});

Deno.test("MessageNew tells the FETCH items that were asked for, in one EXISTS for many messages", async () => {
  await withServer(async (server) => {
    const { phone, c } = await pair(
      server,
      "NOTIFY SET (SELECTED (MessageNew (uid body.peek[header.fields (subject)]) MessageExpunge))",
      "INBOX",
    );
    await c.ok([
      "APPEND INBOX ",
      literal(simpleMessage("one")),
      " ",
      literal(simpleMessage("two")),
    ]);
    assert.equal(await next(phone), "2 EXISTS");
    await next(phone);
    for (const [uid, subject] of [[1, "one"], [2, "two"]] as const) {
      assert.equal(
        await next(phone),
        `${uid} FETCH (UID ${uid} BODY[HEADER.FIELDS (subject)] {16}\r\n` +
          `Subject: ${subject}\r\n\r\n)`,
      );
    }
    // Flags were not asked for.
    await c.ok("STORE 1 +FLAGS (\\Seen)");
    assert.ok(await phone.isQuiet(50));
    assert.deepEqual((await phone.ok("NOOP")).untagged, []);
    // An item that is no PEEK sets \Seen, as in a FETCH.
    await phone.ok("NOTIFY SET (SELECTED (MessageNew (BODY[TEXT]) MessageExpunge FlagChange))");
    await c.append("INBOX", simpleMessage());
    assert.equal(await next(phone), "3 EXISTS");
    await next(phone);
    assert.match(await next(phone), /^3 FETCH \(UID 3 FLAGS \(\\Seen.*\) BODY\[TEXT\] \{/);
    assert.match((await c.ok("UID FETCH 3 FLAGS")).untagged.at(-1) ?? "", /\\Seen/);
    assert.ok(await phone.isQuiet(50));
  });
});

Deno.test("flags that were passed over are told by the next NOTIFY SET, which is a NOOP too", async () => {
  await withServer(async (server) => {
    const { phone, c } = await pair(
      server,
      "NOTIFY SET (SELECTED (MessageNew MessageExpunge))",
      "INBOX",
    );
    for (let i = 0; i < 3; i++) await c.append("INBOX", simpleMessage());
    await c.ok("STORE 1 +FLAGS (\\Seen)");
    await c.ok("STORE 2 +FLAGS (\\Deleted)");
    await c.ok("EXPUNGE");
    await phone.ok("NOOP");
    const { untagged } = await phone.ok(SELECTED_ALL);
    assert.match(untagged.join(), /^1 FETCH \(UID 1 FLAGS \(\\Seen.*\)\)$/);
    // NOTIFY NONE ends everything, for NOOP and IDLE too; NOTIFY SET tells what was missed.
    await phone.ok("NOTIFY NONE");
    await c.append("INBOX", simpleMessage());
    await c.ok("STORE 1 -FLAGS (\\Seen)");
    assert.deepEqual((await phone.ok("NOOP")).untagged, []);
    const idle = await phone.idle();
    assert.ok(await phone.isQuiet(50));
    assert.deepEqual((await idle.done()).untagged, []);
    const missed = (await phone.ok("NOTIFY SET (SELECTED NONE)")).untagged;
    assert.ok(missed.includes("3 EXISTS"), missed.join());
    assert.ok(missed.some((line) => line.startsWith("1 FETCH (UID 1 FLAGS (")), missed.join());
    await c.ok("STORE 1 +FLAGS (\\Seen)");
    assert.deepEqual((await phone.ok("NOOP")).untagged, []);
  });
});

Deno.test("SELECTED-DELAYED keeps EXPUNGE back until a command that allows it, or IDLE", async () => {
  await withServer(async (server) => {
    const { phone, c } = await pair(
      server,
      `NOTIFY SET (SELECTED-DELAYED ${ALL_MESSAGES})`,
      "INBOX",
    );
    for (let i = 0; i < 3; i++) await c.append("INBOX", simpleMessage());
    await phone.ok("NOOP");
    await c.ok("STORE 1 +FLAGS.SILENT (\\Deleted)");
    await c.ok("EXPUNGE");
    await c.ok("STORE 2 +FLAGS (\\Flagged)");
    assert.match(await next(phone), /^(1|3) FETCH/);
    while (!(await phone.isQuiet(50))) assert.match(await next(phone), / FETCH /);
    const { untagged } = await phone.ok("FETCH 3 (UID)");
    assert.deepEqual(untagged, ["3 FETCH (UID 3)"]);
    assert.deepEqual((await phone.ok("NOOP")).untagged, ["1 EXPUNGE"]);
    await c.ok("STORE 1 +FLAGS.SILENT (\\Deleted)");
    await c.ok("EXPUNGE");
    const idle = await phone.idle();
    let line = await idle.next();
    while (!line.endsWith("EXPUNGE")) line = await idle.next();
    assert.equal(line, "1 EXPUNGE");
    await idle.done();
  });
});

Deno.test("SELECTED is whichever mailbox is selected; others are told as STATUS", async () => {
  await withServer(async (server) => {
    const { phone, c } = await pair(
      server,
      `NOTIFY SET (SELECTED ${ALL_MESSAGES}) (PERSONAL ${ALL_MESSAGES})`,
      "INBOX",
    );
    await c.append("Sent", simpleMessage());
    const { mailbox } = await (await server.mail()).selectMailbox("Sent", { claimRecent: false });
    const validity = mailbox.uidValidity;
    assert.equal(
      await next(phone),
      `STATUS Sent (MESSAGES 1 UIDNEXT 2 UIDVALIDITY ${validity} UNSEEN 1)`,
    );
    await phone.ok("SELECT Sent");
    await c.append("INBOX", simpleMessage());
    assert.match(await next(phone), /^STATUS INBOX \(MESSAGES 1 UIDNEXT 2 /);
    await c.append("Sent", simpleMessage());
    assert.equal(await next(phone), "2 EXISTS");
    await next(phone);
    await next(phone);
    await phone.ok("ENABLE CONDSTORE");
    await c.ok("STORE 1 +FLAGS (\\Seen)");
    assert.match(
      await next(phone),
      /^STATUS INBOX \(UIDVALIDITY \d+ UNSEEN 0 HIGHESTMODSEQ \d+\)$/,
    );
    // A MOVE tells of both, each with its own numbers (behaviour 8.2, 4c).
    await phone.ok("UNSELECT");
    await c.ok("MOVE 1 Archive");
    const moved = [await next(phone), await next(phone)].sort();
    assert.match(moved[0] ?? "", /^STATUS Archive \(MESSAGES 1 UIDNEXT 2 UIDVALIDITY \d+ UNSEEN 0/);
    assert.match(moved[1] ?? "", /^STATUS INBOX \(MESSAGES 0 UIDNEXT 2 UIDVALIDITY \d+ UNSEEN 0/);
    // What this client does itself is no news to it.
    await phone.ok(["APPEND Junk ", literal(simpleMessage())]);
    assert.ok(await phone.isQuiet(50));
  });
});

Deno.test("what a mailbox went through while it was selected and not told is told as STATUS after", async () => {
  await withServer(async (server) => {
    const { phone, c } = await pair(server, `NOTIFY SET (PERSONAL ${ALL_MESSAGES})`, "INBOX");
    await c.append("INBOX", simpleMessage());
    assert.ok(await phone.isQuiet(50));
    assert.deepEqual((await phone.ok("NOOP")).untagged, []);
    await phone.ok("UNSELECT");
    assert.match(await next(phone), /^STATUS INBOX \(MESSAGES 1 UIDNEXT 2 /);
    await phone.ok("SELECT INBOX");
    await phone.ok("SELECT Sent");
    assert.ok(await phone.isQuiet(50));
  });
});

Deno.test("each filter means its mailboxes, and the first that means one decides", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    for (const name of ["a", "a/b", "a/b/c", "ab", "INBOX/x", "plain"]) {
      await c.ok(`CREATE ${name}`);
    }
    await c.ok("UNSUBSCRIBE plain");
    const names = ["INBOX", "INBOX/x", "a", "a/b", "a/b/c", "ab", "plain"];
    const told = async (groups: string) => {
      const phone = await server.login();
      await phone.ok(`NOTIFY SET ${groups}`);
      for (const name of names) await c.append(name, simpleMessage());
      const heard = new Set<string>();
      for (const line of (await phone.ok("NOOP")).untagged) heard.add(line.split(" ")[1]!);
      await phone.logout();
      return [...heard].join(" ");
    };
    const both = "(MessageNew MessageExpunge)";
    assert.equal(await told(`(personal ${both})`), names.join(" "));
    assert.equal(await told(`(INBOXES ${both})`), "INBOX INBOX/x");
    assert.equal(await told(`(subscribed ${both})`), "INBOX INBOX/x a a/b a/b/c ab");
    assert.equal(await told(`(subtree a ${both})`), "a a/b a/b/c");
    assert.equal(await told(`(subtree-one (a ab) ${both})`), "a a/b ab");
    assert.equal(await told(`(mailboxes (a/b gone inbox "a//b") ${both})`), "INBOX a/b");
    assert.equal(await told(`(mailboxes "*" ${both})`), "");
    assert.equal(await told(`(subtree a/b NONE) (personal ${both})`), "INBOX INBOX/x a ab plain");
    assert.equal(await told(`(mailboxes a (MailboxName)) (subtree a ${both})`), "a a/b a/b/c");
    assert.equal(await told(`(personal ${both}) (mailboxes a NONE)`), names.join(" "));
    assert.equal(await told("(personal NONE)"), "");
  });
});

Deno.test("the SUBSCRIBED filter follows the subscriptions", async () => {
  await withServer(async (server) => {
    const { phone, c } = await pair(server, `NOTIFY SET (SUBSCRIBED ${ALL_MESSAGES})`);
    await c.ok("UNSUBSCRIBE Sent");
    await c.append("Sent", simpleMessage());
    assert.ok(await phone.isQuiet(50));
    await c.ok("SUBSCRIBE Sent");
    await c.append("Sent", simpleMessage());
    assert.match(await next(phone), /^STATUS Sent \(MESSAGES 2 /);
  });
});

Deno.test("SET STATUS tells the state of each watched mailbox but the selected one", async () => {
  await withServer(async (server) => {
    const phone = await server.login("INBOX");
    const c = await server.login();
    await c.append("Sent", simpleMessage());
    const both = "(MessageNew MessageExpunge)";
    let { untagged } = await phone.ok(
      `NOTIFY SET STATUS (SELECTED ${both}) (MAILBOXES (INBOX Sent nowhere) ${both})`,
    );
    assert.equal(untagged.length, 1);
    assert.match(
      untagged[0] ?? "",
      /^STATUS Sent \(MESSAGES 1 UIDNEXT 2 UIDVALIDITY \d+ UNSEEN 1\)$/,
    );
    ({ untagged } = await phone.ok(`NOTIFY SET STATUS (SUBTREE Sent ${ALL_MESSAGES})`));
    assert.match(
      untagged.join(),
      /^STATUS Sent \(.* UIDVALIDITY \d+ UNSEEN 1 HIGHESTMODSEQ \d+\)$/,
    );
    ({ untagged } = await phone.ok("NOTIFY SET STATUS (PERSONAL (MailboxName))"));
    assert.deepEqual(untagged, []);
    ({ untagged } = await phone.ok(`NOTIFY SET (PERSONAL ${both})`));
    assert.deepEqual(untagged, []);
  });
});

Deno.test("MailboxName tells creation, deletion, renaming and special uses, to others alone", async () => {
  await withServer(async (server) => {
    const { phone, c } = await pair(server, "NOTIFY SET (PERSONAL (MailboxName))");
    await c.ok("CREATE new/child");
    assert.equal(await next(phone), 'LIST (\\HasChildren \\Subscribed) "/" new');
    assert.equal(await next(phone), 'LIST (\\HasNoChildren \\Subscribed) "/" new/child');
    await c.ok("RENAME new old");
    // Subscriptions stay with the names; mailboxes below are not told of (RFC 5465 5.4).
    assert.equal(await next(phone), 'LIST (\\HasChildren) "/" old ("OLDNAME" (new))');
    await c.ok("DELETE old/child");
    assert.equal(await next(phone), 'LIST (\\NonExistent \\HasNoChildren) "/" old/child');
    assert.equal(await next(phone), 'LIST (\\HasNoChildren) "/" old');
    await c.ok("CREATE papers (USE (\\Archive))");
    const told = [await next(phone), await next(phone)];
    assert.deepEqual(told.sort(), [
      'LIST (\\HasNoChildren \\Archive \\Subscribed) "/" papers',
      'LIST (\\HasNoChildren \\Subscribed) "/" Archive',
    ]);
    await c.append("INBOX", simpleMessage());
    await c.ok("RENAME INBOX kept");
    assert.equal(await next(phone), 'LIST (\\HasNoChildren \\Subscribed) "/" kept');
    // Subscriptions and the client's own doings are no such news.
    await c.ok("UNSUBSCRIBE kept");
    await phone.ok("CREATE mine");
    await phone.ok("RENAME mine yours");
    await phone.ok("DELETE yours");
    assert.ok(await phone.isQuiet(50));
  });
});

Deno.test("a renamed mailbox is told to who watched either name, and its messages under the new one", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    await c.ok("CREATE work");
    await c.append("work", simpleMessage());
    const old = await server.login();
    await old.ok("NOTIFY SET (MAILBOXES work (MailboxName))");
    const fresh = await server.login();
    await fresh.ok("NOTIFY SET (SUBTREE team (MailboxName MessageNew MessageExpunge FlagChange))");
    await c.ok("RENAME work team/work");
    assert.equal(await next(old), 'LIST (\\HasNoChildren) "/" team/work ("OLDNAME" (work))');
    assert.equal(await next(fresh), 'LIST (\\HasNoChildren) "/" team/work ("OLDNAME" (work))');
    assert.equal(await next(fresh), 'LIST (\\HasChildren \\Subscribed) "/" team');
    const status = [await next(fresh), await next(fresh)];
    assert.match(status[0] ?? "", /^STATUS team \(MESSAGES 0 /);
    assert.match(status[1] ?? "", /^STATUS team\/work \(MESSAGES 1 UIDNEXT 2 /);
    // One made in place of another has another UIDVALIDITY, which must be told (RFC 5465 5.1).
    const before = /UIDVALIDITY (\d+)/.exec(status[1] ?? "")?.[1];
    await c.ok("DELETE team/work");
    await c.ok("CREATE team/work");
    let line = await next(fresh);
    while (!line.startsWith("STATUS team/work ")) line = await next(fresh);
    assert.notEqual(/UIDVALIDITY (\d+)/.exec(line)?.[1], before);
    assert.match(line, /MESSAGES 0 /);
  });
});

Deno.test("SubscriptionChange tells names with or without \\Subscribed", async () => {
  await withServer(async (server) => {
    const { phone, c } = await pair(server, "NOTIFY SET (PERSONAL (SubscriptionChange))");
    await c.ok("UNSUBSCRIBE Sent");
    assert.equal(await next(phone), 'LIST (\\HasNoChildren \\Sent) "/" Sent');
    await c.ok("SUBSCRIBE Sent");
    assert.equal(await next(phone), 'LIST (\\HasNoChildren \\Sent \\Subscribed) "/" Sent');
    await c.ok("SUBSCRIBE missing");
    assert.equal(
      await next(phone),
      'LIST (\\NonExistent \\HasNoChildren \\Subscribed) "/" missing',
    );
    await c.ok("CREATE other");
    assert.ok(await phone.isQuiet(50));
  });
});

Deno.test("metadata is told by name to who asked for it with NOTIFY or ENABLE, and never to the setter", async () => {
  await withServer(async (server) => {
    const { phone, c } = await pair(server, "NOTIFY SET (MAILBOXES INBOX (MailboxMetadataChange))");
    const serverOnly = await server.login();
    await serverOnly.ok("NOTIFY SET (MAILBOXES none (ServerMetadataChange))");
    const enabled = await server.login();
    assert.deepEqual((await enabled.ok("ENABLE METADATA")).untagged, ["ENABLED METADATA"]);
    await c.ok("ENABLE METADATA");
    const plain = await server.login();

    const set = 'SETMETADATA INBOX (/private/a "1" "/shared/b c" "2")';
    assert.deepEqual((await c.ok(set)).untagged, []);
    assert.equal(await next(phone), 'METADATA INBOX /private/a "/shared/b c"');
    await c.ok("SETMETADATA INBOX (/private/a NIL)");
    assert.equal(await next(phone), "METADATA INBOX /private/a");
    await c.ok('SETMETADATA "" (/private/s "1")');
    assert.equal(await next(serverOnly), 'METADATA "" /private/s');
    await c.ok('SETMETADATA Sent (/private/x "1")');
    assert.deepEqual((await enabled.ok("NOOP")).untagged, [
      'METADATA INBOX /private/a "/shared/b c"',
      'METADATA "" /private/s',
      "METADATA Sent /private/x",
    ]);
    for (const client of [phone, serverOnly, plain, c]) {
      assert.deepEqual((await client.ok("NOOP")).untagged, []);
    }
    const idle = await enabled.idle();
    await c.ok('SETMETADATA INBOX (/private/a "3")');
    assert.equal(await idle.next(), "METADATA INBOX /private/a");
    await idle.done();
    await enabled.ok("NOTIFY NONE");
    await c.ok('SETMETADATA INBOX (/private/a "4")');
    assert.deepEqual((await enabled.ok("NOOP")).untagged, []);
  });
});

Deno.test("ENABLE METADATA begins at once, also when nothing else happened", async () => {
  await withServer(async (server) => {
    const phone = await server.login("INBOX");
    await phone.ok("NOOP");
    const c = await server.login();
    await phone.ok("ENABLE METADATA");
    await c.ok('SETMETADATA INBOX (/private/a "1")');
    assert.deepEqual((await phone.ok("NOOP")).untagged, ["METADATA INBOX /private/a"]);
  });
});

Deno.test("an event that is not supported is NO [BADEVENT] with those that are", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    const events = "MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange " +
      "MailboxMetadataChange ServerMetadataChange";
    await c.no(
      "NOTIFY SET (SELECTED (MessageNew MessageExpunge AnnotationChange))",
      `BADEVENT (${events})`,
    );
    await c.no("NOTIFY SET (PERSONAL (Shiny))", `BADEVENT (${events})`);
    const groups = (count: number) =>
      Array.from({ length: count }, () => "(inboxes none)").join(" ");
    // MAX_NOTIFY_GROUPS
    await c.ok(`NOTIFY SET ${groups(100)}`);
    await c.no(`NOTIFY SET ${groups(101)}`, "NOTIFICATIONOVERFLOW");
  });
});

Deno.test("what is no NOTIFY is BAD, and leaves what was asked before in force", async () => {
  await withServer(async (server) => {
    const { phone, c } = await pair(server, SELECTED_ALL, "INBOX");
    for (
      const rest of [
        "",
        " SHINY",
        " NONE x",
        " SET",
        " SET STATUS",
        " SET (PERSONAL)",
        " SET (PERSONAL ())",
        " SET (PERSONAL MailboxName)",
        " SET (SHINY (MailboxName))",
        " SET (PERSONAL (MessageNew))",
        " SET (PERSONAL (MessageExpunge))",
        " SET (PERSONAL (FlagChange))",
        " SET (PERSONAL (MessageNew FlagChange))",
        " SET (SELECTED (MailboxName))",
        " SET (SELECTED (MessageNew MessageExpunge ServerMetadataChange))",
        " SET (PERSONAL (MessageNew (UID) MessageExpunge))",
        " SET (SELECTED (MessageNew (SHINY) MessageExpunge))",
        " SET (SELECTED (MessageNew () MessageExpunge))",
        " SET (SELECTED (MessageNew MessageExpunge) (PERSONAL NONE)",
        " SET (SELECTED NONE) (SELECTED NONE)",
        " SET (SELECTED (MessageNew MessageExpunge)) (SELECTED-DELAYED NONE)",
        " SET (SUBTREE (MailboxName))",
      ]
    ) {
      await phone.bad(`NOTIFY${rest}`);
    }
    await c.append("INBOX", simpleMessage());
    assert.equal(await next(phone), "1 EXISTS");
    const stranger = await server.connect();
    await stranger.bad("NOTIFY NONE");
  });
});

Deno.test("QRESYNC, UIDONLY and rev2 shape what is told", async () => {
  await withServer(async (server) => {
    const phone = await server.login();
    await phone.ok("ENABLE QRESYNC UIDONLY IMAP4rev2");
    await phone.ok("SELECT INBOX");
    await phone.ok(`${SELECTED_ALL} (PERSONAL (MailboxName))`);
    const c = await server.login("INBOX");
    await c.append("INBOX", simpleMessage());
    assert.equal(await next(phone), "1 EXISTS");
    assert.match(await next(phone), /^1 UIDFETCH \(FLAGS \(\) MODSEQ \(\d+\)\)$/);
    await c.ok("STORE 1 +FLAGS.SILENT (\\Deleted)");
    assert.match(await next(phone), /^1 UIDFETCH \(FLAGS \(\\Deleted\) MODSEQ \(\d+\)\)$/);
    await c.ok("EXPUNGE");
    assert.equal(await next(phone), "VANISHED 1");
    await c.ok('CREATE "Entw&APw-rfe"');
    assert.match(await next(phone), /"Entw\xc3\xbcrfe"|Entw\xc3\xbcrfe/);
  });
});

Deno.test("IDLE tells just what NOTIFY asked for", async () => {
  await withServer(async (server) => {
    const { phone, c } = await pair(
      server,
      `NOTIFY SET (SELECTED (MessageNew (UID) MessageExpunge)) (INBOXES NONE) (PERSONAL (MessageNew MessageExpunge))`,
      "INBOX",
    );
    const idle = await phone.idle();
    await c.append("INBOX", simpleMessage());
    assert.equal(await idle.next(), "1 EXISTS");
    await idle.next();
    assert.equal(await idle.next(), "1 FETCH (UID 1)");
    await c.ok("STORE 1 +FLAGS (\\Seen)");
    await c.append("Sent", simpleMessage());
    assert.match(await idle.next(), /^STATUS Sent /);
    assert.equal((await idle.done()).status, "OK");
  });
});

Deno.test("an IDLE without a mailbox lets others work while the account changes", async () => {
  await withServer(async (server) => {
    const phone = await server.login();
    const idle = await phone.idle();
    const c = await server.login();
    await c.append("INBOX", simpleMessage());
    await c.ok("NOOP");
    assert.equal((await idle.done()).status, "OK");
  });
});

Deno.test("a client that does not read while ten thousand things happen hears of them all", async () => {
  await withServer(async (server) => {
    const { phone, c } = await pair(
      server,
      `${SELECTED_ALL} (PERSONAL (MailboxName SubscriptionChange MessageNew MessageExpunge))`,
      "INBOX",
    );
    phone.socket.pause();
    const store = await server.mail();
    const { id } = (await store.findMailbox("INBOX"))!;
    const COUNT = 2500;
    const messages = async () => {
      const stage = store.stageMessage();
      await stage.write(new TextEncoder().encode(simpleMessage()));
      const staged = await stage.finish();
      return {
        staged,
        flags: 0,
        keywords: [],
        internalDate: { seconds: 0, zoneMinutes: 0 },
      };
    };
    for (let i = 0; i < COUNT; i += 50) {
      await store.append("INBOX", await Promise.all(Array.from({ length: 50 }, messages)));
    }
    const { uids } = await store.selectMailbox("INBOX", { claimRecent: false });
    for (let i = 0; i < COUNT; i += 100) {
      const change = { mode: "add", flags: 1, keywords: [] } as const;
      await store.changeFlags(id, uids.slice(i, i + 100), change);
    }
    for (let i = 0; i < COUNT; i++) await store.setSubscribed("Sent", i % 2 === 1);
    await store.expunge(id, uids.slice(0, COUNT - 1), { onlyDeleted: false });
    phone.socket.resume();
    const { untagged } = await phone.ok("NOOP");
    assert.ok(untagged.length > 0);
    assert.deepEqual((await phone.ok("UID SEARCH ALL")).untagged, [`SEARCH ${COUNT}`]);
    assert.ok(!untagged.some((line) => line.includes("NOTIFICATIONOVERFLOW")));
    await c.append("INBOX", simpleMessage());
    let line = await next(phone);
    while (line !== "2 EXISTS") line = await next(phone);
  });
});

Deno.test("a nudge that was lost delays what is told, and no more", async () => {
  let offsetMs = 0;
  await withServer(async (server) => {
    const { phone, c } = await pair(server, `${SELECTED_ALL} (PERSONAL (MailboxName))`, "INBOX");
    Object.assign(server.notifier, { nudge: () => {} });
    await c.append("INBOX", simpleMessage());
    await c.ok("CREATE new");
    assert.ok(await phone.isQuiet(100));
    offsetMs += 6000;
    assert.equal(await next(phone), 'LIST (\\HasNoChildren \\Subscribed) "/" new');
    assert.equal(await next(phone), "1 EXISTS");
  }, { times: { keepAliveMs: 20 }, clock: { now: () => Date.now() + offsetMs } });
});

Deno.test("a client that only listens is told for as long as an idle one may stay, then BYE", async () => {
  await withServer(async (server) => {
    const { phone, c } = await pair(server, SELECTED_ALL, "INBOX");
    const started = Date.now();
    await c.append("INBOX", simpleMessage());
    assert.equal(await next(phone), "1 EXISTS");
    let line = await next(phone);
    while (!line.startsWith("BYE ")) line = await next(phone);
    assert.ok(Date.now() - started >= 300, "not before its time");
    await phone.rest();
  }, { times: { keepAliveMs: 30, idleMs: 400 } });
});

Deno.test("a mailbox that is renamed twice at once is told under each name, and is never gone", async () => {
  await withServer(async (server) => {
    const { phone } = await pair(server, "NOTIFY SET (PERSONAL (MailboxName))", "Sent");
    const mail = await server.mail();
    await Promise.all([mail.renameMailbox("Sent", "a"), mail.renameMailbox("a", "d")]);
    assert.equal(await next(phone), 'LIST (\\HasNoChildren \\Sent) "/" a ("OLDNAME" (Sent))');
    assert.equal(await next(phone), 'LIST (\\HasNoChildren \\Sent) "/" d ("OLDNAME" (a))');
  });
});

Deno.test("what is told of a tree before it is renamed is not told in its new place too early", async () => {
  await withServer(async (server) => {
    const { phone } = await pair(
      server,
      "NOTIFY SET (PERSONAL (MailboxName SubscriptionChange))",
      "INBOX",
    );
    const mail = await server.mail();
    await Promise.all([
      mail.createMailbox("a"),
      mail.setSubscribed("a/b", true),
      mail.renameMailbox("a", "a/b"),
    ]);
    assert.equal(
      await next(phone),
      'LIST (\\HasNoChildren \\Subscribed) "/" a/b ("OLDNAME" (a))',
    );
    const rest = [await next(phone), await next(phone)].sort();
    assert.match(rest[0] ?? "", /^LIST \(\\HasChildren.*\) "\/" a$/);
    assert.match(rest[1] ?? "", /^LIST \(\\HasNoChildren.*\\Subscribed\) "\/" a\/b$/);
  });
});
