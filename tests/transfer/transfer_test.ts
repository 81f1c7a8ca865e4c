import assert from "node:assert/strict";
import type { AccountStore } from "../../src/store/mod.ts";
import { parseMailboxName, StoreError } from "../../src/store/mod.ts";
import {
  exportMaildir,
  exportMbox,
  importMaildir,
  importMbox,
  TransferError,
  TransferStopped,
} from "../../src/transfer/mod.ts";
import { mailboxOfFolder, maildirFolder } from "../../src/transfer/maildir_names.ts";
import { mailboxOfMbox, mboxPath } from "../../src/transfer/mbox_path.ts";
import { IMPORT_TURN_MESSAGES, MAX_LIST_BYTES } from "../../src/transfer/limits.ts";
import { MailboxImport } from "../../src/transfer/mailbox_import.ts";
import { parseSubscriptions, writeSubscriptions } from "../../src/transfer/subscriptions.ts";
import { bytesOf, mail, put, refuses } from "../store/fixture.ts";
import { withFolder, withStore } from "../store/sqlite/account_fixture.ts";
import { contentsOf } from "./contents.ts";

const quiet = () => {};

/** Two accounts and a folder that does not exist yet. */
async function withAccounts(
  run: (from: AccountStore, to: AccountStore, folder: string) => Promise<void>,
): Promise<void> {
  await withStore({}, async (store, from) => {
    const { id } = await store.directory.addAccount("bob@example.org", "{}");
    const to = await store.openAccount(id);
    await withFolder((folder) => run(from, to, `${folder}/exported`));
    for (const each of [from, to]) {
      for await (const breach of each.check()) assert.fail(breach);
    }
  });
}

const NAMES = ["Entwürfe", "a.b/c\\d", "Lists", "Lists/Deno.mbox", "Lists/Deno.mbox/x%2Ey", "天気"];

/** Messages that are awkward in one format or the other. */
async function fill(account: AccountStore): Promise<void> {
  for (const name of NAMES) await account.createMailbox(name).catch(() => undefined);
  await account.setSubscribed("Entwürfe", false);
  const odd = [
    "\r\nno header\r\n",
    "Subject: no end",
    "Subject: x\r\n\r\nFrom here\r\n>From there\r\n\r\n\r\n",
    "Status: RO\r\nX-Keywords: forged\r\nSubject: x\r\n\r\n",
    "Subject: \xe9\r\n\r\n\xff\x00\r\n.\r\n",
    `Subject: large\r\n\r\n${"From the line\r\n".repeat(50_000)}`,
  ];
  let seconds = 1_000_000_000;
  for (const [i, text] of odd.entries()) {
    const keywords = i % 2 ? ["$Forwarded", "blue"] : [];
    await put(account, i < 3 ? "INBOX" : "a.b/c\\d", {
      ...{ bytes: bytesOf(text), flags: i * 7 % 32, keywords, seconds: seconds += 1_000_003 },
      zoneMinutes: 0,
    });
  }
}

Deno.test("an exported Maildir, imported, gives the same account", () =>
  withAccounts(async (from, to, folder) => {
    await fill(from);
    const exported = await exportMaildir(from, folder, quiet);
    const progress: string[] = [];
    const imported = await importMaildir(to, folder, undefined, (...args) => {
      progress.push(args.join(" "));
    });
    assert.deepEqual(imported, exported);
    const ofInbox = progress.filter((each) => each.startsWith("INBOX "));
    assert.deepEqual(ofInbox, ["INBOX 0 3", "INBOX 1 3", "INBOX 2 3", "INBOX 3 3"]);
    assert.deepEqual(await contentsOf(to), await contentsOf(from));
  }));

Deno.test("exported mbox files, imported, give the same account", () =>
  withAccounts(async (from, to, folder) => {
    await fill(from);
    const exported = await exportMbox(from, folder, quiet);
    assert.deepEqual(
      exported.map(({ mailbox, messages }) => `${mailbox} ${messages}`).slice(-3),
      ["a.b 0", "a.b/c\\d 3", "天気 0"],
    );
    assert.deepEqual(await importMbox(to, folder, undefined, quiet), exported);
    // Which mailbox is subscribed is in no mbox.
    await to.setSubscribed("Entwürfe", false);
    assert.deepEqual(await contentsOf(to), await contentsOf(from));
  }));

Deno.test("an import goes below another mailbox when asked", () =>
  withAccounts(async (from, to, folder) => {
    await put(from, "INBOX", {});
    await put(from, "Archive", {}, {});
    await exportMaildir(from, `${folder}/maildir`, quiet);
    await exportMbox(from, `${folder}/mbox`, quiet);
    await importMaildir(to, `${folder}/maildir`, "Old", quiet);
    await importMbox(to, `${folder}/mbox`, "Older", quiet);
    await importMbox(to, `${folder}/mbox/Archive.mbox`, "One", quiet);
    const counts = (await to.listMailboxes()).filter(({ name }) => /^O/.test(name))
      .map(({ name, counts }) => `${name} ${counts.messages}`);
    assert.deepEqual(
      counts.filter((line) => !line.endsWith(" 0")),
      ["Old 1", "Old/Archive 2", "Older/Archive 2", "Older/INBOX 1", "One 2"],
    );
  }));

