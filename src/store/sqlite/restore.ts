import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { type AccountId, MAX_UINT32, randomBytes } from "../../base/mod.ts";
import { parseAddress } from "../address.ts";
import { StoreError } from "../store_error.ts";
import { type BackupFile, readManifest, withDatabase } from "./backup.ts";
import type { Database, Value } from "./database.ts";
import { copyFile, hashFile } from "./durable_file.ts";
import { makeFolder, syncFolder } from "./make_folder.ts";
import { migrate } from "./migrate.ts";
import { directorySchema, mailSchema } from "./migrations/mod.ts";

/** Longer than any run of numbers that was given out after the backup was made. */
const UID_LEAP = 2 ** 20;
const NUMBER_LEAP = 2 ** 32;

/**
 * Puts a backup into a data directory that has no data yet, after each file was found to be what
 * was written. Throws StoreError "already-exists" where there is data, "corrupt".
 */
export function restoreStore(folder: string, dataDir: string): { accounts: number } {
  const manifest = readManifest(folder);
  const directory = join(dataDir, "directory.db");
  if (existsSync(directory)) {
    throw new StoreError(
      "already-exists",
      `${dataDir} holds data, and nothing is overwritten: move it away first.`,
    );
  }
  verify(folder, [manifest.directory, ...manifest.accounts, ...manifest.others]);
  makeFolder(join(dataDir, "accounts"));
  for (const { name, path } of manifest.others) {
    mkdirSync(dirname(join(dataDir, name)), { recursive: true, mode: 0o700 });
    copyFile(join(folder, path), join(dataDir, name));
  }
  for (const { id, path } of manifest.accounts) {
    placeMail(join(folder, path), join(dataDir, "accounts", String(id)));
  }
  // The last step: without it there is no data, and the next attempt begins anew.
  copyFile(join(folder, manifest.directory.path), `${directory}.new`);
  renameSync(`${directory}.new`, directory);
  syncFolder(dataDir);
  return { accounts: manifest.accounts.length };
}

/**
 * Puts one account of a backup back, with password, addresses and mail, under a new number; the
 * server may run. An account of that address that exists is replaced if `replace`, and its number
 * given. Throws StoreError "not-found", "already-exists", "corrupt".
 */
export function restoreAccount(
  folder: string,
  dataDir: string,
  address: string,
  { replace }: { replace: boolean },
): { id: AccountId; replaced: AccountId | undefined } {
  const manifest = readManifest(folder);
  const { key } = parseAddress(address);
  const entry = manifest.accounts.find((each) => parseAddress(each.address).key === key);
  if (!entry) throw new StoreError("not-found", `The backup has no account ${address}.`);
  verify(folder, [manifest.directory, entry]);
  // A name that is no number: nobody sweeps it away as belonging to no account.
  const staged = join(dataDir, "accounts", `restoring-${entry.id}`);
  const oldDirectory = join(staged, "directory.db");
  placeMail(join(folder, entry.path), staged);
  try {
    copyFile(join(folder, manifest.directory.path), oldDirectory);
    const rows = withDatabase(oldDirectory, (db) => {
      migrate(db, directorySchema);
      return readAccountRows(db, entry.id);
    });
    for (const suffix of ["", "-wal", "-shm"]) rmSync(oldDirectory + suffix, { force: true });
    const { id, replaced } = withDatabase(join(dataDir, "directory.db"), (db) => {
      migrate(db, directorySchema);
      return db.write(() => {
        const replaced = ownerToReplace(db, key, replace);
        if (replaced !== undefined) {
          for (const table of rows.keys()) {
            db.run(`DELETE FROM ${table} WHERE ${ownerColumn(table)} = ?`, replaced);
          }
        }
        return { id: insertAccountRows(db, rows), replaced };
      });
    });
    // Not before: whoever opens the store sweeps away folders of numbers that it does not know.
    renameSync(staged, join(dataDir, "accounts", String(id)));
    if (replaced !== undefined) {
      for (const folder of ["accounts", "imports"]) {
        rmSync(join(dataDir, folder, String(replaced)), { recursive: true, force: true });
      }
    }
    syncFolder(join(dataDir, "accounts"));
    return { id, replaced };
  } finally {
    rmSync(staged, { recursive: true, force: true });
  }
}

/** The account that has the address, if there is one and it may be replaced. */
function ownerToReplace(db: Database, key: string, replace: boolean): AccountId | undefined {
  const [owner, isOwn] = db.get<[AccountId, number]>(
    "SELECT account_id, is_own FROM address WHERE address = ?",
    key,
  ) ?? [];
  if (owner === undefined) return undefined;
  if (isOwn === 0) {
    throw new StoreError("already-exists", `${key} is an address of another account.`);
  }
  if (replace) return owner;
  throw new StoreError(
    "already-exists",
    `${key} exists, and nothing is overwritten: with --replace the backup takes its place.`,
  );
}

