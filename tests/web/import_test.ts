import assert from "node:assert/strict";
import { makeVerifier } from "../../src/auth/mod.ts";
import type { Bytes } from "../../src/base/mod.ts";
import { importMaildir, unpackZip } from "../../src/transfer/mod.ts";
import { bytesOf, put } from "../store/fixture.ts";
import { withFolder } from "../store/sqlite/account_fixture.ts";
import { TEST_COSTS } from "../support/server.ts";
import { MAX_IMPORTS } from "../../src/web/limits.ts";
import { plainZip } from "../transfer/plain_zip.ts";
import { MAX_UPLOAD_BYTES, type Page, PASSWORD, SiteHouse, type Visitor } from "./site_house.ts";

const PATH = "/account/transfer";

function mboxOf(count: number, size = 10): Bytes {
  const text = (i: number) =>
    `From a@b Thu Jan  1 00:00:00 1970\nSubject: ${i}\n\n${"x".repeat(size)}\n\n`;
  return bytesOf(Array.from({ length: count }, (_, i) => text(i)).join(""));
}

function send(visitor: Visitor, name: string, bytes: Bytes, mailbox = "") {
  const form = new FormData();
  form.set("mailbox", mailbox);
  form.set("file", new File([bytes.slice()], name));
  return visitor.post(`${PATH}/import`, form);
}

/** The page once nothing goes on. */
async function outcome(visitor: Visitor): Promise<Page> {
  for (let i = 0; i < 500; i++) {
    const page = await visitor.get(PATH);
    if (!page.html.includes("import-bar")) return page;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("the import does not end");
}

function noticeOf({ html }: Page): string {
  const notice = /<div class="notice[^>]*>(.*?)<\/div>/s.exec(html)?.[1] ?? "";
  return notice.replace(/<form.*?<\/form>/gs, "").replace(/<[^>]*>/g, " ").replace(/\s+/g, " ")
    .trim();
}

async function countsOf(house: SiteHouse, name: string): Promise<Record<string, number>> {
  const mail = await house.store.openAccount((await house.account(name)).id);
  const mailboxes = await mail.listMailboxes();
  return Object.fromEntries(mailboxes.map(({ name, counts }) => [name, counts.messages]));
}

async function leftovers(house: SiteHouse): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(house.uploads))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

Deno.test("an mbox file is imported into the mailbox named, or the one that it is named after", async () => {
  await using house = await SiteHouse.open();
  const visitor = house.visitor();
  await visitor.logIn("alice");
  assert.equal((await send(visitor, "C:\\mail\\Old%25.mbox", mboxOf(3))).path, PATH);
  assert.equal(noticeOf(await outcome(visitor)), "Old%25.mbox was imported: 3 messages. Old%: 3");
  await send(visitor, "x", mboxOf(1), " Archive/2025 ");
  assert.equal(noticeOf(await outcome(visitor)), "x was imported: 1 message. Archive/2025: 1");
  assert.deepEqual(await countsOf(house, "alice"), {
    ...{ Archive: 0, "Archive/2025": 1, INBOX: 0, "Old%": 3 },
  });
  assert.deepEqual(await leftovers(house), []);
  assert.equal(noticeOf(await visitor.post(`${PATH}/forget`, {})), "");
});

Deno.test("a zip of mbox files or of a Maildir is imported", async () => {
  await using house = await SiteHouse.open();
  const visitor = house.visitor();
  await visitor.logIn("alice");
  await send(
    visitor,
    "a.zip",
    plainZip([{ name: "m/A.mbox", bytes: mboxOf(2) }, { name: "m/B/C.mbox", bytes: mboxOf(1) }]),
  );
  assert.equal(noticeOf(await outcome(visitor)), "a.zip was imported: 3 messages. A: 2 B/C: 1");
  const message = bytesOf("Subject: x\n\nText\n");
  await send(
    visitor,
    "b.zip",
    plainZip([{ name: "cur/1.a:2,S", bytes: message }, { name: ".Lists/new/2", bytes: message }]),
  );
  assert.equal(
    noticeOf(await outcome(visitor)),
    "b.zip was imported: 2 messages. INBOX: 1 Lists: 1",
  );
});

