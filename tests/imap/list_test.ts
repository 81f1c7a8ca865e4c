import assert from "node:assert/strict";
import { type FakeSession, openFakeSession } from "../support/fake_session.ts";

/** A session with these mailboxes beside INBOX, of which only `subscribed` are subscribed. */
async function open(mailboxes: string[], subscribed: string[] = []): Promise<FakeSession> {
  const session = await openFakeSession();
  for (const name of mailboxes) await session.store.createMailbox(name);
  for (const { name } of await session.store.listMailboxes()) {
    await session.store.setSubscribed(name, false);
  }
  for (const name of subscribed) await session.store.setSubscribed(name, true);
  return session;
}

/** The LIST responses, shortened to what stands between `* LIST` and the end of the line. */
async function list(session: FakeSession, rest: string): Promise<string[]> {
  const lines = await session.run(`LIST ${rest}`);
  assert.equal(lines.pop(), "OK");
  return lines.map((line) =>
    line.replace(/^\* LIST /, "").replace(' "/"', "").replace(/\\Has(No)?Children ?/, "")
      .replace(" )", ")")
  );
}

Deno.test("LIST with a star lists every mailbox, with children and special uses told", async () => {
  const session = await openFakeSession();
  await session.run("CREATE Work/Old");
  await session.run("CREATE Sent (USE (\\Sent))");
  assert.deepEqual(await session.run('LIST "" "*"'), [
    '* LIST (\\HasNoChildren) "/" INBOX',
    '* LIST (\\HasNoChildren \\Sent) "/" Sent',
    '* LIST (\\HasChildren) "/" Work',
    '* LIST (\\HasNoChildren) "/" Work/Old',
    "OK",
  ]);
});

Deno.test("a sibling that sorts between a mailbox and its children hides nothing", async () => {
  const session = await open(["a", "a b", "a-b", "a/c"]);
  assert.deepEqual(await session.run("LIST a/ %"), ['* LIST (\\HasNoChildren) "/" a/c', "OK"]);
  assert.ok((await session.run('LIST "" a')).includes('* LIST (\\HasChildren) "/" a'));
});

Deno.test("LIST with a percent sign lists one level, below the reference", async () => {
  const session = await open(["a/b/c", "d"]);
  assert.deepEqual(await list(session, '"" %'), ["() INBOX", "() a", "() d"]);
  assert.deepEqual(await list(session, "a/ %"), ["() a/b"]);
  assert.deepEqual(await list(session, "a %"), ["() a"]);
  assert.deepEqual(await list(session, '"" "%/%"'), ["() a/b"]);
});

Deno.test("LIST spells INBOX in capitals, however it was asked for", async () => {
  const session = await open(["INBOX/Sub"]);
  assert.deepEqual(await list(session, '"" inbox'), ["() INBOX"]);
  assert.deepEqual(await list(session, "Inbox/ %"), ["() INBOX/Sub"]);
});

Deno.test("an empty pattern asks for the delimiter, in the basic form only", async () => {
  const session = await open([]);
  assert.deepEqual(await session.run('LIST "" ""'), ['* LIST (\\Noselect) "/" ""', "OK"]);
  assert.deepEqual(await session.run('LIST foo ""'), ['* LIST (\\Noselect) "/" ""', "OK"]);
  assert.deepEqual(await session.run('LIST () "" ""'), ["OK"]);
  assert.deepEqual(await session.run('LIST "" ("")'), ["OK"]);
  assert.deepEqual(await session.run('LIST "" "" RETURN ()'), ["OK"]);
  assert.deepEqual(await list(session, '"" ("" INBOX)'), ["() INBOX"]);
});

Deno.test("LIST takes several patterns and lists a name once", async () => {
  const session = await open(["Drafts", "Sent/2003", "Sent/2004"]);
  assert.deepEqual(await list(session, '"" (INBOX "Drafts" "Sent/%" "*4")'), [
    "() Drafts",
    "() INBOX",
    "() Sent/2003",
    "() Sent/2004",
  ]);
});