Deno.test("an export overwrites nothing", () =>
  withAccounts(async (from, _, folder) => {
    await Deno.mkdir(folder);
    await Deno.writeTextFile(`${folder}/x`, "");
    for (const run of [exportMbox, exportMaildir]) {
      await assert.rejects(run(from, folder, quiet), TransferError);
    }
  }));

Deno.test("a mailbox comes as a whole or not at all", () =>
  withStore({ defaultQuotaBytes: 10_000 }, async (store, from, dataDir) => {
    const folder = `${dataDir}/exported`;
    for (let i = 0; i < 5; i++) await put(from, "INBOX", { bytes: mail("x", 1000) });
    for (let i = 0; i < 4; i++) await put(from, "Sent", { bytes: mail("x", 1000) });
    await exportMaildir(from, folder, quiet);
    const { id } = await store.directory.addAccount("bob@example.org", "{}");
    const to = await store.openAccount(id);
    await put(to, "Drafts", { bytes: mail("x", 2000) });
    await refuses("over-quota", importMaildir(to, folder, undefined, quiet));
    const counts = Object.fromEntries(
      (await to.listMailboxes()).map(({ name, counts }) => [name, counts.messages]),
    );
    assert.deepEqual([counts["INBOX"], counts["Sent"]], [5, 0]);
    for await (const breach of to.check()) assert.fail(breach);
    // What was set aside is gone again.
    await put(to, "INBOX", { bytes: mail("x", 3000) });
  }));

Deno.test("names that no mailbox can have are refused before anything is imported", () =>
  withAccounts(async (_, to, folder) => {
    for (const name of ["", ".A", ".B..C"]) {
      await Deno.mkdir(`${folder}/${name}/cur`, { recursive: true });
    }
    await Deno.writeTextFile(`${folder}/cur/1.x:2,`, "A: b\n");
    await refuses("invalid-name", importMaildir(to, folder, undefined, quiet));
    assert.equal((await to.quota()).usedMessages, 0);
    await assert.rejects(importMaildir(to, `${folder}/cur`, undefined, quiet), TransferError);
    await assert.rejects(importMbox(to, `${folder}/cur`, undefined, quiet), TransferError);
    await Deno.writeTextFile(`${folder}/x.mbox`, "A: b\n");
    await assert.rejects(
      importMbox(to, `${folder}/x.mbox`, undefined, quiet),
      /not in mbox format/,
    );
  }));

