import assert from "node:assert/strict";
import { literal } from "../support/client.ts";
import { PASSWORD, USER } from "../support/server.ts";
import {
  appendUnique,
  type Bench,
  certificateFile,
  digestOf,
  octetsOf,
  programTest,
  readMailbox,
  runOk,
  uniqueMessage,
} from "./programs.ts";

/** mbsync with a Maildir and the server, two ways. */
class Mbsync {
  private constructor(readonly bench: Bench, private readonly config: string) {}

  static async set(bench: Bench, imap: string): Promise<Mbsync> {
    const { folder } = bench;
    await Deno.mkdir(`${folder}/mail`);
    const config = `${folder}/mbsyncrc`;
    await Deno.writeTextFile(
      config,
      `FSync no

IMAPAccount postern
Host 127.0.0.1
User ${USER}
Pass "${PASSWORD}"
CertificateFile ${await certificateFile(bench)}
${imap}

IMAPStore far
Account postern

MaildirStore near
Path ${folder}/mail/
Inbox ${folder}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns * !Junk
Sync All
Create Both
Expunge Both
Remove Both
CopyArrivalDate yes
SyncState *
`,
    );
    return new Mbsync(bench, config);
  }

  async sync(): Promise<string> {
    const { stdout, stderr } = await runOk(this.bench.folder, "mbsync", ["-c", this.config, "all"]);
    // A mailbox that is wrong in mbsync's eyes is only warned about.
    assert.doesNotMatch(stderr, /error|warning/i, stderr);
    return stdout + stderr;
  }

  path(mailbox: string): string {
    return `${this.bench.folder}/mail/${mailbox}`;
  }

  /** Files of a mailbox, with their flags (letters behind ":2,") and the digest of the message. */
  async read(mailbox: string): Promise<{ path: string; flags: string; digest: string }[]> {
    const found: { path: string; flags: string; digest: string }[] = [];
    for (const sub of ["cur", "new"]) {
      for await (const { name } of Deno.readDir(`${this.path(mailbox)}/${sub}`)) {
        const path = `${this.path(mailbox)}/${sub}/${name}`;
        const text = (await Deno.readTextFile(path)).replace(/^X-TUID: .*\n/m, "");
        const wire = text.replace(/\r?\n/g, "\r\n");
        found.push({
          path,
          flags: /:2,([A-Z]*)$/.exec(name)?.[1] ?? "",
          digest: digestOf(octetsOf(wire)),
        });
      }
    }
    return found;
  }

  /** Puts a message into the Maildir, as a mail program would. */
  async put(mailbox: string, number: number, flags = ""): Promise<void> {
    for (const sub of ["cur", "new", "tmp"]) {
      await Deno.mkdir(`${this.path(mailbox)}/${sub}`, { recursive: true });
    }
    await Deno.writeTextFile(
      `${this.path(mailbox)}/cur/${1_700_000_000 + number}.${number}.host:2,${flags}`,
      uniqueMessage(number).replaceAll("\r\n", "\n"),
    );
  }

  /** Asserts that server and Maildir hold exactly these messages, with these flags. */
  async assertBoth(mailbox: string, wanted: ReadonlyMap<number, string>): Promise<void> {
    const expected = [...wanted].map(([number, flags]) => `${messageDigest(number)} ${flags}`)
      .sort();
    const near = (await this.read(mailbox)).map(({ flags, digest }) => `${digest} ${flags}`).sort();
    assert.deepEqual(near, expected, "Maildir");
    const far = (await readMailbox(this.bench.observer, mailbox)).map(({ flags, raw }) => {
      // mbsync marks what it uploads, to find it again where UIDPLUS is missing.
      const digest = digestOf(raw.replace(/^X-TUID: .*\r\n/m, ""));
      return `${digest} ${letters(flags)}`;
    }).sort();
    assert.deepEqual(far, expected, "server");
  }
}

function messageDigest(number: number): string {
  return digestOf(octetsOf(uniqueMessage(number)));
}