Deno.test("what cannot be imported is said, without the server's paths, and leaves nothing", async () => {
  await using house = await SiteHouse.open();
  const visitor = house.visitor();
  await visitor.logIn("alice");
  const files: [Bytes, string, RegExp][] = [
    [bytesOf("no mail"), "", /was not imported\. This is neither a zip nor .* mbox format\./],
    [bytesOf(""), "", /neither a zip/],
    [mboxOf(1), "a//b", /Mailbox name has an empty level/],
    [plainZip([]), "", /There is no mail/],
    [plainZip([{ name: "../x.mbox", bytes: mboxOf(1) }]), "", /leads elsewhere/],
    [plainZip([{ name: "x.mbox", bytes: bytesOf("no mail") }]), "", /mail\/x\.mbox is not in mbox/],
    [bytesOf("PK\x03\x04 and nothing more"), "", /The zip cannot be read/],
  ];
  for (const [bytes, mailbox, problem] of files) {
    await send(visitor, "x.mbox", bytes, mailbox);
    const text = noticeOf(await outcome(visitor));
    assert.match(text, problem);
    assert.match(text, /Nothing was added/);
    assert.doesNotMatch(text, /\/tmp|uploads/);
  }
  assert.deepEqual(await countsOf(house, "alice"), { INBOX: 0 });
  assert.deepEqual(await leftovers(house), []);
});

Deno.test("mailboxes before the one that failed stay, and are named", async () => {
  await using house = await SiteHouse.open();
  const { id } = await house.account("alice");
  await house.store.directory.setAccountQuota(id, 5_000);
  const visitor = house.visitor();
  await visitor.logIn("alice");
  await send(
    visitor,
    "a.zip",
    plainZip([{ name: "A.mbox", bytes: mboxOf(2) }, { name: "B.mbox", bytes: mboxOf(2, 6_000) }]),
  );
  assert.match(
    noticeOf(await outcome(visitor)),
    /not imported\. The quota would be exceeded .* These mailboxes had come over before, and stay: A\.$/,
  );
  assert.deepEqual(await countsOf(house, "alice"), { A: 2, INBOX: 0 });
});

Deno.test("a file that is too large, missing, cut off or for a full disk is refused", async () => {
  await using house = await SiteHouse.open();
  const visitor = house.visitor();
  await visitor.logIn("alice");
  const most = await send(visitor, "x", new Uint8Array(MAX_UPLOAD_BYTES));
  assert.equal(most.status, 200);
  await outcome(visitor);
  const large = await send(visitor, "x", new Uint8Array(MAX_UPLOAD_BYTES + 1));
  assert.equal(large.status, 413);
  assert.match(noticeOf(large), /larger than 1048576 octets/);
  const none = await send(visitor, "", bytesOf(""));
  assert.equal(none.status, 422);
  const cut = await house.answer(
    request(
      visitor,
      '--y\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nFrom ',
    ),
  );
  assert.equal(cut.status, 422);
  assert.match(await cut.text(), /was cut off/);
  // MIN_FREE_BYTES
  house.host.facts = {
    ...house.host.facts,
    disk: { freeBytes: 1024 ** 3 - 1, totalBytes: 1024 ** 4 },
  };
  const full = await send(visitor, "x", mboxOf(1));
  assert.equal(full.status, 503);
  house.host.facts = { ...house.host.facts, disk: { freeBytes: 1024 ** 3, totalBytes: 1024 ** 4 } };
  assert.equal((await send(visitor, "x", mboxOf(1), "y")).status, 200);
  await outcome(visitor);
  assert.deepEqual(await leftovers(house), []);
});