Deno.test("names are in modified UTF-7 until the client enables UTF-8", async () => {
  const session = await open(["Entwürfe & mehr"]);
  assert.deepEqual(await list(session, '"" "Entw&APw-rfe*"'), ['() "Entw&APw-rfe &- mehr"']);
  assert.deepEqual(await session.run('LIST "" "Entw&*"'), ["BAD"]);
  await session.run("ENABLE UTF8=ACCEPT");
  assert.deepEqual(await list(session, '"" "E*"'), ['() "Entwürfe & mehr"']);
  const answer = await session.run('LIST "" ', ["Entwürfe*", ""]);
  assert.deepEqual(answer, ['* LIST (\\HasNoChildren) "/" "Entwürfe & mehr"', "OK"]);
});

// The examples of RFC 5258 5 and RFC 9051 6.3.9.8.

const FRUIT = ["Fruit/Apple", "Fruit/Banana", "Tofu", "Vegetable/Broccoli", "Vegetable/Corn"];
const FRUIT_SUBSCRIBED = [
  "INBOX",
  "Fruit/Banana",
  "Fruit/Peach",
  "Vegetable",
  "Vegetable/Broccoli",
];

Deno.test("LIST (SUBSCRIBED) lists subscribed names, existing or not, and says which", async () => {
  const session = await open(FRUIT, FRUIT_SUBSCRIBED);
  const expected = [
    "(\\Subscribed) Fruit/Banana",
    "(\\NonExistent \\Subscribed) Fruit/Peach",
    "(\\Subscribed) INBOX",
    "(\\Subscribed) Vegetable",
    "(\\Subscribed) Vegetable/Broccoli",
  ];
  assert.deepEqual(await list(session, '(SUBSCRIBED) "" "*"'), expected);
  assert.deepEqual(await list(session, '(REMOTE SUBSCRIBED) "" "*"'), expected);
  assert.deepEqual(
    await list(session, '(SUBSCRIBED SUBSCRIBED) "" "*" RETURN (SUBSCRIBED SUBSCRIBED)'),
    expected,
  );
});

Deno.test("RETURN (SUBSCRIBED) adds no names", async () => {
  const session = await open(FRUIT, FRUIT_SUBSCRIBED);
  assert.deepEqual(await list(session, '(REMOTE) "" "F*" RETURN (SUBSCRIBED)'), [
    "() Fruit",
    "() Fruit/Apple",
    "(\\Subscribed) Fruit/Banana",
  ]);
});

Deno.test("RETURN (CHILDREN) tells of children", async () => {
  const session = await open(FRUIT);
  assert.deepEqual(await session.run('LIST () "" "%" RETURN (CHILDREN)'), [
    '* LIST (\\HasChildren) "/" Fruit',
    '* LIST (\\HasNoChildren) "/" INBOX',
    '* LIST (\\HasNoChildren) "/" Tofu',
    '* LIST (\\HasChildren) "/" Vegetable',
    "OK",
  ]);
});

Deno.test("RECURSIVEMATCH lists a parent for a selected child that is not listed", async () => {
  const session = await open(["Foo/Bar", "Foo/Baz", "Moo"], ["Foo/Baz"]);
  assert.deepEqual(await list(session, '(SUBSCRIBED) "" "*"'), ["(\\Subscribed) Foo/Baz"]);
  assert.deepEqual(await list(session, '(SUBSCRIBED) "" %'), []);
  assert.deepEqual(await list(session, '(SUBSCRIBED RECURSIVEMATCH) "" %'), [
    '() Foo ("CHILDINFO" ("SUBSCRIBED"))',
  ]);
  await session.store.setSubscribed("Foo", true);
  assert.deepEqual(await list(session, '(SUBSCRIBED RECURSIVEMATCH) "" %'), [
    '(\\Subscribed) Foo ("CHILDINFO" ("SUBSCRIBED"))',
  ]);
  assert.deepEqual(await list(session, '(SUBSCRIBED RECURSIVEMATCH) "" "*"'), [
    '(\\Subscribed) Foo ("CHILDINFO" ("SUBSCRIBED"))',
    "(\\Subscribed) Foo/Baz",
  ]);
  await session.store.setSubscribed("Foo/Baz", false);
  await session.store.setSubscribed("Moo", true);
  assert.deepEqual(
    await session.run('LIST (SUBSCRIBED RECURSIVEMATCH) "" % RETURN (CHILDREN)'),
    [
      '* LIST (\\HasChildren \\Subscribed) "/" Foo',
      '* LIST (\\HasNoChildren \\Subscribed) "/" Moo',
      "OK",
    ],
  );
});