Deno.test("a Maildir as Dovecot and others leave it: new mail, keywords, dates, LAYOUT=fs", () =>
  withAccounts(async (_, to, folder) => {
    const file = async (path: string, mtime?: number, text = "A: b\n\nx\n") => {
      const whole = `${folder}/${path}`;
      await Deno.mkdir(whole.slice(0, whole.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(whole, text);
      if (mtime !== undefined) await Deno.utime(whole, mtime, mtime);
    };
    await file("dovecot-keywords", undefined, "0 NonJunk\n1 bad(name\n2 blue\n");
    await file("new/1600000000.M1.host", 1_500_000_000);
    await file("cur/1600000001.M1.host,S=1:2,FRSab", 1_700_000_000);
    await file("cur/1600000002.M1.host:2,DTPcz", 1_600_000_001);
    await file("cur/.hidden", 1);
    await file("tmp/1600000003.M1.host", 1);
    await file("Sub/cur/x", 1_600_000_009);
    await file("Sub/Deep&AOk-r/new/x", 1_600_000_009);
    await file("subscriptions", undefined, "Sub\nGone/Away\n");
    const results = await importMaildir(to, folder, undefined, quiet);
    assert.deepEqual(results, [
      { mailbox: "INBOX", messages: 3, warnings: ['keyword "bad(name" cannot be kept'] },
      { mailbox: "Sub", messages: 1, warnings: [] },
      { mailbox: "Sub/Deepér", messages: 1, warnings: [] },
    ]);
    const inbox = (await contentsOf(to))["INBOX"];
    assert.deepEqual(
      inbox?.messages.map((line) => line.split(" ").slice(1).join(" ")),
      ["0 1500000000 ", "7 1600000001 NonJunk", "24 1600000001 $Forwarded blue"],
    );
    assert.deepEqual(await to.listMissingSubscriptions(), ["Gone/Away"]);
  }));

Deno.test("lists beside a Maildir are read up to a size, before anything is imported", () =>
  withAccounts(async (_, to, folder) => {
    await Deno.mkdir(`${folder}/cur`, { recursive: true });
    await Deno.writeTextFile(`${folder}/cur/1.x:2,`, "A: b\n");
    for (const name of ["dovecot-keywords", "subscriptions"]) {
      await Deno.writeTextFile(`${folder}/${name}`, "\n".repeat(MAX_LIST_BYTES + 1));
      await assert.rejects(importMaildir(to, folder, undefined, quiet), TransferError);
      assert.equal((await to.quota()).usedMessages, 0, name);
      await Deno.writeTextFile(`${folder}/${name}`, "\n".repeat(MAX_LIST_BYTES));
    }
    assert.equal((await importMaildir(to, folder, undefined, quiet))[0]?.messages, 1);
  }));

Deno.test("a mailbox takes so many messages in one step and no more, then none", () =>
  withAccounts(async (_, to) => {
    const facts = { flags: 0, keywords: [], internalDate: undefined };
    const fill = async (count: number) => {
      const into = await MailboxImport.begin(to, "INBOX", 2);
      try {
        for (let i = 0; i < count; i++) await into.end(facts);
        await into.commit();
      } finally {
        await into.discard();
      }
    };
    await assert.rejects(fill(3), TransferError);
    assert.equal((await to.quota()).usedMessages, 0);
    await fill(2);
    assert.equal((await to.quota()).usedMessages, 2);
  }));

Deno.test("others have their turn while small messages are imported", () =>
  withAccounts(async (_, to, folder) => {
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(
      `${folder}/a.mbox`,
      "From a Mon Jan  1 00:00:00 2024\n\n".repeat(25 * IMPORT_TURN_MESSAGES),
    );
    let turns = 0;
    let timer: ReturnType<typeof setInterval> | undefined;
    await importMbox(to, `${folder}/a.mbox`, undefined, (_mailbox, done, total) => {
      // All of the file is one piece.
      if (done === 0) timer = setInterval(() => turns++, 1);
      if (done === total) clearInterval(timer);
    });
    assert.ok(turns >= 3, `${turns}`);
  }));

Deno.test("others have their turn while an import is taken back, and who stops the server waits for none", () =>
  withAccounts(async (_, to, folder) => {
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(`${folder}/a.mbox`, "From a Mon Jan  1 00:00:00 2024\n\n".repeat(300));
    const endWith = async (end: Error) => {
      let discarded = 0;
      const stageMessage = to.stageMessage.bind(to);
      const watched = Object.create(to) as AccountStore;
      watched.quota = () => to.quota();
      watched.stageMessage = () => {
        const stage = stageMessage();
        const finish = stage.finish.bind(stage);
        stage.finish = async () => {
          const whole = await finish();
          const park = whole.park.bind(whole);
          whole.park = async () => {
            const parked = await park();
            const discard = parked.discard.bind(parked);
            parked.discard = () => (discarded++, discard());
            return parked;
          };
          return whole;
        };
        return stage;
      };
      let turns = 0;
      let timer: ReturnType<typeof setInterval> | undefined;
      await assert.rejects(
        importMbox(watched, `${folder}/a.mbox`, undefined, (_mailbox, done) => {
          if (done === 0) return;
          timer = setInterval(() => turns++, 1);
          throw end;
        }),
        (error) => error === end,
      );
      clearInterval(timer);
      return { discarded, turns };
    };
    const { discarded, turns } = await endWith(new Error("enough"));
    assert.ok(discarded >= 299, `${discarded}`);
    assert.ok(turns >= 1, `${turns}`);
    assert.equal((await endWith(new TransferStopped())).discarded, 0);
  }));

Deno.test("mail that came over is told of although there are too many subscriptions", () =>
  withAccounts(async (_, to, folder) => {
    await Deno.mkdir(`${folder}/cur`, { recursive: true });
    await Deno.writeTextFile(`${folder}/cur/1.x:2,`, "A: b\n");
    await Deno.writeTextFile(`${folder}/subscriptions`, "x\n");
    // The limit itself is the store's, and takes a while to come to.
    to.setSubscribed = () => Promise.reject(new StoreError("limit", "There are too many."));
    const [result] = await importMaildir(to, folder, undefined, quiet);
    assert.equal(result?.messages, 1);
    assert.match(result?.warnings[0] ?? "", /too many/);
  }));

Deno.test("names of folders and files lead back to the mailbox", () => {
  for (const name of [...NAMES, "INBOX", "INBOX/x", "50%", "a.mbox/b.mbox", "&", ".x"]) {
    assert.equal(parseMailboxName(name), name);
    assert.equal(mailboxOfFolder(maildirFolder(name)), name);
    assert.equal(mailboxOfMbox(mboxPath(name)), name);
  }
  assert.equal(maildirFolder("Entwürfe/a.b"), ".Entw&APw-rfe.a\\2eb");
  assert.equal(mailboxOfFolder(".Entw\u0075\u0308rfe"), "Entwürfe");
  assert.equal(mboxPath("a.mbox/b.mbox"), "a%2Embox/b.mbox.mbox");
  assert.deepEqual(parseSubscriptions(writeSubscriptions(NAMES)), NAMES);
});
