import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ImapFlow } from "imapflow";
import { PASSWORD, USER } from "../support/server.ts";
import {
  appendUnique,
  type Bench,
  digestOf,
  octetsOf,
  programTest,
  readMailbox,
  uniqueMessage,
} from "./programs.ts";

type Options = Partial<ConstructorParameters<typeof ImapFlow>[0]>;

/** A test with an imapflow client that is logged in. */
function imapflowTest(
  name: string,
  body: (client: ImapFlow, bench: Bench) => Promise<void>,
  options: Options = {},
): void {
  programTest(`imapflow ${name}`, [], async (bench) => {
    const client = new ImapFlow({
      host: "127.0.0.1",
      port: options.secure === false ? bench.server.port : bench.server.tlsPort,
      secure: true,
      auth: { user: USER, pass: PASSWORD },
      tls: { rejectUnauthorized: false },
      logger: false,
      qresync: true,
      ...options,
    });
    await client.connect();
    try {
      await body(client, bench);
      await client.logout();
    } finally {
      client.close();
    }
  });
}

/** Waits until `condition` holds. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, "did not come");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

imapflowTest("sees the extensions, and turns on those it knows", async (client) => {
  for (const name of ["IMAP4rev1", "IMAP4rev2", "CONDSTORE", "QRESYNC", "UIDPLUS", "MOVE"]) {
    assert.ok(client.capabilities.has(name), name);
  }
  assert.ok(client.enabled.has("CONDSTORE"));
  assert.ok(client.enabled.has("QRESYNC"));
  const serverInfo = client.serverInfo as Record<string, string> | undefined;
  assert.match(serverInfo?.["name"] ?? "", /postern/i);
});

imapflowTest("connects by STARTTLS", async (client) => {
  assert.equal(client.secureConnection, true);
  assert.ok(await client.status("INBOX", { messages: true }));
}, { secure: false, doSTARTTLS: true });

imapflowTest("lists mailboxes with special uses and counts", async (client, { observer }) => {
  await appendUnique(observer, "Archive", [1, 2]);
  const list = await client.list({ statusQuery: { messages: true, unseen: true } });
  assert.deepEqual(
    Object.fromEntries(list.map(({ path, specialUse }) => [path, specialUse])),
    {
      INBOX: "\\Inbox",
      Archive: "\\Archive",
      Drafts: "\\Drafts",
      Junk: "\\Junk",
      Sent: "\\Sent",
      Trash: "\\Trash",
    },
  );
  const archive = list.find(({ path }) => path === "Archive");
  assert.equal(archive?.status?.messages, 2);
  assert.equal(archive?.status?.unseen, 2);
  const status = await client.status("Archive", {
    messages: true,
    uidNext: true,
    uidValidity: true,
    highestModseq: true,
  });
  assert.ok(status);
  assert.equal(status.messages, 2);
  assert.equal(status.uidNext, 3);
  assert.ok((status.highestModseq ?? 0n) > 1n);
});

imapflowTest(
  "creates, renames, subscribes and deletes mailboxes of any script",
  async (client, { observer }) => {
    for (const name of ["Entwürfe & mehr", "天気/予報", "Rechnungen/2026/März", "🎉"]) {
      const created = await client.mailboxCreate(name);
      assert.equal(created.created, true, name);
      const renamed = await client.mailboxRename(name, `${name} ß`);
      assert.equal(renamed.newPath, `${name} ß`);
      const list = await client.list();
      const found = list.find(({ path }) => path === `${name} ß`);
      assert.ok(found, name);
      assert.equal(found.delimiter, "/");
      assert.ok(!list.some(({ path }) => path === name), name);
      await client.mailboxUnsubscribe(`${name} ß`);
      await client.mailboxSubscribe(`${name} ß`);
      await client.append(`${name} ß`, uniqueMessage(1));
      const status = await client.status(`${name} ß`, { messages: true });
      assert.equal(status && status.messages, 1);
    }
    const { untagged } = await observer.ok('LIST "" "*"');
    assert.ok(
      untagged.some((line) => line.endsWith('"Entw&APw-rfe &- mehr &AN8-"')),
      `${untagged}`,
    );
    await client.mailboxDelete("天気/予報 ß");
    await observer.no("STATUS &WSlsFw-/&TohYMQ- (MESSAGES)");
    await assert.rejects(client.mailboxDelete("天気/予報 ß"));
    assert.equal((await client.mailboxCreate("INBOX")).created, false);
  },
);

imapflowTest("appends and streams back what it appended", async (client, { observer }) => {
  const numbers = Array.from({ length: 60 }, (_, i) => i + 1);
  for (const number of numbers) {
    const flags = number % 3 === 0 ? ["\\Seen", "$Label"] : [];
    const appended = await client.append(
      "INBOX",
      uniqueMessage(number),
      flags,
      new Date(number * 1e9),
    );
    assert.ok(appended);
    assert.equal(appended.uid, number);
  }
  const opened = await client.mailboxOpen("INBOX");
  assert.equal(opened.exists, 60);
  assert.equal(opened.uidNext, 61);
  const found: number[] = [];
  const query = {
    uid: true,
    flags: true,
    envelope: true,
    bodyStructure: true,
    internalDate: true,
    size: true,
    source: true,
    headers: ["subject"],
    threadId: true,
  };
  for await (const message of client.fetch("1:*", query)) {
    const number = message.uid;
    found.push(number);
    const expected = Buffer.from(uniqueMessage(number));
    assert.ok(message.source?.equals(expected), `message ${number}`);
    assert.equal(message.size, expected.length);
    assert.equal(message.envelope?.subject, `Message ${number}`);
    assert.equal(message.envelope?.messageId, `<${number}@interop.example>`);
    assert.equal(message.bodyStructure?.type, "text/plain");
    assert.equal(message.headers?.toString(), `Subject: Message ${number}\r\n\r\n`);
    assert.equal(new Date(message.internalDate ?? 0).getTime(), number * 1e9);
    assert.equal(message.flags?.has("$Label"), number % 3 === 0);
    assert.ok((message.modseq ?? 0n) > 0n);
    assert.ok(message.emailId);
  }
  assert.deepEqual(found, numbers);
  const { content } = await client.download("7", undefined, { uid: true, chunkSize: 100 });
  assert.ok(content);
  const pieces: Buffer[] = [];
  for await (const piece of content) pieces.push(Buffer.from(piece));
  assert.equal(Buffer.concat(pieces).toString("latin1"), octetsOf(uniqueMessage(7)));
  assert.deepEqual(
    (await readMailbox(observer, "INBOX")).map(({ digest }) => digest),
    numbers.map((number) => digestOf(octetsOf(uniqueMessage(number)))),
  );
});

imapflowTest("searches by what people look for", async (client, { observer }) => {
  await appendUnique(observer, "INBOX", [1, 2, 3, 4]);
  await client.append("INBOX", uniqueMessage(5, "=?utf-8?b?5aSp5rCX5LqI5aCx?="), ["\\Flagged"]);
  await client.mailboxOpen("INBOX");
  assert.deepEqual(await client.search({ subject: "message 3" }), [3]);
  assert.deepEqual(await client.search({ subject: "天気" }), [5]);
  assert.deepEqual(
    await client.search({ body: "grüsse" }),
    await client.search({ body: "GRÜSSE" }),
  );
  assert.deepEqual(await client.search({ body: "Grüße" }, { uid: true }), [1, 2, 3, 4, 5]);
  assert.deepEqual(await client.search({ flagged: true }), [5]);
  assert.deepEqual(await client.search({ or: [{ uid: "1" }, { subject: "message 4" }] }), [1, 4]);
  assert.deepEqual(await client.search({ not: { from: "someone" } }), []);
  assert.deepEqual(await client.search({ header: { "message-id": "<2@interop.example>" } }), [2]);
  assert.deepEqual(await client.search({ sentOn: new Date("1994-02-07") }), [1, 2, 3, 4, 5]);
});

imapflowTest(
  "hears of new mail, flags and expunges while it waits in IDLE",
  async (client, { observer }) => {
    await appendUnique(observer, "INBOX", [1, 2]);
    await client.mailboxOpen("INBOX");
    const events: string[] = [];
    client.on("exists", ({ count, prevCount }) => events.push(`exists ${prevCount} ${count}`));
    client.on("flags", ({ uid, flags }) => events.push(`flags ${uid} ${[...flags ?? []].sort()}`));
    client.on("expunge", ({ seq, uid }) => events.push(`expunge ${uid ?? seq}`));
    const idle = client.idle();
    await observer.ok("SELECT INBOX");
    await observer.append("INBOX", uniqueMessage(3));
    await until(() => events.length === 1);
    await observer.ok("STORE 2 +FLAGS (\\Seen)");
    await until(() => events.length === 2);
    await observer.ok("UID STORE 1 +FLAGS.SILENT (\\Deleted)");
    await observer.ok("EXPUNGE");
    await until(() => events.some((event) => event.startsWith("expunge")));
    await client.noop();
    await idle;
    assert.deepEqual(events.filter((event) => !event.startsWith("flags 1")), [
      "exists 2 3",
      "flags 2 \\Seen",
      "expunge 1",
    ]);
    const { mailbox } = client;
    assert.equal(mailbox && mailbox.exists, 2);
  },
);

imapflowTest(
  "flags, copies, moves and deletes, and the observer agrees",
  async (client, { observer }) => {
    await appendUnique(observer, "INBOX", [1, 2, 3, 4, 5, 6]);
    await client.mailboxOpen("INBOX");
    assert.ok(await client.messageFlagsAdd("1:3", ["\\Flagged", "$Todo"]));
    assert.ok(await client.messageFlagsRemove("2", ["\\Flagged"]));
    assert.ok(await client.messageFlagsSet({ uid: "6" }, ["\\Answered"]));
    const copied = await client.messageCopy("1:2", "Archive");
    assert.ok(copied);
    assert.deepEqual([...copied.uidMap ?? []], [[1, 1], [2, 2]]);
    const moved = await client.messageMove({ seen: false, uid: "3:4" }, "Archive", { uid: true });
    assert.ok(moved);
    assert.deepEqual([...moved.uidMap ?? []], [[3, 3], [4, 4]]);
    assert.ok(await client.messageDelete("5", { uid: true }));
    const digest = (number: number) => digestOf(octetsOf(uniqueMessage(number)));
    const rows = async (mailbox: string) =>
      (await readMailbox(observer, mailbox)).map(({ flags, digest }) => [flags, digest]);
    assert.deepEqual(await rows("INBOX"), [
      ["$Todo \\Flagged", digest(1)],
      ["$Todo", digest(2)],
      ["\\Answered", digest(6)],
    ]);
    assert.deepEqual(await rows("Archive"), [
      ["$Todo \\Flagged", digest(1)],
      ["$Todo", digest(2)],
      ["$Todo \\Flagged", digest(3)],
      ["", digest(4)],
    ]);
  },
);

imapflowTest(
  "learns by CHANGEDSINCE what changed, and that a stale change was refused",
  async (client, { observer }) => {
    await appendUnique(observer, "INBOX", [1, 2, 3]);
    const { highestModseq } = await client.mailboxOpen("INBOX");
    assert.ok(highestModseq);
    await observer.ok("SELECT INBOX");
    await observer.ok("STORE 2 +FLAGS (\\Seen)");
    const changed = await client.fetchAll("1:*", { flags: true, uid: true }, {
      changedSince: highestModseq,
    });
    // Twice: as the answer, and as news that the session had not been told.
    assert.deepEqual(
      [...new Set(changed.map(({ uid, flags }) => [uid, ...flags ?? []].join(" ")))],
      [
        "2 \\Seen",
      ],
    );
    await client.messageFlagsAdd("2", ["\\Flagged"], { unchangedSince: highestModseq });
    const [, second] = await readMailbox(observer, "INBOX");
    assert.equal(second?.flags, "\\Seen");
  },
);