Deno.test("RECURSIVEMATCH lists a parent that does not exist", async () => {
  const session = await open([], ["Foo/Baz"]);
  assert.deepEqual(await list(session, '(SUBSCRIBED RECURSIVEMATCH) "" %'), [
    '(\\NonExistent) Foo ("CHILDINFO" ("SUBSCRIBED"))',
  ]);
});

Deno.test("CHILDINFO counts children that do not match, and is not said needlessly", async () => {
  const subscribed = [
    "foo2/bar1",
    "foo2/bar2",
    "baz2/bar2",
    "baz2/bar22",
    "baz2/bar222",
    "eps2",
    "eps2/mamba",
    "qux2/bar2",
  ];
  const session = await open(
    ["foo2/bar1", "foo2/bar2", "baz2/bar2", "baz2/bar22", "baz2/bar222", "eps2/mamba"],
    subscribed,
  );
  const lines = await list(session, '(RECURSIVEMATCH SUBSCRIBED) "" "*2"');
  assert.deepEqual(lines, [
    "(\\Subscribed) baz2/bar2",
    "(\\Subscribed) baz2/bar22",
    "(\\Subscribed) baz2/bar222",
    '(\\Subscribed) eps2 ("CHILDINFO" ("SUBSCRIBED"))',
    '() foo2 ("CHILDINFO" ("SUBSCRIBED"))',
    "(\\Subscribed) foo2/bar2",
    "(\\NonExistent \\Subscribed) qux2/bar2",
  ]);
});

Deno.test("CHILDINFO does not imply \\HasChildren", async () => {
  const session = await open(["foo"], ["foo/bar"]);
  assert.deepEqual(await list(session, '(SUBSCRIBED) "" "foo/*"'), [
    "(\\NonExistent \\Subscribed) foo/bar",
  ]);
  assert.deepEqual(
    await session.run('LIST (SUBSCRIBED RECURSIVEMATCH) "" foo RETURN (CHILDREN)'),
    ['* LIST (\\HasNoChildren) "/" foo ("CHILDINFO" ("SUBSCRIBED"))', "OK"],
  );
});

Deno.test("RECURSIVEMATCH needs an option that selects names", async () => {
  const session = await open([]);
  assert.deepEqual(await session.run('LIST (RECURSIVEMATCH) "" "*"'), ["BAD"]);
  assert.deepEqual(await session.run('LIST (REMOTE RECURSIVEMATCH) "" "*"'), ["BAD"]);
});

Deno.test("options that are not known are BAD", async () => {
  const session = await open([]);
  for (
    const rest of [
      '(SHINY) "" "*"',
      '"" "*" RETURN (SHINY)',
      '"" "*" RETURN',
      '"" "*" RETURN CHILDREN',
      '"" "*" CHILDREN',
      '"" ()',
      '"" "*" RETURN (STATUS)',
      '"" "*" RETURN (STATUS ())',
      '"" "*" RETURN (STATUS (SHINY))',
      '""',
      '(SUBSCRIBED)"" "*"',
    ]
  ) assert.deepEqual(await session.run(`LIST ${rest}`), ["BAD"], rest);
});

Deno.test("SPECIAL-USE selects mailboxes by use, alone and with others", async () => {
  const session = await openFakeSession();
  await session.run("CREATE Mail/Sent (USE (\\Sent))");
  await session.run("CREATE Mail/Bin (USE (\\Trash))");
  await session.run("UNSUBSCRIBE Mail/Bin");
  assert.deepEqual(await session.run('LIST (SPECIAL-USE) "" "*"'), [
    '* LIST (\\HasNoChildren \\Trash) "/" Mail/Bin',
    '* LIST (\\HasNoChildren \\Sent) "/" Mail/Sent',
    "OK",
  ]);
  assert.deepEqual(await session.run('LIST (SPECIAL-USE SUBSCRIBED) "" "*"'), [
    '* LIST (\\HasNoChildren \\Sent \\Subscribed) "/" Mail/Sent',
    "OK",
  ]);
  assert.deepEqual(await session.run('LIST "" "*Sent" RETURN (SPECIAL-USE)'), [
    '* LIST (\\HasNoChildren \\Sent) "/" Mail/Sent',
    "OK",
  ]);
  assert.deepEqual(await session.run('LIST (SPECIAL-USE RECURSIVEMATCH) "" %'), [
    '* LIST (\\HasChildren) "/" Mail ("CHILDINFO" ("SPECIAL-USE"))',
    "OK",
  ]);
});

