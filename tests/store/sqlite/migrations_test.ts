import assert from "node:assert/strict";
import { join } from "node:path";
import { encodeUtf8 } from "../../../src/base/mod.ts";
import { foldCase, StoreError } from "../../../src/store/mod.ts";
import { Database } from "../../../src/store/sqlite/database.ts";
import {
  openSqliteLoginLog,
  openSqliteQueue,
  openSqliteStore,
} from "../../../src/store/sqlite/engine.ts";
import { openMigrated, openUpgraded, upgradeOthers } from "../../../src/store/sqlite/migrate.ts";
import {
  directorySchema,
  historySchema,
  loginsSchema,
  mailSchema,
  type Migration,
  pushSchema,
  queueSchema,
  type Schema,
} from "../../../src/store/sqlite/migrations/mod.ts";
import { readSearchTexts } from "../../../src/store/sqlite/search_text.ts";
import { dumpDatabase } from "../../../scripts/schema_fixture.ts";
import { breaches, put, raw, refuses, rows } from "../fixture.ts";
import { withFolder } from "./account_fixture.ts";

const FIXTURES = new URL("../fixtures/", import.meta.url);

/** A database as an earlier version left it. */
async function openFixture(path: string, schema: Schema, version: number): Promise<void> {
  const name = `${schema.name}_${String(version).padStart(4, "0")}.sql`;
  const db = Database.open(path);
  db.exec(await Deno.readTextFile(new URL(name, FIXTURES)));
  db.close();
}

function schemaOf(db: Database): unknown {
  return db.all("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name");
}

for (
  const schema of [
    directorySchema,
    historySchema,
    loginsSchema,
    mailSchema,
    pushSchema,
    queueSchema,
  ]
) {
  for (let version = 1; version <= schema.migrations.length; version++) {
    Deno.test(`a ${schema.name} database of schema ${version} becomes what a new one is`, () =>
      withFolder(async (folder) => {
        await openFixture(join(folder, "old.db"), schema, version);
        const old = await openUpgraded(() => openMigrated(join(folder, "old.db"), schema));
        const fresh = openMigrated(join(folder, "new.db"), schema);
        assert.equal(old.number("PRAGMA user_version"), schema.migrations.length);
        assert.deepEqual(schemaOf(old), schemaOf(fresh));
        old.close();
        fresh.close();
      }));
  }
}

Deno.test("a store of the earliest schemas opens with all that was in it", () =>
  withFolder(async (dataDir) => {
    await Deno.mkdir(join(dataDir, "accounts", "1"), { recursive: true });
    await openFixture(join(dataDir, "directory.db"), directorySchema, 1);
    await openFixture(join(dataDir, "accounts", "1", "mail.db"), mailSchema, 1);
    const store = await openSqliteStore({ dataDir });
    const found = await store.directory.resolveAddress("anything@example.org");
    assert.ok(found);
    const account = await store.openAccount(found.id);
    assert.deepEqual(await breaches(account), []);
    const inbox = await account.findMailbox("INBOX");
    assert.ok(inbox);
    assert.deepEqual(inbox.keywords, ["$Work"]);
    const [first, second] = await rows(account, inbox.id);
    assert.equal(first?.flags, 9);
    assert.equal(second?.expunged, true);
    assert.match(new TextDecoder().decode(await raw(account, inbox.id, 1)), /first/);
    assert.equal((await account.listAnnotations("INBOX")).length, 1);
    assert.equal(await put(account, "INBOX"), 3);
    assert.deepEqual(await breaches(account), []);
    await store.close();
  }));

Deno.test("mail and text that share a frame are read from the fixture of their version", () =>
  withFolder(async (dataDir) => {
    await Deno.mkdir(join(dataDir, "accounts", "1"), { recursive: true });
    await openFixture(join(dataDir, "directory.db"), directorySchema, 3);
    const path = join(dataDir, "accounts", "1", "mail.db");
    await openFixture(path, mailSchema, 4);
    const db = Database.open(path);
    assert.equal(db.number("SELECT body_coding FROM search_text WHERE content_id = 3"), 3);
    db.close();
    const store = await openSqliteStore({ dataDir });
    const [found] = await store.directory.listAccounts();
    const account = await store.openAccount(found!.id);
    const inbox = await account.findMailbox("INBOX");
    const text = new TextDecoder().decode(await raw(account, inbox!.id, 3));
    assert.equal(text, `Subject: three\r\n\r\n${"Third and Long.\r\n".repeat(200)}`);
    const { uids } = await account.search(inbox!.id, { op: "body", value: "long. third and" });
    assert.equal(uids.toString(), "3");
    assert.deepEqual(await breaches(account), []);
    await store.close();
  }));

