import { join } from "node:path";
import type { AccountId, ModSeq } from "../../../src/base/mod.ts";
import { SqliteAccountStore } from "../../../src/store/sqlite/account.ts";
import { AccountFile } from "../../../src/store/sqlite/account_file.ts";
import { Database } from "../../../src/store/sqlite/database.ts";
import {
  openSqliteStore,
  type SqliteStore,
  type SqliteStoreOptions,
} from "../../../src/store/sqlite/engine.ts";
import { createMail } from "../../../src/store/sqlite/initial_mail.ts";
import { openMigrated } from "../../../src/store/sqlite/migrate.ts";
import { mailSchema } from "../../../src/store/sqlite/migrations/mod.ts";
import type { AccountStore } from "../../../src/store/mod.ts";

/** One account's file without a store around it, so that a test can reach its database. */
export interface AccountFixture {
  readonly db: Database;
  readonly file: AccountFile;
  readonly account: AccountStore;
  /** What listeners would have been told. */
  readonly commits: ModSeq[];
  /** Milliseconds since 1970. */
  now: number;
}

export async function withAccountFile(
  run: (fixture: AccountFixture) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const open = () => openMigrated(join(folder, "mail.db"), mailSchema);
    let db: Database | undefined = open();
    createMail(db, { now: 1_700_000_000, objectPrefix: "test", mailboxes: [] });
    const commits: ModSeq[] = [];
    const host = {
      folderOf: () => folder,
      use: () => db ??= open(),
      close: () => {
        db?.close();
        db = undefined;
      },
      limitBytes: () => undefined,
      committed: (_: AccountId, modSeq: ModSeq) => commits.push(modSeq),
      now: () => fixture.now,
    };
    const file = new AccountFile(host, 1 as AccountId);
    const account = new SqliteAccountStore(file, host);
    const fixture: AccountFixture = {
      get db() {
        return host.use();
      },
      file,
      account,
      commits,
      now: 1_700_000_000_000,
    };
    try {
      await run(fixture);
    } finally {
      await file.settled();
      file.searchIndex.end();
      host.close();
    }
  });
}

/** A store with one account in a folder that is removed afterwards. */
export async function withStore(
  options: Omit<SqliteStoreOptions, "dataDir">,
  run: (store: SqliteStore, account: AccountStore, dataDir: string) => Promise<void>,
): Promise<void> {
  await withFolder(async (dataDir) => {
    const store = await openSqliteStore({ dataDir, ...options });
    try {
      await store.directory.addDomain("example.org");
      const { id } = await store.directory.addAccount("ann@example.org", "{}");
      await run(store, await store.openAccount(id), dataDir);
    } finally {
      await store.close();
    }
  });
}

export async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "postern-sqlite-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