Deno.test("RETURN (STATUS) tells the status of each selected mailbox right after it", async () => {
  const session = await open(["foo/bar", "gone"], ["INBOX", "foo/bar", "missing"]);
  assert.deepEqual(await session.run('LIST "" % RETURN (STATUS (MESSAGES UNSEEN))'), [
    '* LIST (\\HasNoChildren) "/" INBOX',
    "* STATUS INBOX (MESSAGES 0 UNSEEN 0)",
    '* LIST (\\HasChildren) "/" foo',
    "* STATUS foo (MESSAGES 0 UNSEEN 0)",
    '* LIST (\\HasNoChildren) "/" gone',
    "* STATUS gone (MESSAGES 0 UNSEEN 0)",
    "OK",
  ]);
  // RFC 5819 3: neither for a mailbox listed for its children, nor for one that does not exist.
  assert.deepEqual(
    await session.run('LIST (SUBSCRIBED RECURSIVEMATCH) "" % RETURN (STATUS (MESSAGES))'),
    [
      '* LIST (\\HasNoChildren \\Subscribed) "/" INBOX',
      "* STATUS INBOX (MESSAGES 0)",
      '* LIST (\\HasChildren) "/" foo ("CHILDINFO" ("SUBSCRIBED"))',
      '* LIST (\\NonExistent \\HasNoChildren \\Subscribed) "/" missing',
      "OK",
    ],
  );
});

Deno.test("an option of another extension writes after each entry and after all", async () => {
  const session = await openFakeSession({
    rfc: [],
    title: "test",
    listReturns: [{
      name: "SHINY",
      parse: () => ({
        name: "SHINY",
        attributes: () => ["\\Shiny"],
        afterEntry: (entry, { out }) => out.untagged(`ENTRY ${entry.name}`),
        afterAll: (entries, { out }) => Promise.resolve(out.untagged(`ALL ${entries.length}`)),
      }),
    }],
  });
  assert.deepEqual(await session.run('LIST "" "*" RETURN (SHINY CHILDREN)'), [
    '* LIST (\\HasNoChildren \\Shiny) "/" INBOX',
    "* ENTRY INBOX",
    "* ALL 1",
    "OK",
  ]);
});

Deno.test("LSUB lists subscribed names, existing or not, and parents for a percent sign", async () => {
  const session = await open(["foo/bar", "x/y/z"], ["INBOX", "foo/bar", "gone", "x/y/z"]);
  assert.deepEqual(await session.run('LSUB "" "*"'), [
    '* LSUB (\\HasNoChildren) "/" INBOX',
    '* LSUB (\\HasNoChildren) "/" foo/bar',
    '* LSUB () "/" gone',
    '* LSUB (\\HasNoChildren) "/" x/y/z',
    "OK",
  ]);
  assert.deepEqual(await session.run('LSUB "" %'), [
    '* LSUB (\\HasNoChildren) "/" INBOX',
    '* LSUB (\\Noselect) "/" foo',
    '* LSUB () "/" gone',
    '* LSUB (\\Noselect) "/" x',
    "OK",
  ]);
  assert.deepEqual(await session.run("LSUB x/ %"), ['* LSUB (\\Noselect) "/" x/y', "OK"]);
  assert.deepEqual(await session.run('LSUB "" foo'), ["OK"]);
  assert.deepEqual(await session.run('LSUB "" ""'), ['* LSUB (\\Noselect) "/" ""', "OK"]);
});

Deno.test("a subscribed parent is listed by LSUB as itself", async () => {
  const session = await open(["foo/bar"], ["foo", "foo/bar"]);
  assert.deepEqual(await session.run('LSUB "" %'), ['* LSUB (\\HasChildren) "/" foo', "OK"]);
});
