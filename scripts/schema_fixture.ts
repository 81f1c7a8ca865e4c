/**
 * Writes the fixtures of the current schemas to tests/store/fixtures, as SQL: a small database of
 * each kind that the present version made, to be migrated by all later ones. Run it once when a
 * migration was added and before it is released; a fixture that exists is never written again.
 */
import { join } from "node:path";
import { RangeSet } from "../src/base/mod.ts";
import { Database } from "../src/store/sqlite/database.ts";
import {
  openSqliteHistory,
  openSqliteLoginLog,
  openSqlitePush,
  openSqliteQueue,
  openSqliteStore,
} from "../src/store/sqlite/engine.ts";
import {
  directorySchema,
  historySchema,
  loginsSchema,
  mailSchema,
  pushSchema,
  queueSchema,
  type Schema,
} from "../src/store/sqlite/migrations/mod.ts";

const FOLDER = new URL("../tests/store/fixtures/", import.meta.url);

/** The database as SQL that makes it again, version and owner included. */
export function dumpDatabase(db: Database): string {
  const lines = ["PRAGMA application_id", "PRAGMA user_version"]
    .map((pragma) => `${pragma} = ${db.number(pragma)};`);
  const objects = db.all<[string, string, string]>(
    `SELECT type, name, sql FROM sqlite_schema
     WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
     ORDER BY type <> 'table', name`,
  );
  for (const [type, name, sql] of objects) {
    lines.push(`${sql};`);
    if (type !== "table") continue;
    const columns = db.all<[string]>("SELECT name FROM pragma_table_info(?)", name)
      .map(([column]) => column);
    const values = columns.map((column) => `quote(${column})`).join(" || ', ' || ");
    for (const [row] of db.all<[string]>(`SELECT ${values} FROM ${name}`)) {
      lines.push(`INSERT INTO ${name} (${columns.join(", ")}) VALUES (${row});`);
    }
  }
  return lines.join("\n") + "\n";
}

function fixtureUrl(schema: Schema): URL {
  const version = String(schema.migrations.length).padStart(4, "0");
  return new URL(`${schema.name}_${version}.sql`, FOLDER);
}

async function writeFixtures(): Promise<void> {
  const dataDir = await Deno.makeTempDir();
  const store = await openSqliteStore({ dataDir });
  await store.directory.addDomain("example.org");
  const { id } = await store.directory.addAccount("ann@example.org", "{}");
  await store.directory.addAddress("@example.org", id);
  await store.directory.hostSecret("fixture");
  await store.directory.credentials.addClientKey({
    fingerprint: "f".repeat(43),
    accountId: id,
    address: "ann@example.org",
    name: "phone",
    keyType: "Ed25519",
    allowsPreauth: true,
    certificate: Uint8Array.of(0x30, 0),
  });
  await store.directory.credentials.addAppPassword({
    accountId: id,
    name: "phone",
    scopes: ["imap"],
    verifier: "{}",
  });
  await store.directory.addAllowedNetwork("192.0.2.0/24");
  await store.directory.setAdminVerifier("{}");
  const account = await store.openAccount(id);
  const texts = [
    "Subject: one\r\n\r\nfirst\r\n",
    "Subject: two\r\n\r\nsecond\r\n",
    // Large enough to be compressed.
    `Subject: three\r\n\r\n${"Third and Long.\r\n".repeat(200)}`,
  ];
  for (const text of texts) {
    const stage = account.stageMessage();
    await stage.write(new TextEncoder().encode(text));
    await account.append("INBOX", [{
      staged: await stage.finish(),
      flags: 1,
      keywords: ["$Work"],
      internalDate: { seconds: 1_700_000_000, zoneMinutes: 60 },
    }]);
  }
  const [inbox] = (await account.listMailboxes()).filter(({ name }) => name === "INBOX");
  if (!inbox) throw new Error("there is an INBOX");
  const { uids } = await account.selectMailbox("INBOX", { claimRecent: true });
  await account.copy(inbox.id, uids, "Archive");
  await account.changeFlags(inbox.id, uids, { mode: "add", flags: 8, keywords: [] });
  await account.expunge(inbox.id, RangeSet.of(2), { onlyDeleted: true });
  await account.setAnnotations("INBOX", [{
    entry: "/private/comment",
    value: new TextEncoder().encode("kept"),
    isBinary: false,
  }]);
  await store.close();
  const queue = openSqliteQueue(dataDir);
  await queue.add(
    {
      sender: "ann@example.org",
      queued: 1_700_000_000,
      expires: 1_700_172_800,
      isUtf8: false,
      recipients: [{ address: "bob@example.net", due: 1_700_000_000, lastError: "" }],
    },
    (async function* () {
      yield new TextEncoder().encode("Subject: one\r\n\r\nfirst\r\n");
    })(),
  );
  await queue.close();
  const push = openSqlitePush(dataDir);
  await push.addToken(id, "openpgp:AAAA", 1_700_000_000, 1);
  await push.enqueue(id, 1_700_000_000, 0);
  await push.close();
  const history = await openSqliteHistory(dataDir);
  await history.add(1_700_000_000, { queueLength: 1, loginsOk: 2 });
  await history.close();
  const logins = openSqliteLoginLog({ dataDir });
  await logins.add([{
    accountId: id,
    username: "ann@example.org",
    remote: "192.0.2.7",
    local: "192.0.2.1",
    tls: "TLSv1.3",
    fingerprint: "",
    protocol: "imap",
    userAgent: "",
    mechanism: "PLAIN",
    result: "ok",
    isFailure: false,
    timeMs: 1_700_000_000_000,
  }], [{
    network: "192.0.2.0/26",
    minuteStartMs: 1,
    minuteFailures: 2,
    dayStartMs: 3,
    dayFailures: 4,
    ban: { reason: "many", sinceMs: 5, untilMs: 6 },
  }]);
  await logins.close();
  for (
    const [path, schema] of [
      [join(dataDir, "directory.db"), directorySchema],
      [join(dataDir, "history.db"), historySchema],
      [join(dataDir, "logins.db"), loginsSchema],
      [join(dataDir, "push.db"), pushSchema],
      [join(dataDir, "queue.db"), queueSchema],
      [join(dataDir, "accounts", String(id), "mail.db"), mailSchema],
    ] as const
  ) {
    const db = Database.open(path);
    try {
      await Deno.writeTextFile(fixtureUrl(schema), dumpDatabase(db), { createNew: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    } finally {
      db.close();
    }
  }
  await Deno.remove(dataDir, { recursive: true });
}

if (import.meta.main) await writeFixtures();
