import assert from "node:assert/strict";
import { RangeSet } from "../../src/base/mod.ts";
import { SystemFlag } from "../../src/store/mod.ts";
import { mail, stage } from "../store/fixture.ts";
import { type FakeSession, openFakeSession } from "../support/fake_session.ts";

/** Three messages in "Work": 100, 200 and 300 octets; seen, deleted, neither. */
async function open(): Promise<FakeSession> {
  const session = await openFakeSession();
  await session.store.createMailbox("Work");
  const messages = [];
  for (
    const [size, flags] of [[100, SystemFlag.seen], [200, SystemFlag.deleted], [300, 0]] as const
  ) {
    const staged = await stage(session.store, mail("status", size));
    const internalDate = { seconds: 0, zoneMinutes: 0 };
    messages.push({ staged, flags, keywords: [], internalDate });
  }
  await session.store.append("Work", messages);
  return session;
}

Deno.test("STATUS answers every item from the counters of the mailbox", async () => {
  const session = await open();
  const work = await session.store.findMailbox("Work");
  assert.deepEqual(
    await session.run("STATUS Work (MESSAGES UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE RECENT)"),
    [
      `* STATUS Work (MESSAGES 3 UIDNEXT 4 UIDVALIDITY ${work?.uidValidity} UNSEEN 2 DELETED 1 ` +
      "SIZE 600 RECENT 3)",
      "OK",
    ],
  );
  assert.deepEqual(await session.run("STATUS inbox (messages MESSAGES Messages)"), [
    "* STATUS INBOX (MESSAGES 0)",
    "OK",
  ]);
});

Deno.test("APPENDLIMIT is the same in STATUS and in CAPABILITY", async () => {
  const session = await open();
  assert.deepEqual(await session.run("STATUS Work (APPENDLIMIT)"), [
    "* STATUS Work (APPENDLIMIT 50000000)",
    "OK",
  ]);
  assert.match((await session.run("CAPABILITY"))[0] ?? "", / APPENDLIMIT=50000000\b/);
});

Deno.test("STATUS RECENT counts messages that are \\Recent here or yet for nobody", async () => {
  const session = await open();
  const { mailbox, recent } = await session.store.selectMailbox("Work", { claimRecent: true });
  assert.equal((await session.run("STATUS Work (RECENT)"))[0], "* STATUS Work (RECENT 0)");
  session.select(mailbox, recent);
  assert.equal((await session.run("STATUS Work (RECENT)"))[0], "* STATUS Work (RECENT 3)");
  assert.equal((await session.run("STATUS INBOX (RECENT)"))[0], "* STATUS INBOX (RECENT 0)");
});

Deno.test("RECENT is gone once the client has enabled IMAP4rev2", async () => {
  const session = await open();
  await session.run("ENABLE IMAP4rev2");
  assert.deepEqual(await session.run("STATUS Work (RECENT)"), ["BAD"]);
  assert.deepEqual(await session.run('LIST "" Work RETURN (STATUS (RECENT))'), ["BAD"]);
});

Deno.test("STATUS of a mailbox that is not there is NONEXISTENT", async () => {
  const session = await open();
  assert.deepEqual(await session.run("STATUS gone (MESSAGES)"), ["NO [NONEXISTENT]"]);
});

Deno.test("STATUS without items or with one that is not known is BAD", async () => {
  const session = await open();
  for (
    const rest of ["", " Work", " Work ()", " Work MESSAGES", " Work (SHINY)", " Work (UNSEEN "]
  ) {
    assert.deepEqual(await session.run(`STATUS${rest}`), ["BAD"], rest);
  }
});

Deno.test("an item that says so turns CONDSTORE on, in STATUS and in LIST", async () => {
  const item = {
    name: "SHINYMODSEQ",
    enablesCondstore: true,
    write: (writer: { raw(text: string): void }) => writer.raw("7"),
  };
  for (const command of ["STATUS INBOX (SHINYMODSEQ)", 'LIST "" % RETURN (STATUS (SHINYMODSEQ))']) {
    const session = await openFakeSession({ rfc: [], title: "test", statusItems: [item] });
    await session.run("STATUS INBOX (MESSAGES)");
    assert.equal(session.modes.condstore, false);
    assert.ok((await session.run(command)).includes("* STATUS INBOX (SHINYMODSEQ 7)"));
    assert.equal(session.modes.condstore, true);
  }
});

Deno.test("STATUS leaves \\Recent and the messages as they are", async () => {
  const session = await open();
  await session.run("STATUS Work (MESSAGES UNSEEN RECENT)");
  const { recent } = await session.store.selectMailbox("Work", { claimRecent: false });
  assert.ok(recent.equals(RangeSet.range(1, 3)));
});
