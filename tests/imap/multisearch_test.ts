import assert from "node:assert/strict";
import { RangeSet } from "../../src/base/mod.ts";
import { type AccountStore, SystemFlag } from "../../src/store/mod.ts";
import { box, mail, put } from "../store/fixture.ts";
import { SearchSession } from "../support/search_session.ts";

const NAMES = [
  "a",
  "a b",
  "a-b",
  "a.c",
  "a/b",
  "a/b/c",
  "a/z",
  "ab",
  "INBOX/sub",
  "Entwürfe & mehr",
];

/** Mailboxes with one flagged message each, and an empty one. */
async function openMany(): Promise<SearchSession> {
  const session = await SearchSession.open();
  for (const name of NAMES) {
    await session.store.createMailbox(name);
    await put(session.store, name, { bytes: mail(name), flags: SystemFlag.flagged });
  }
  await session.store.createMailbox("empty");
  await put(session.store, "INBOX", {}, { flags: SystemFlag.flagged });
  return session;
}

/** Which mailboxes answered, as spelt, in order. */
async function mailboxes(session: SearchSession, sources: string): Promise<string[]> {
  const lines = await session.ask(`a ESEARCH IN (${sources}) FLAGGED`);
  assert.equal(lines.pop(), "a OK", sources);
  return lines.map((line) => {
    const match = /^\* ESEARCH \(TAG "a" MAILBOX (.+) UIDVALIDITY \d+\) UID ALL \d+$/.exec(line);
    assert.ok(match?.[1], line);
    return match[1];
  });
}

async function uidValidity(store: AccountStore, name: string): Promise<number> {
  return (await box(store, name)).uidValidity;
}

Deno.test("each mailbox with matches answers once, with its name, UIDVALIDITY and UIDs", async () => {
  const session = await openMany();
  await put(session.store, "a", { flags: SystemFlag.flagged }, {}, { flags: SystemFlag.flagged });
  const a = await uidValidity(session.store, "a");
  const inbox = await uidValidity(session.store, "INBOX");
  assert.deepEqual(
    await session.ask(
      "t1 ESEARCH IN (mailboxes (a INBOX empty)) RETURN (MIN MAX COUNT ALL) FLAGGED",
    ),
    [
      `* ESEARCH (TAG "t1" MAILBOX INBOX UIDVALIDITY ${inbox}) UID MIN 2 MAX 2 COUNT 1 ALL 2`,
      `* ESEARCH (TAG "t1" MAILBOX a UIDVALIDITY ${a}) UID MIN 1 MAX 4 COUNT 3 ALL 1:2,4`,
      "t1 OK",
    ],
  );
});

Deno.test("a mailbox without a match does not answer, not even a COUNT", async () => {
  const session = await openMany();
  assert.deepEqual(await session.ask("a ESEARCH IN (personal) RETURN (COUNT) ANSWERED"), ["a OK"]);
});

// behaviour.md 8.2, item 3.
Deno.test("names are written so that a client can read them, in either spelling", async () => {
  const session = await openMany();
  assert.deepEqual(await mailboxes(session, 'mailboxes ("a b" "Entw&APw-rfe &- mehr")'), [
    '"Entw&APw-rfe &- mehr"',
    '"a b"',
  ]);
  session.modes.enable("IMAP4REV2");
  assert.deepEqual(await mailboxes(session, 'mailboxes ("a b" "Entwürfe & mehr")'), [
    '"Entwürfe & mehr"',
    '"a b"',
  ]);
});

// behaviour.md 8.2, item 4b: "a b", "a-b" and "a.c" sort between "a" and "a/b".
Deno.test("a subtree is the mailbox and all below it, whatever sorts between", async () => {
  const session = await openMany();
  assert.deepEqual(await mailboxes(session, "subtree a"), ["a", "a/b", "a/b/c", "a/z"]);
  assert.deepEqual(await mailboxes(session, "subtree-one a"), ["a", "a/b", "a/z"]);
  assert.deepEqual(await mailboxes(session, "subtree-one (a a/b)"), ["a", "a/b", "a/b/c", "a/z"]);
  assert.deepEqual(await mailboxes(session, "subtree inbox"), ["INBOX", "INBOX/sub"]);
  assert.deepEqual(await mailboxes(session, "inboxes"), ["INBOX", "INBOX/sub"]);
});