function verify(folder: string, files: readonly BackupFile[]): void {
  for (const { path, size, sha256 } of files) {
    const whole = join(folder, path);
    if (!existsSync(whole)) throw new StoreError("corrupt", `${whole} is missing.`);
    const found = hashFile(whole);
    if (found.size !== size || found.sha256 !== sha256) {
      throw new StoreError("corrupt", `${whole} is not what the backup wrote.`);
    }
  }
}

function placeMail(backup: string, folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  makeFolder(folder);
  const path = join(folder, "mail.db");
  copyFile(backup, path);
  withDatabase(path, (db) => {
    migrate(db, mailSchema);
    db.write(() => leapAhead(db));
  });
  syncFolder(folder);
}

/**
 * Clients may have seen what came after the backup. Numbers that were given out then are never given
 * to something else, so a client's copy of what is lost goes away and nothing is mistaken for it;
 * every flag counts as changed, and history as forgotten, so that all of them are asked for again
 * (RFC 7162 3.2.5). Nothing that is left must be fetched again.
 */
function leapAhead(db: Database): void {
  // By chance, so that a backup made after this never looks like one made before.
  const [a = 0, b = 0, c = 0, d = 0] = randomBytes(4);
  const leap = NUMBER_LEAP + ((a << 24 | b << 16 | c << 8 | d) >>> 0);
  db.run(
    `UPDATE account SET modseq = modseq + ?, next_uid_validity = next_uid_validity + 65536,
       next_mailbox_id = next_mailbox_id + 65536, next_content_id = next_content_id + ?,
       events_trimmed_seq = modseq + ?`,
    leap,
    UID_LEAP,
    leap,
  );
  const modSeq = db.number("SELECT modseq FROM account");
  db.run("UPDATE message SET modseq = ?", modSeq);
  db.run("UPDATE annotation SET modseq = ?", modSeq);
  db.run("DELETE FROM event");
  db.run("DELETE FROM tombstone");
  db.run(
    `UPDATE mailbox SET modseq = ?, trimmed_seq = ?, flag_seq = ?, expunge_seq = ?`,
    modSeq,
    modSeq,
    modSeq,
    modSeq,
  );
  db.run("UPDATE mailbox SET uid_next = min(uid_next + ?, ?)", UID_LEAP, MAX_UINT32);
}

/** Rows of the account in every table that has some, the account's own first. */
function readAccountRows(db: Database, id: number): Map<string, Record<string, Value>[]> {
  const rows = new Map<string, Record<string, Value>[]>();
  const tables = db.all<[string]>(
    `SELECT name FROM sqlite_schema WHERE type = 'table'
       AND (name = 'account' OR EXISTS (
         SELECT 1 FROM pragma_table_info(sqlite_schema.name) WHERE name = 'account_id'))
     ORDER BY name <> 'account', name`,
  );
  for (const [table] of tables) {
    const columns = columnsOf(db, table);
    rows.set(
      table,
      db.all(`SELECT ${columns.join(", ")} FROM ${table} WHERE ${ownerColumn(table)} = ?`, id)
        .map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i] ?? null]))),
    );
  }
  return rows;
}

/** Inserts them under a new number. Other addresses that are taken by now stay with whom has them. */
function insertAccountRows(
  db: Database,
  rows: ReadonlyMap<string, readonly Record<string, Value>[]>,
): AccountId {
  let id: AccountId | undefined;
  for (const [table, entries] of rows) {
    const known = new Set(columnsOf(db, table));
    for (const entry of entries) {
      // Numbers of rows are given anew: they may be others' by now.
      const names = Object.keys(entry).filter((name) => known.has(name) && name !== "id");
      const values = names.map((name) => name === "account_id" ? id ?? null : entry[name] ?? null);
      const places = names.map(() => "?").join(", ");
      if (table === "address") {
        db.run(
          "INSERT OR IGNORE INTO domain (name, is_disabled) VALUES (?, 0)",
          entry["domain"] ?? "",
        );
      }
      const inserted = db.get<[AccountId]>(
        `INSERT OR IGNORE INTO ${table} (${names.join(", ")}) VALUES (${places}) RETURNING ${
          table === "account" ? "id" : "account_id"
        }`,
        ...values,
      )?.[0];
      if (table === "account") id = inserted;
      if (table === "address" && entry["is_own"] === 1 && inserted === undefined) {
        throw new StoreError("already-exists", `${entry["address"]} is taken.`);
      }
    }
  }
  if (id === undefined) {
    throw new StoreError("corrupt", "The backup's directory lacks the account.");
  }
  // Sessions of the account before are not sessions of this one.
  db.run("UPDATE account SET security_version = security_version + 1 WHERE id = ?", id);
  return id;
}

function columnsOf(db: Database, table: string): string[] {
  return db.all<[string]>("SELECT name FROM pragma_table_info(?)", table).map(([name]) => name);
}

function ownerColumn(table: string): string {
  return table === "account" ? "id" : "account_id";
}
