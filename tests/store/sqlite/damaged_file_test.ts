import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { decodeLatin1 } from "../../../src/base/mod.ts";
import { ALL, box, breaches, mail, put, raw, rows } from "../fixture.ts";
import { type AccountFixture, withAccountFile } from "./account_fixture.ts";

const PAGE_BYTES = 8192;
const COUNT = 300;

/** Mail enough for indexes of several pages. */
async function fill({ account }: AccountFixture): Promise<void> {
  for (let i = 0; i < COUNT; i++) await put(account, "INBOX", { bytes: mail(`m${i}`) });
}

/** Overwrites a page of the file, as a bad disk does. */
function overwrite({ file }: AccountFixture, page: number, fill: (i: number) => number): void {
  file.closeDatabase();
  const disk = Deno.openSync(join(file.folder, "mail.db"), { write: true });
  disk.seekSync((page - 1) * PAGE_BYTES, Deno.SeekMode.Start);
  disk.writeSync(Uint8Array.from({ length: PAGE_BYTES }, (_, i) => fill(i)));
  disk.close();
}

function rootOf({ db }: AccountFixture, name: string): number {
  return db.number("SELECT rootpage FROM sqlite_schema WHERE name = ?", name);
}

const ZEROES = () => 0;
const NOISE = (i: number) => (i * 7919 + 13) >> 3 & 0xff;

/** Has the file's schema changed by hand, which SQLite calls an attack by default. */
function withSchemaInHand({ file }: AccountFixture, run: (db: DatabaseSync) => void): void {
  file.closeDatabase();
  // Missing in Deno's types only.
  const options = { defensive: false } as ConstructorParameters<typeof DatabaseSync>[1];
  const db = new DatabaseSync(join(file.folder, "mail.db"), options);
  db.exec("PRAGMA writable_schema = ON");
  run(db);
  db.close();
}

/** All is as `fill` left it, and more can be stored. */
async function assertWhole({ account, file }: AccountFixture): Promise<void> {
  assert.deepEqual(await breaches(account), []);
  const inbox = await box(account, "INBOX");
  const all = await rows(account, inbox.id);
  assert.equal(all.length, COUNT);
  assert.equal(
    decodeLatin1(await raw(account, inbox.id, COUNT)),
    decodeLatin1(mail(`m${COUNT - 1}`)),
  );
  await put(account, "INBOX");
  assert.deepEqual(await breaches(account), []);
  const left = [...Deno.readDirSync(file.folder)].map(({ name }) => name)
    .filter((name) => name.includes("unfinished"));
  assert.deepEqual(left, []);
}

Deno.test("an index that lacks entries is found by the check, and made anew", () =>
  withAccountFile(async (fixture) => {
    await fill(fixture);
    withSchemaInHand(fixture, (db) => {
      const where = "name = 'message_modseq'";
      const [row] = db.prepare(`SELECT * FROM sqlite_schema WHERE ${where}`).all();
      assert.ok(row);
      db.exec(`DELETE FROM sqlite_schema WHERE ${where}; PRAGMA writable_schema = RESET`);
      db.exec("UPDATE message SET modseq = modseq - 1 WHERE uid % 7 = 0");
      db.exec("PRAGMA writable_schema = ON");
      db.prepare("INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)").run(...Object.values(row));
    });
    const found = await breaches(fixture.account);
    assert.match(found[0] ?? "", /^the file is damaged: .*message_modseq/);
    const said = await Array.fromAsync(fixture.account.repair());
    assert.equal(said[1], "the indexes of the file were made anew");
    assert.match(said[0] ?? "", /a copy of the database as it was/);
    await assertWhole(fixture);
  }));

for (const index of ["message_modseq", "message_content", "message_unseen", "content_thread"]) {
  for (const [what, octet] of [["zeroes", ZEROES], ["noise", NOISE]] as const) {
    Deno.test(`an index whose first page is overwritten with ${what} is mended: ${index}`, () =>
      withAccountFile(async (fixture) => {
        await fill(fixture);
        overwrite(fixture, rootOf(fixture, index), octet);
        const found = await breaches(fixture.account);
        assert.match(found[0] ?? "", /^the file is damaged: /, found.join("; "));
        const said = await Array.fromAsync(fixture.account.repair());
        assert.equal(said[1], "the file was made anew from its tables", said.join("; "));
        await assertWhole(fixture);
      }));
  }
}

Deno.test("a damaged file that somebody has open is told of, and stays as it is", () =>
  withAccountFile(async (fixture) => {
    await fill(fixture);
    overwrite(fixture, rootOf(fixture, "message_modseq"), ZEROES);
    const other = new DatabaseSync(join(fixture.file.folder, "mail.db"));
    other.prepare("SELECT count(*) FROM mailbox").get();
    const said = await Array.fromAsync(fixture.account.repair());
    assert.equal(
      said.at(-1),
      "the file is damaged and in use: stop the server, and repair again",
    );
    other.close();
    await Array.fromAsync(fixture.account.repair());
    await assertWhole(fixture);
  }));

Deno.test("mail that cannot be read is told of, and what is left of it stays as it is", () =>
  withAccountFile(async (fixture) => {
    await fill(fixture);
    overwrite(fixture, rootOf(fixture, "chunk"), ZEROES);
    assert.match((await breaches(fixture.account))[0] ?? "", /^the file is damaged: /);
    const said = await Array.fromAsync(fixture.account.repair());
    assert.equal(
      said.at(-1),
      "the file is damaged, and not all of its mail can be read: restore a backup",
    );
    const inbox = await box(fixture.account, "INBOX");
    assert.equal((await rows(fixture.account, inbox.id, ALL, ["envelope"])).length, COUNT);
  }));