Deno.test("sources may overlap or not exist: each mailbox is searched once, the others ignored", async () => {
  const session = await openMany();
  assert.deepEqual(
    await mailboxes(session, 'mailboxes (a nowhere "bad//name" a) SUBTREE a/b subtree-one a/b'),
    ["a", "a/b", "a/b/c"],
  );
  await session.store.setSubscribed("a", false);
  const all = await mailboxes(session, "personal");
  assert.equal(all.length, NAMES.length + 1);
  assert.deepEqual(all.filter((name) => name === "a"), ["a"]);
  const subscribed = await mailboxes(session, "subscribed");
  assert.deepEqual(all.filter((name) => !subscribed.includes(name)), ["a"]);
});

Deno.test("without IN the selected mailbox is searched, and there must be one", async () => {
  const session = await openMany();
  assert.deepEqual(await session.ask("a ESEARCH FLAGGED"), ["a BAD"]);
  assert.deepEqual(await session.ask("a ESEARCH IN (selected) FLAGGED"), ["a BAD"]);
  assert.deepEqual(await session.ask("a ESEARCH IN (personal selected) FLAGGED"), ["a BAD"]);
  await session.select("a");
  const valid = await uidValidity(session.store, "a");
  const line = `* ESEARCH (TAG "a" MAILBOX a UIDVALIDITY ${valid}) UID ALL 1`;
  assert.deepEqual(await session.ask("a ESEARCH FLAGGED"), [line, "a OK"]);
  assert.deepEqual(await session.ask("a ESEARCH IN (selected) FLAGGED"), [line, "a OK"]);
});

Deno.test("of the selected mailbox only what the client knows of is found", async () => {
  const session = await openMany();
  await session.select("a");
  await put(session.store, "a", { flags: SystemFlag.flagged });
  await put(session.store, "ab", { flags: SystemFlag.flagged });
  const a = await uidValidity(session.store, "a");
  const ab = await uidValidity(session.store, "ab");
  assert.deepEqual(await session.ask("a ESEARCH IN (mailboxes (a ab)) FLAGGED"), [
    `* ESEARCH (TAG "a" MAILBOX a UIDVALIDITY ${a}) UID ALL 1`,
    `* ESEARCH (TAG "a" MAILBOX ab UIDVALIDITY ${ab}) UID ALL 1:2`,
    "a OK",
  ]);
});

Deno.test("numbers mean in each mailbox what they mean there", async () => {
  const session = await openMany();
  await put(session.store, "a", {}, {});
  await put(session.store, "ab", {}, {});
  await session.store.expunge((await box(session.store, "ab")).id, RangeSet.of(1), {
    onlyDeleted: false,
  });
  await session.select("a");
  const a = await uidValidity(session.store, "a");
  const ab = await uidValidity(session.store, "ab");
  for (
    const [key, inA, inAb] of [
      ["1:2", "1:2", "2:3"],
      ["*", "3", "3"],
      ["3", "3", undefined],
      ["UID 1:2", "1:2", "2"],
      ["NOT 1", "2:3", "3"],
    ] as const
  ) {
    const expected = [["a", a, inA], ["ab", ab, inAb]].flatMap(([name, valid, uids]) =>
      uids === undefined
        ? []
        : [`* ESEARCH (TAG "a" MAILBOX ${name} UIDVALIDITY ${valid}) UID ALL ${uids}`]
    );
    assert.deepEqual(await session.ask(`a ESEARCH IN (mailboxes (a ab)) ${key}`), [
      ...expected,
      "a OK",
    ], key);
  }
});