Deno.test("text that was stored composed is found after the migration", () =>
  withFolder(async (folder) => {
    const path = join(folder, "old.db");
    await openFixture(path, mailSchema, 1);
    const before = Database.open(path);
    before.run(
      "UPDATE search_text SET header = ?, body = ? WHERE content_id = 1",
      encodeUtf8("subject: caf\u00e9\n\nx-a: \ufb01\n"),
      encodeUtf8("stra\u00dfe \u00e9"),
    );
    before.close();
    const db = await openUpgraded(() => openMigrated(path, mailSchema));
    const texts = readSearchTexts(db, [1, 2], { header: true, body: true });
    assert.equal(texts.get(1)?.header, "subject: cafe\u0301\n\nx-a: fi\n");
    assert.equal(texts.get(1)?.body, foldCase("Stra\u00dfe \u00e9"));
    assert.equal(texts.get(2)?.header, "subject: two\n\n");
    db.close();
  }));

Deno.test("a dump makes the same database again", () =>
  withFolder(async (folder) => {
    await openFixture(join(folder, "a.db"), mailSchema, 1);
    const db = Database.open(join(folder, "a.db"));
    const dump = dumpDatabase(db);
    assert.equal(dump, await Deno.readTextFile(new URL("mail_0001.sql", FIXTURES)));
    db.close();
  }));

Deno.test("a database of a newer version is refused and left alone", () =>
  withFolder(async (dataDir) => {
    await (await openSqliteStore({ dataDir })).close();
    const path = join(dataDir, "directory.db");
    const db = Database.open(path);
    db.exec(`PRAGMA user_version = ${directorySchema.migrations.length + 1}`);
    db.close();
    await refuses("newer-schema", openSqliteStore({ dataDir }));
    const again = Database.open(path);
    assert.equal(again.number("PRAGMA user_version"), directorySchema.migrations.length + 1);
    again.close();
  }));

Deno.test("a database that is none of ours is refused", () =>
  withFolder(async (dataDir) => {
    const db = Database.open(join(dataDir, "directory.db"));
    db.exec("CREATE TABLE other (x)");
    db.close();
    await refuses("corrupt", openSqliteStore({ dataDir }));
    await Deno.writeTextFile(join(dataDir, "directory.db"), "no database at all".repeat(100));
    await refuses("corrupt", openSqliteStore({ dataDir }));
  }));

/** A schema that goes on where `mailSchema` ends. */
function extended(migration: Migration): Schema {
  return { ...mailSchema, migrations: [...mailSchema.migrations, migration] };
}

const LATEST = mailSchema.migrations.length;

Deno.test("a migration that fails changes nothing, and leaves a copy", () =>
  withFolder(async (folder) => {
    const path = join(folder, "mail.db");
    openMigrated(path, mailSchema).close();
    const failing = extended((db) => {
      db.exec("CREATE TABLE extra (x INTEGER) STRICT");
      throw new Error("half-way");
    });
    await assert.rejects(openUpgraded(() => openMigrated(path, failing)), /half-way/);
    const db = openMigrated(path, mailSchema);
    assert.equal(db.get("SELECT 1 FROM sqlite_schema WHERE name = 'extra'"), undefined);
    db.close();
    assert.ok(Deno.statSync(`${path}.before-schema-${LATEST + 1}`).isFile);
  }));

