import type { Database } from "../database.ts";

/**
 * The day of each account's last login, in days since 1970. Accounts that are there get today:
 * nobody may lose one because it was not written down before.
 */
export function directoryLastLogin(db: Database): void {
  db.exec(`
    ALTER TABLE account ADD COLUMN last_login_day INTEGER NOT NULL DEFAULT 0;
    UPDATE account SET last_login_day = unixepoch() / 86400;
    CREATE INDEX account_last_login ON account (last_login_day);
  `);
}
