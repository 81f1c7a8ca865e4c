/**
 * migrations: how each kind of database came to its present form. Laws: a migration that was
 * released never changes; a new one is added at the end; each has a fixture of the schema before it
 * in tests/store/fixtures.
 */
import type { Database } from "../database.ts";
import { directoryInitial } from "./0001_directory_initial.ts";
import { directoryCredentials } from "./0002_directory_credentials.ts";
import { directoryLastLogin } from "./0003_directory_last_login.ts";
import { directoryAdmin } from "./0004_directory_admin.ts";
import { directoryRemoval } from "./0005_directory_removal.ts";
import { historyInitial } from "./0001_history_initial.ts";
import { queueInitial } from "./0001_queue_initial.ts";
import { queueDelay } from "./0002_queue_delay.ts";
import { loginsInitial } from "./0001_logins_initial.ts";
import { pushInitial } from "./0001_push_initial.ts";
import { mailInitial } from "./0001_mail_initial.ts";
import { mailFolding } from "./0002_mail_folding.ts";
import { mailSaved } from "./0003_mail_saved.ts";
import { mailSharedFrames } from "./0004_mail_shared_frames.ts";

export type Migration = (db: Database) => void;

/** A kind of database. Its version is the number of migrations it went through. */
export interface Schema {
  readonly name: string;
  /** Tells SQLite files of this kind from others (`file` shows it). */
  readonly applicationId: number;
  readonly migrations: readonly Migration[];
}

export const directorySchema: Schema = {
  name: "directory",
  applicationId: 0x50_73_74_44, // "PstD"
  migrations: [
    directoryInitial,
    directoryCredentials,
    directoryLastLogin,
    directoryAdmin,
    directoryRemoval,
  ],
};

export const mailSchema: Schema = {
  name: "mail",
  applicationId: 0x50_73_74_4d, // "PstM"
  migrations: [mailInitial, mailFolding, mailSaved, mailSharedFrames],
};

export const queueSchema: Schema = {
  name: "queue",
  applicationId: 0x50_73_74_51, // "PstQ"
  migrations: [queueInitial, queueDelay],
};

export const loginsSchema: Schema = {
  name: "logins",
  applicationId: 0x50_73_74_4c, // "PstL"
  migrations: [loginsInitial],
};

export const historySchema: Schema = {
  name: "history",
  applicationId: 0x50_73_74_48, // "PstH"
  migrations: [historyInitial],
};

export const pushSchema: Schema = {
  name: "push",
  applicationId: 0x50_73_74_50, // "PstP"
  migrations: [pushInitial],
};