/** Flags as Maildir spells them. */
function letters(flags: string): string {
  const names = {
    "\\Draft": "D",
    "\\Flagged": "F",
    "\\Answered": "R",
    "\\Seen": "S",
    "\\Deleted": "T",
  };
  return Object.entries(names).filter(([name]) => flags.split(" ").includes(name))
    .map(([, letter]) => letter).join("");
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

programTest(
  "mbsync syncs 300 messages and changes on both sides: nothing lost, nothing doubled",
  ["mbsync"],
  async (bench) => {
    const { observer } = bench;
    const mbsync = await Mbsync.set(bench, `Port ${bench.server.tlsPort}\nSSLType IMAPS`);
    await appendUnique(observer, "INBOX", range(1, 300));
    await appendUnique(observer, "Archive", range(301, 320));
    await mbsync.sync();
    const inbox = new Map(range(1, 300).map((number) => [number, ""]));
    await mbsync.assertBoth("INBOX", inbox);
    await mbsync.assertBoth("Archive", new Map(range(301, 320).map((number) => [number, ""])));

    // Changes at the server: flags, expunges, new messages, a new mailbox of another script.
    await observer.ok("SELECT INBOX");
    await observer.ok("STORE 1:50 +FLAGS (\\Seen)");
    await observer.ok("STORE 40:60 +FLAGS (\\Flagged)");
    await observer.ok("STORE 101:110 +FLAGS (\\Deleted)");
    await observer.ok("EXPUNGE");
    await appendUnique(observer, "INBOX", range(401, 420));
    await observer.ok("CREATE Entw&APw-rfe");
    await appendUnique(observer, "Entw&APw-rfe", range(501, 505));
    for (const number of range(1, 300)) {
      const flags = `${number >= 40 && number <= 60 ? "F" : ""}${number <= 50 ? "S" : ""}`;
      if (number > 100 && number <= 110) inbox.delete(number);
      else inbox.set(number, flags);
    }
    for (const number of range(401, 420)) inbox.set(number, "");

    // Changes in the Maildir, between two syncs: the same three kinds, and a new mailbox.
    const byDigest = new Map((await mbsync.read("INBOX")).map((file) => [file.digest, file]));
    for (const number of range(201, 230)) {
      const { path } = byDigest.get(messageDigest(number))!;
      if (number <= 220) {
        const base = path.slice(path.lastIndexOf("/") + 1).replace(/:2,.*$/, "");
        await Deno.rename(path, `${mbsync.path("INBOX")}/cur/${base}:2,RS`);
        inbox.set(number, "RS");
      } else {
        await Deno.remove(path);
        inbox.delete(number);
      }
    }
    for (const number of range(601, 640)) {
      await mbsync.put("INBOX", number, number % 2 === 0 ? "S" : "F");
      inbox.set(number, number % 2 === 0 ? "S" : "F");
    }
    for (const number of range(701, 703)) await mbsync.put("Projekte", number, "S");

    await mbsync.sync();
    await mbsync.assertBoth("INBOX", inbox);
    await mbsync.assertBoth("Entw&APw-rfe", new Map(range(501, 505).map((each) => [each, ""])));
    await mbsync.assertBoth("Projekte", new Map(range(701, 703).map((each) => [each, "S"])));

    // And again, with nothing to do: the server must not see a single change.
    const state = async () =>
      (await observer.ok("STATUS INBOX (UIDNEXT HIGHESTMODSEQ MESSAGES)")).untagged.at(-1);
    const before = await state();
    await mbsync.sync();
    assert.equal(await state(), before);
    await mbsync.assertBoth("INBOX", inbox);
  },
);

programTest(
  "mbsync by STARTTLS carries what is odd: 8-bit headers, no headers, lone dots, 2 MB",
  ["mbsync"],
  async (bench) => {
    const { observer } = bench;
    const mbsync = await Mbsync.set(bench, `Port ${bench.server.port}\nSSLType STARTTLS`);
    const odd = [
      "Subject: Grüße in acht Bit\r\nFrom: x\r\n\r\nText\r\n",
      "\r\nno header at all\r\n",
      "Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n",
      "Subject: no line end at the end\r\n\r\nend",
      `Subject: large\r\n\r\n${"0123456789abcdef0123456789abcdef\r\n".repeat(60_000)}`,
      'Content-Type: multipart/mixed; boundary="b"\r\nSubject: cut\r\n\r\n--b\r\n\r\nhalf a pa',
    ];
    for (const message of odd) await observer.ok(["APPEND INBOX ", literal(message)]);
    await mbsync.sync();
    const near = (await mbsync.read("INBOX")).map(({ digest }) => digest).sort();
    assert.deepEqual(near, odd.map((message) => digestOf(octetsOf(message))).sort());
  },
);
