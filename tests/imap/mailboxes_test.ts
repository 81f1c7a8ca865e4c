import assert from "node:assert/strict";
import { MAX_MAILBOX_NAME_BYTES } from "../../src/store/mod.ts";
import { type FakeSession, openFakeSession } from "../support/fake_session.ts";

/** Names of all mailboxes. */
async function names(session: FakeSession): Promise<string[]> {
  return (await session.store.listMailboxes()).map((mailbox) => mailbox.name);
}

Deno.test("CREATE makes the mailbox and its parents, all subscribed", async () => {
  const session = await openFakeSession();
  assert.deepEqual(await session.run("CREATE a/b/c"), ["OK"]);
  assert.deepEqual(await names(session), ["INBOX", "a", "a/b", "a/b/c"]);
  const mailboxes = await session.store.listMailboxes();
  assert.ok(mailboxes.every((mailbox) => mailbox.subscribed));
});

Deno.test("CREATE drops every delimiter at the end of a name", async () => {
  const session = await openFakeSession();
  assert.deepEqual(await session.run("CREATE a/"), ["OK"]);
  assert.deepEqual(await session.run("CREATE b///"), ["OK"]);
  assert.deepEqual(await names(session), ["INBOX", "a", "b"]);
  assert.deepEqual(await session.run("CREATE /"), ["NO [CANNOT]"]);
  // A name of delimiters and little else is looked at once, not once for each of them.
  const start = performance.now();
  assert.deepEqual(await session.run(`CREATE ${"/".repeat(60_000)}x`), ["NO [CANNOT]"]);
  assert.ok(performance.now() - start < 1000);
});

Deno.test("CREATE tells clients of IMAP4rev2 the name that came of theirs", async () => {
  const session = await openFakeSession();
  await session.run("ENABLE IMAP4rev2");
  assert.deepEqual(await session.run('CREATE "Grün/" (USE (\\Junk))'), ["BAD"]);
  assert.deepEqual(await session.run("CREATE ", ["Grün/", " (USE (\\Junk))"]), [
    '* LIST (\\HasNoChildren \\Junk \\Subscribed) "/" "Grün" ("OLDNAME" ("Grün/"))',
    "OK",
  ]);
  assert.deepEqual(await session.run("CREATE plain"), ["OK"]);
  assert.deepEqual(await session.run("CREATE inbox/x"), ["OK"]);
});

Deno.test("CREATE refuses what exists with ALREADYEXISTS, INBOX too", async () => {
  const session = await openFakeSession();
  await session.run("CREATE a");
  assert.deepEqual(await session.run("CREATE a"), ["NO [ALREADYEXISTS]"]);
  assert.deepEqual(await session.run("CREATE a/"), ["NO [ALREADYEXISTS]"]);
  assert.deepEqual(await session.run("CREATE inbox"), ["NO [ALREADYEXISTS]"]);
  assert.deepEqual(await session.run("CREATE INBOX/"), ["NO [ALREADYEXISTS]"]);
});

Deno.test("names that break a rule are refused with CANNOT", async () => {
  const session = await openFakeSession();
  const bad = ['""', "/a", "a//b", "a/./b", "a/..", "#news", '"&AAE-"', '"&IAE-/&ICg-"', "e&AwE-"];
  for (const name of bad) {
    assert.deepEqual(await session.run(`CREATE ${name}`), ["NO [CANNOT]"], name);
    assert.deepEqual(await session.run(`SUBSCRIBE ${name}`), ["NO [CANNOT]"], name);
    assert.deepEqual(await session.run(`STATUS ${name} (MESSAGES)`), ["NO [CANNOT]"], name);
  }
  const longest = "x".repeat(MAX_MAILBOX_NAME_BYTES);
  assert.deepEqual(await session.run(`CREATE ${longest}`), ["OK"]);
  assert.deepEqual(await session.run(`CREATE ${longest}y`), ["NO [CANNOT]"]);
});

Deno.test("any other printable name is taken, and is BAD when it is not modified UTF-7", async () => {
  const session = await openFakeSession();
  for (const name of ['"a b&-c"', '"100%"', '"x*y"', '"a#b"', '"&ZeVnLIqe-"', '"q\\"\\\\r"']) {
    assert.deepEqual(await session.run(`CREATE ${name}`), ["OK"], name);
  }
  assert.deepEqual(await names(session), [
    "100%",
    "INBOX",
    "a b&c",
    "a#b",
    'q"\\r',
    "x*y",
    "日本語",
  ]);
  for (const name of ['"&"', '"&Jjo!"', '"&U,BTFw-&ZeVnLIqe-"', '"&AGE-"']) {
    assert.deepEqual(await session.run(`CREATE ${name}`), ["BAD"], name);
  }
});

Deno.test("CREATE gives special uses, any number of them, to the leaf alone", async () => {
  const session = await openFakeSession();
  assert.deepEqual(
    await session.run("CREATE My/Special (USE (\\drafts \\Sent) USE (\\Junk))"),
    ["OK"],
  );
  assert.deepEqual(await session.run("CREATE Plain (USE ())"), ["OK"]);
  assert.deepEqual(
    (await session.store.findMailbox("My/Special"))?.specialUse.toSorted(),
    ["Drafts", "Junk", "Sent"],
  );
  assert.deepEqual((await session.store.findMailbox("My"))?.specialUse, []);
  await session.run("CREATE New (USE (\\Junk))");
  assert.deepEqual(
    (await session.store.findMailbox("My/Special"))?.specialUse.toSorted(),
    ["Drafts", "Sent"],
  );
});