Deno.test("before a migration the database is copied, and the copy goes a day and a start later", () =>
  withFolder(async (folder) => {
    const path = join(folder, "mail.db");
    openMigrated(path, mailSchema).close();
    const next = extended((db) => db.exec("CREATE TABLE extra (x INTEGER) STRICT"));
    const open = () => openMigrated(path, next);
    (await openUpgraded(open)).close();
    const copy = `${path}.before-schema-${LATEST + 1}`;
    assert.equal((Deno.statSync(copy).mode ?? 0) & 0o777, 0o600);
    open().close();
    // The older version of the program can use it.
    await Deno.copyFile(copy, join(folder, "again.db"));
    const old = openMigrated(join(folder, "again.db"), mailSchema);
    assert.equal(old.number("PRAGMA user_version"), LATEST);
    assert.equal(old.get("SELECT 1 FROM sqlite_schema WHERE name = 'extra'"), undefined);
    old.close();
    const yesterday = Date.now() / 1000 - 25 * 3600;
    await Deno.utime(copy, yesterday, yesterday);
    open().close();
    assert.throws(() => Deno.statSync(copy), Deno.errors.NotFound);
  }));

Deno.test("the queue and the logins are upgraded in the same way, and refused when they are newer", () =>
  withFolder(async (dataDir) => {
    for (
      const [name, schema] of [["queue.db", queueSchema], ["logins.db", loginsSchema]] as const
    ) {
      const path = join(dataDir, name);
      await openFixture(path, schema, schema.migrations.length);
      const migrations = [
        ...schema.migrations,
        (db: Database) => db.exec("CREATE TABLE extra (x)"),
      ];
      const next = { ...schema, migrations };
      await upgradeOthers(dataDir, { [name]: next, "missing.db": next });
      const copy = Database.open(`${path}.before-schema-${migrations.length}`);
      assert.equal(copy.number("PRAGMA user_version"), schema.migrations.length);
      copy.close();
      const db = openMigrated(path, next);
      assert.equal(db.number("SELECT count(*) FROM extra"), 0);
      db.close();
    }
    assert.deepEqual([...Deno.readDirSync(dataDir)].filter(({ name }) => /missing/.test(name)), []);
    // Now they are newer than what this program knows: mail goes on, what needs them is refused.
    await (await openSqliteStore({ dataDir })).close();
    assert.throws(() => openSqliteQueue(dataDir), isNewer);
    assert.throws(() => openSqliteLoginLog({ dataDir }), isNewer);
  }));

function isNewer(error: unknown): boolean {
  return error instanceof StoreError && error.code === "newer-schema";
}

Deno.test("a store upgrades the databases that are opened at once later", () =>
  withFolder(async (dataDir) => {
    await openFixture(join(dataDir, "queue.db"), queueSchema, 1);
    const migrations = [...queueSchema.migrations];
    const schema = queueSchema as { migrations: readonly Migration[] };
    schema.migrations = [...migrations, (db) => db.exec("CREATE TABLE extra (x)")];
    try {
      await (await openSqliteStore({ dataDir })).close();
      await openSqliteQueue(dataDir).close();
    } finally {
      schema.migrations = migrations;
    }
  }));

Deno.test("without room for the copy nothing is migrated", () =>
  withFolder(async (folder) => {
    const path = join(folder, "mail.db");
    openMigrated(path, mailSchema).close();
    // A folder in its place is what even root cannot write over.
    await Deno.mkdir(`${path}.before-schema-${LATEST + 1}/x`, { recursive: true });
    const next = extended((db) => db.exec("CREATE TABLE extra (x INTEGER) STRICT"));
    await refuses("unavailable", openUpgraded(() => openMigrated(path, next)));
    const db = openMigrated(path, mailSchema);
    assert.equal(db.get("SELECT 1 FROM sqlite_schema WHERE name = 'extra'"), undefined);
    db.close();
    assert.ok(![...Deno.readDirSync(folder)].some(({ name }) => name.endsWith(".unfinished")));
  }));

Deno.test("two that open a database of an earlier version at once upgrade it once", () =>
  withFolder(async (folder) => {
    const path = join(folder, "mail.db");
    await openFixture(path, mailSchema, 1);
    const open = () => openUpgraded(() => openMigrated(path, mailSchema));
    const [a, b] = await Promise.all([open(), open()]);
    a.close();
    b.close();
    const copy = Database.open(`${path}.before-schema-${LATEST}`);
    assert.equal(copy.number("PRAGMA user_version"), 1);
    copy.close();
  }));