Deno.test("SAVE is for the selected mailbox alone", async () => {
  const session = await openMany();
  await session.select("INBOX");
  for (const sources of ["personal", "selected mailboxes a", "mailboxes INBOX"]) {
    assert.deepEqual(await session.ask(`a ESEARCH IN (${sources}) RETURN (SAVE) ALL`), ["a BAD"]);
  }
  assert.deepEqual(await session.ask("a ESEARCH RETURN (SAVE) FLAGGED"), ["a OK"]);
  assert.equal(session.view?.savedResult.toString(), "2");
  // The saved result may be refined by the search that replaces it.
  assert.deepEqual(await session.ask("a ESEARCH IN (selected) RETURN (SAVE) $ ALL"), ["a OK"]);
  assert.equal(session.view?.savedResult.toString(), "2");
  const bogus = await session.ask("a ESEARCH RETURN (SAVE) CHARSET X-Klingon ALL");
  assert.match(bogus[0] ?? "", /^a NO \[BADCHARSET/);
  assert.equal(session.view?.savedResult.toString(), "");
});

Deno.test("$ is refused where other mailboxes are searched, before anything is answered (behaviour 8.2, 23b)", async () => {
  const session = await openMany();
  await session.select("INBOX");
  await session.ask("a SEARCH RETURN (SAVE) ALL");
  assert.deepEqual(await session.ask("a ESEARCH IN (mailboxes (INBOX a)) $"), ["a NO"]);
  assert.equal((await session.ask("a ESEARCH IN (mailboxes INBOX) $")).length, 2);
});

Deno.test("a mailbox that is deleted during the search is passed over", async () => {
  const session = await openMany();
  session.wrapStore((store) =>
    new Proxy(store, {
      get(target, name, receiver) {
        if (name !== "listMailboxes") return Reflect.get(target, name, receiver).bind(target);
        return async () => {
          const listed = await target.listMailboxes();
          await target.deleteMailbox("ab");
          return listed;
        };
      },
    })
  );
  assert.deepEqual(await mailboxes(session, "mailboxes (a ab a-b)"), ["a", "a-b"]);
});

Deno.test("MODSEQ tells each mailbox's own", async () => {
  const session = await openMany();
  const lines = await session.ask("a ESEARCH IN (mailboxes (a ab)) RETURN (COUNT) MODSEQ 1");
  const seq = async (name: string) => (await box(session.store, name)).appendSeq;
  assert.match(lines[0] ?? "", new RegExp(`COUNT 1 MODSEQ ${await seq("a")}$`));
  assert.match(lines[1] ?? "", new RegExp(`COUNT 1 MODSEQ ${await seq("ab")}$`));
});

Deno.test("what is no ESEARCH is BAD", async () => {
  const session = await openMany();
  await session.select("INBOX");
  for (
    const rest of [
      "",
      " IN () ALL",
      " IN (fruit) ALL",
      " IN (selected-delayed) ALL",
      " IN (mailboxes) ALL",
      " IN (subtree ()) ALL",
      " IN (personal (option)) ALL",
      " IN personal ALL",
      " IN (personal)",
      " IN (personal) RETURN (COUNT)",
      ' IN (mailboxes "&bad") ALL',
    ]
  ) {
    assert.deepEqual(await session.ask(`a ESEARCH${rest}`), ["a BAD"], rest);
  }
});

Deno.test("under UIDONLY a multi-mailbox search takes no sequence numbers", async () => {
  const session = await openMany();
  session.modes.enable("UIDONLY");
  assert.deepEqual(await session.ask("a ESEARCH IN (personal) 1"), ["a BAD [UIDREQUIRED]"]);
  assert.equal((await session.ask("a ESEARCH IN (mailboxes a) UID 1")).length, 2);
});

Deno.test("EXPUNGE waits when there were sequence numbers in the search", async () => {
  const session = await openMany();
  await session.ask("a ESEARCH IN (personal) ALL");
  assert.equal(session.catchUp, "all");
  await session.ask("a ESEARCH IN (personal) 1");
  assert.equal(session.catchUp, "noExpunge");
});
