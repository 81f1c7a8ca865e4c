import { StoreError } from "../store_error.ts";
import { Database } from "./database.ts";
import type { Schema } from "./migrations/mod.ts";

/**
 * Brings the database to the newest version of its schema, in one transaction. Throws StoreError
 * "newer-schema" when a later version of this program wrote it, "corrupt" when it is no file of ours.
 */
export function migrate(db: Database, schema: Schema): void {
  if (versionOf(db, schema) === schema.migrations.length) return;
  db.write(() => {
    // Another process may have been first.
    const version = versionOf(db, schema);
    for (const migration of schema.migrations.slice(version)) migration(db);
    db.exec(`PRAGMA application_id = ${schema.applicationId}`);
    db.exec(`PRAGMA user_version = ${schema.migrations.length}`);
  });
}

/** Opens the file of a schema, makes it when it is not there, and brings it up to date. */
export function openMigrated(path: string, schema: Schema): Database {
  const db = Database.open(path);
  try {
    migrate(db, schema);
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
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