Deno.test("CREATE refuses uses that it cannot give, and makes nothing then", async () => {
  const session = await openFakeSession();
  for (const use of ["\\All", "\\Flagged", "\\Important", "\\Shiny", "\\Sent \\All"]) {
    assert.deepEqual(await session.run(`CREATE a/b (USE (${use}))`), ["NO [USEATTR]"], use);
  }
  for (
    const rest of ["()", "(USE)", "(USE (Sent))", "(SHINY)", "(SHINY (\\Sent))", "USE (\\Sent)"]
  ) {
    assert.deepEqual(await session.run(`CREATE a/b ${rest}`), ["BAD"], rest);
  }
  assert.deepEqual(await names(session), ["INBOX"]);
});

Deno.test("DELETE refuses INBOX, parents and what is not there, each with its code", async () => {
  const session = await openFakeSession();
  await session.run("CREATE a/b");
  assert.deepEqual(await session.run("DELETE inbox"), ["NO [CANNOT]"]);
  assert.deepEqual(await session.run("DELETE a"), ["NO [HASCHILDREN]"]);
  assert.deepEqual(await session.run("DELETE gone"), ["NO [NONEXISTENT]"]);
  assert.deepEqual(await session.run("DELETE a/b"), ["OK"]);
  assert.deepEqual(await session.run("DELETE a"), ["OK"]);
  assert.deepEqual(await names(session), ["INBOX"]);
  assert.deepEqual(await session.run('LIST (SUBSCRIBED) "" a*'), [
    '* LIST (\\NonExistent \\HasNoChildren \\Subscribed) "/" a',
    '* LIST (\\NonExistent \\HasNoChildren \\Subscribed) "/" a/b',
    "OK",
  ]);
});

Deno.test("a mailbox made again under an old name has a higher UIDVALIDITY", async () => {
  const session = await openFakeSession();
  await session.run("CREATE a");
  const before = await session.store.findMailbox("a");
  await session.run("DELETE a");
  await session.run("CREATE a");
  const after = await session.store.findMailbox("a");
  assert.ok(before && after && after.uidValidity > before.uidValidity);
});

Deno.test("RENAME takes children along, makes parents and leaves subscriptions", async () => {
  const session = await openFakeSession();
  await session.run("CREATE a/b");
  assert.deepEqual(await session.run("RENAME a x/y"), ["OK"]);
  assert.deepEqual(await names(session), ["INBOX", "x", "x/y", "x/y/b"]);
  assert.deepEqual(await session.run('LSUB "" a*'), ['* LSUB () "/" a', '* LSUB () "/" a/b', "OK"]);
});

Deno.test("RENAME to a name below its own moves mail and children, and makes the old name anew", async () => {
  const session = await openFakeSession();
  await session.run("CREATE a/c");
  const before = await session.store.findMailbox("a");
  assert.deepEqual(await session.run("RENAME a a/b"), ["OK"]);
  assert.deepEqual(await names(session), ["INBOX", "a", "a/b", "a/b/c"]);
  const [moved, parent] = [
    await session.store.findMailbox("a/b"),
    await session.store.findMailbox("a"),
  ];
  assert.equal(moved?.id, before?.id);
  assert.equal(moved?.uidValidity, before?.uidValidity);
  assert.ok(before && parent && parent.uidValidity > before.uidValidity);
  assert.deepEqual(await session.run("RENAME a/b a/b/c"), ["NO [ALREADYEXISTS]"]);
});

Deno.test("RENAME refuses with NONEXISTENT, ALREADYEXISTS and CANNOT", async () => {
  const session = await openFakeSession();
  await session.run("CREATE a");
  await session.run("CREATE b");
  assert.deepEqual(await session.run("RENAME gone c"), ["NO [NONEXISTENT]"]);
  assert.deepEqual(await session.run("RENAME a b"), ["NO [ALREADYEXISTS]"]);
  assert.deepEqual(await session.run("RENAME a a"), ["NO [ALREADYEXISTS]"]);
  assert.deepEqual(await session.run("RENAME a Inbox"), ["NO [ALREADYEXISTS]"]);
  assert.deepEqual(await session.run("RENAME a c//d"), ["NO [CANNOT]"]);
  assert.deepEqual(await session.run("RENAME a"), ["BAD"]);
  assert.deepEqual(await names(session), ["INBOX", "a", "b"]);
});

Deno.test("RENAME INBOX makes a mailbox and leaves INBOX and what is below it", async () => {
  const session = await openFakeSession();
  await session.run("CREATE INBOX/Sub");
  assert.deepEqual(await session.run("RENAME inbox old"), ["OK"]);
  assert.deepEqual(await names(session), ["INBOX", "INBOX/Sub", "old"]);
});

Deno.test("SUBSCRIBE takes any valid name and UNSUBSCRIBE is OK for one not subscribed", async () => {
  const session = await openFakeSession();
  assert.deepEqual(await session.run("SUBSCRIBE some/where"), ["OK"]);
  assert.deepEqual(await session.run("SUBSCRIBE some/where"), ["OK"]);
  assert.deepEqual(await session.store.listMissingSubscriptions(), ["some/where"]);
  assert.deepEqual(await session.run("UNSUBSCRIBE some/where"), ["OK"]);
  assert.deepEqual(await session.run("UNSUBSCRIBE some/where"), ["OK"]);
  assert.deepEqual(await session.run("UNSUBSCRIBE inbox"), ["OK"]);
  assert.deepEqual(await session.run("UNSUBSCRIBE a//b"), ["NO [CANNOT]"]);
  assert.deepEqual(await session.run('LSUB "" "*"'), ["OK"]);
});
