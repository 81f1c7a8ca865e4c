import { existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { logger } from "../../base/mod.ts";
import { StoreError } from "../store_error.ts";
import { Database } from "./database.ts";
import { copyDatabase } from "./keep_copy.ts";
import type { Schema } from "./migrations/mod.ts";

/** The copy made before an upgrade goes at a start so much later, when all has gone well. */
const COPY_KEPT_MS = 24 * 3600 * 1000;

/** The database is of an earlier version: see `openUpgraded`. */
export class UpgradeNeeded extends StoreError {
  constructor(readonly path: string, readonly schema: Schema) {
    super("unavailable", `The ${schema.name} database is still to be upgraded.`);
  }
}

/**
 * Brings the database to the newest version of its schema, in one transaction. Throws StoreError
 * "newer-schema" when a later version of this program wrote it, "corrupt" when it is no file of ours.
 */
export function migrate(db: Database, schema: Schema): void {
  if (versionOf(db, schema) === schema.migrations.length) return;
  // Another process may have been first, so the version is looked at again.
  db.write(() => migrateWithin(db, schema));
}

function migrateWithin(db: Database, schema: Schema): void {
  for (const migration of schema.migrations.slice(versionOf(db, schema))) migration(db);
  db.exec(`PRAGMA application_id = ${schema.applicationId}`);
  db.exec(`PRAGMA user_version = ${schema.migrations.length}`);
}

/** Opens the file of a schema, and makes it when it is not there. Throws UpgradeNeeded. */
export function openMigrated(path: string, schema: Schema): Database {
  const db = Database.open(path);
  try {
    const version = versionOf(db, schema);
    if (version > 0 && version < schema.migrations.length) throw new UpgradeNeeded(path, schema);
    migrate(db, schema);
    dropOldCopy(copyPath(path, schema));
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

/** Opens what may first have to be upgraded. Throws what `upgrade` does. */
export async function openUpgraded<T>(open: () => T): Promise<T> {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof UpgradeNeeded)) throw error;
    await upgrade(error);
    return open();
  }
}

/**
 * Upgrades those files of the folder that are of an earlier version. What else is wrong with one,
 * whoever opens it is told. Throws what `upgrade` does.
 */
export async function upgradeOthers(
  folder: string,
  schemas: Readonly<Record<string, Schema>>,
): Promise<void> {
  for (const [name, schema] of Object.entries(schemas)) {
    const path = join(folder, name);
    if (!existsSync(path)) continue;
    try {
      openMigrated(path, schema).close();
    } catch (error) {
      if (error instanceof UpgradeNeeded) await upgrade(error);
      else if (!(error instanceof StoreError)) throw error;
    }
  }
}

/**
 * Brings the file of an earlier version up to date. What it was is kept beside it, as
 * `<file>.before-schema-<new version>`, until a start that is a day later or more. Throws
 * StoreError "unavailable", having changed nothing, when there is no room for the copy.
 */
async function upgrade({ path, schema }: UpgradeNeeded): Promise<void> {
  const version = schema.migrations.length;
  logger("store").info("upgrading {path} to schema {version}", { path, version });
  const db = Database.open(path);
  try {
    const copy = await copyDatabase(db, copyPath(path, schema));
    try {
      db.write(() => {
        // Another process may have been first, and has the right copy then.
        if (versionOf(db, schema) === version) return;
        copy.keep();
        migrateWithin(db, schema);
      });
    } finally {
      copy.discard();
    }
  } finally {
    db.close();
  }
}

function copyPath(path: string, schema: Schema): string {
  return `${path}.before-schema-${schema.migrations.length}`;
}

function dropOldCopy(path: string): void {
  if (existsSync(path) && Date.now() - statSync(path).mtimeMs > COPY_KEPT_MS) rmSync(path);
}

function versionOf(db: Database, schema: Schema): number {
  const version = db.number("PRAGMA user_version");
  const owner = db.number("PRAGMA application_id");
  const isNew = version === 0 && owner === 0 &&
    db.number("SELECT count(*) FROM sqlite_schema") === 0;
  if (!isNew && owner !== schema.applicationId) {
    throw new StoreError("corrupt", `The file is not a ${schema.name} database of this program.`);
  }
  if (version > schema.migrations.length) {
    throw new StoreError(
      "newer-schema",
      `The ${schema.name} database has schema ${version}; this version knows ${schema.migrations.length}.`,
    );
  }
  return version;
}