/** A form as a browser sends it, bit by bit. */
function request(visitor: Visitor, body: BodyInit): Request {
  return new Request(`https://mail.example.org${PATH}/import`, {
    method: "POST",
    body,
    headers: {
      "content-type": "multipart/form-data; boundary=y",
      "sec-fetch-site": "same-origin",
      cookie: [...visitor.cookies].map((cookie) => cookie.join("=")).join("; "),
    },
  });
}

Deno.test("one import at a time: it can be seen, told of by events, and stopped", async () => {
  await using house = await SiteHouse.open();
  const visitor = house.visitor();
  await visitor.logIn("alice");
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const answer = house.answer(request(visitor, readable));
  const writer = writable.getWriter();
  await writer.write(bytesOf(
    '--y\r\nContent-Disposition: form-data; name="file"; filename="big.mbox"\r\n\r\nFrom a',
  ));
  await writer.write(new Uint8Array(200_000));
  const page = await visitor.get(PATH);
  assert.match(page.html, /Import of big\.mbox/);
  assert.match(page.html, /<noscript><meta http-equiv="refresh" content="3"/);
  assert.match(page.html, /<script src="\/assets\/import\.js"/);
  assert.equal((await visitor.get("/assets/import.js")).status, 200);
  const second = await send(visitor, "x", mboxOf(1));
  assert.equal(second.status, 409);
  const events = visitor.get(`${PATH}/events`);
  const bob = house.visitor();
  await bob.logIn("bob");
  assert.doesNotMatch((await bob.get(PATH)).html, /big\.mbox/);
  await visitor.post(`${PATH}/abort`, {});
  assert.equal((await answer).status, 422);
  assert.match((await events).html, /^data: \{"isDone":false,"text":"The file is being sent\."/);
  assert.match((await events).html, /data: \{"isDone":true\}\n\n$/);
  assert.deepEqual(await leftovers(house), []);
  assert.equal((await send(visitor, "x", mboxOf(1), "y")).status, 200);
  await outcome(visitor);
});

Deno.test("an import ends when the disk fills meanwhile, whatever length was announced", async () => {
  await using house = await SiteHouse.open();
  const visitor = house.visitor();
  await visitor.logIn("alice");
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const answer = house.answer(request(visitor, readable));
  const writer = writable.getWriter();
  await writer.write(bytesOf(
    '--y\r\nContent-Disposition: form-data; name="file"; filename="big.mbox"\r\n\r\nFrom a',
  ));
  // What is written to disk is behind the look at the disk that all begin with.
  for (let i = 0; i < 4; i++) await writer.write(new Uint8Array(200_000));
  house.host.facts = {
    ...house.host.facts,
    disk: { freeBytes: 1024 ** 3 - 1, totalBytes: 1024 ** 4 },
  };
  const { status } = await Promise.race([
    answer,
    new Promise<{ status: number }>((resolve) => setTimeout(resolve, 5_000, { status: 0 })),
  ]);
  assert.equal(status, 503);
  assert.deepEqual(await leftovers(house), []);
});

Deno.test("a zip may become five times the largest file, as far as the disk has room", async () => {
  await using house = await SiteHouse.open();
  const visitor = house.visitor();
  await visitor.logIn("alice");
  const zipOf = (bytes: number) => plainZip([{ name: "a.mbox", bytes: new Uint8Array(bytes) }]);
  // MAX_UNPACKED_RATIO
  const most = 5 * MAX_UPLOAD_BYTES;
  await send(visitor, "a.zip", zipOf(most));
  assert.match(noticeOf(await outcome(visitor)), /a\.mbox is not in mbox format/);
  await send(visitor, "a.zip", zipOf(most + 1));
  assert.match(noticeOf(await outcome(visitor)), /more than 5242880 octets/);
  const disk = { freeBytes: 1024 ** 3 + 1_000_000, totalBytes: 1024 ** 4 };
  house.host.facts = { ...house.host.facts, disk };
  await send(visitor, "a.zip", zipOf(1_000_001));
  assert.match(noticeOf(await outcome(visitor)), /more than 1000000 octets/);
});

Deno.test("so many imports go on at a time on the whole host, and no more", async () => {
  await using house = await SiteHouse.open();
  const { directory } = house.store;
  const verifier = await makeVerifier(PASSWORD, TEST_COSTS);
  const visitors: Visitor[] = [];
  for (let i = 0; i <= MAX_IMPORTS; i++) {
    await directory.addAccount(`user${i}@example.org`, verifier);
    const visitor = house.visitor();
    await visitor.logIn(`user${i}`);
    visitors.push(visitor);
  }
  const last = visitors.pop();
  assert.ok(last);
  const stuck = visitors.map((visitor) => {
    const { readable } = new TransformStream<Uint8Array, Uint8Array>();
    return house.answer(request(visitor, readable));
  });
  const refused = await send(last, "x", mboxOf(1), "y");
  assert.equal(refused.status, 503);
  await visitors[0]?.post(`${PATH}/abort`, {});
  assert.equal((await send(last, "x", mboxOf(1), "y")).status, 200);
  await outcome(last);
  for (const visitor of visitors) await visitor.post(`${PATH}/abort`, {});
  for (const answer of stuck) assert.equal((await answer).status, 422);
});

Deno.test("a server that stops ends imports, and begins no others", async () => {
  await using house = await SiteHouse.open();
  const [alice, bob] = [house.visitor(), house.visitor()];
  await alice.logIn("alice");
  await bob.logIn("bob");
  const { readable } = new TransformStream<Uint8Array, Uint8Array>();
  const stuck = house.answer(request(alice, readable));
  while ((await leftovers(house)).length === 0) await new Promise((go) => setTimeout(go, 5));
  await house.closeSite();
  assert.equal((await stuck).status, 422);
  assert.deepEqual(await leftovers(house), []);
  assert.equal((await send(bob, "x", mboxOf(1), "y")).status, 503);
});

Deno.test("what a killed server left of uploads is removed when the site opens", async () => {
  await using house = await SiteHouse.open({
    before: async (folder) => {
      await Deno.mkdir(`${folder}/0123`, { recursive: true });
      await Deno.writeTextFile(`${folder}/0123/file`, "left");
    },
  });
  assert.deepEqual(await leftovers(house), []);
});

Deno.test("an account is downloaded as a zip that other programs read", async () => {
  await using house = await SiteHouse.open();
  const alice = await house.account("alice");
  const mail = await house.store.openAccount(alice.id);
  await put(mail, "INBOX", { bytes: bytesOf("Subject: 1\r\n\r\nText\r\n"), flags: 1 });
  const visitor = house.visitor();
  await visitor.logIn("alice");
  for (const kind of ["mbox", "maildir"]) {
    const { headers } = await visitor.get(`${PATH}/export?kind=${kind}`);
    assert.equal(headers.get("content-type"), "application/zip");
    assert.equal(
      headers.get("content-disposition"),
      `attachment; filename="alice_example.org-2026-11-24-${kind}.zip"`,
    );
  }
  await withFolder(async (folder) => {
    const response = await house.answer(
      new Request(`https://mail.example.org${PATH}/export?kind=maildir`, {
        headers: { cookie: [...visitor.cookies].map((cookie) => cookie.join("=")).join("; ") },
      }),
    );
    await Deno.writeFile(`${folder}/a.zip`, response.body ?? new Uint8Array());
    await Deno.mkdir(`${folder}/out`);
    await unpackZip(`${folder}/a.zip`, `${folder}/out`, 1024 ** 2, () => {});
    const bob = await house.store.openAccount((await house.account("bob")).id);
    const [result] = await importMaildir(bob, `${folder}/out`, undefined, () => {});
    assert.equal(result?.messages, 1);
  });
});
