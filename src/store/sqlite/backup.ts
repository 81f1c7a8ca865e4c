import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { StoreError } from "../store_error.ts";
import { Database } from "./database.ts";
import { copyFile, hashFile, syncFile, writeFileWhole } from "./durable_file.ts";
import { keepCopy } from "./keep_copy.ts";
import { makeFolder, syncFolder } from "./make_folder.ts";

/** A file of a backup: its path below the backup's folder, and what must be in it. */
export interface BackupFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/** What a backup holds. Everything that it does not name is of no use. */
export interface BackupManifest {
  readonly format: 1;
  /** Names the host whose data it is, so that another's is not put in its place. */
  readonly host: string;
  /** Rises by one with each run. */
  readonly run: number;
  /** Milliseconds since 1970. */
  readonly finishedAt: number;
  readonly directory: BackupFile;
  readonly accounts: readonly (BackupFile & {
    readonly id: number;
    readonly address: string;
    /** Tells whether the mail changed: equal only if nothing did. */
    readonly state: string;
  })[];
  /** Certificates, keys and the like, with their paths below the data directory. */
  readonly others: readonly (BackupFile & { readonly name: string })[];
}

export interface BackupOptions {
  readonly dataDir: string;
  readonly folder: string;
  /** See `BackupManifest.host`. */
  readonly host: string;
  readonly now: number;
  readonly onProgress: (account: string, done: number, total: number) => void;
}

export interface BackupResult {
  readonly accounts: number;
  /** Accounts whose mail changed since the run before. */
  readonly copied: number;
}

const LOGINS = "logins.db";
const MANIFEST = "manifest.json";
/** Made by a run: only these are ever removed. */
const OWN_FILE = /^(?:directory|account-\d+)-\d+\.db(?:-wal|-shm|-journal|\.unfinished)?$/;

/**
 * Copies the data directory to `folder` while mail flows: each database as of one instant, checked
 * after it was written. Mail that did not change since the last run to the same folder is left as it
 * is there. A run that is cut off leaves the backup of the run before. Throws StoreError
 * "already-exists" when the folder holds something else.
 */
export async function backupStore(options: BackupOptions): Promise<BackupResult> {
  const { dataDir, folder, host } = options;
  const previous = readManifestIfAny(folder);
  if (previous && previous.host !== host) {
    throw new StoreError("already-exists", `${folder} has the backup of another server.`);
  }
  if (!previous && existsSync(folder) && readdirSync(folder).some((name) => !OWN_FILE.test(name))) {
    throw new StoreError("already-exists", `${folder} is not empty and not a backup.`);
  }
  if (!relative(resolve(dataDir), resolve(folder)).startsWith("..")) {
    throw new StoreError("already-exists", `${folder} is within the data directory.`);
  }
  makeFolder(folder);
  const run = (previous?.run ?? 0) + 1;
  // What a run that was cut off left behind.
  sweep(folder, previous);
  const accounts = new Map<number, BackupManifest["accounts"][number]>();
  let copied = 0;
  const directoryPath = `directory-${run}.db`;
  for (;;) {
    await copyDatabase(join(dataDir, "directory.db"), join(folder, directoryPath));
    const listed = accountsOf(join(folder, directoryPath));
    for (const id of accounts.keys()) if (!listed.has(id)) accounts.delete(id);
    // Accounts that were made while the others were copied are in the next directory.
    const missing = [...listed].filter(([id]) => !accounts.has(id));
    const done = accounts.size;
    for (const [i, [id, address]] of missing.entries()) {
      const known = previous?.accounts.find((each) => each.id === id);
      const entry = await backupAccount(options, known, { id, address, run });
      options.onProgress(address, done + i + 1, listed.size);
      if (!entry) continue;
      if (entry.path !== known?.path) copied++;
      accounts.set(id, { ...entry, address });
    }
    if (missing.every(([id]) => accounts.has(id))) break;
  }
  const manifest: BackupManifest = {
    format: 1,
    host,
    run,
    finishedAt: options.now,
    directory: describe(folder, directoryPath),
    accounts: [...accounts.values()].sort((a, b) => a.id - b.id),
    others: await copyOthers(dataDir, folder, run),
  };
  writeFileWhole(join(folder, MANIFEST), JSON.stringify(manifest, null, 1));
  sweep(folder, manifest);
  return { accounts: accounts.size, copied };
}

/** Copies the mail of an account if it changed. Undefined when the account was removed meanwhile. */
async function backupAccount(
  { dataDir, folder }: BackupOptions,
  known: BackupManifest["accounts"][number] | undefined,
  { id, address, run }: { id: number; address: string; run: number },
): Promise<BackupManifest["accounts"][number] | undefined> {
  const source = join(dataDir, "accounts", String(id), "mail.db");
  if (!existsSync(source)) {
    if (isListed(join(dataDir, "directory.db"), id)) {
      throw new StoreError("corrupt", `The mail database ${source} is missing.`);
    }
    return undefined;
  }
  const state = stateOf(source);
  const isKept = known?.state === state && existsSync(join(folder, known.path));
  if (isKept) return known;
  const path = `account-${id}-${run}.db`;
  await copyDatabase(source, join(folder, path));
  // Read from the copy: mail may have come since.
  return { id, address, state: stateOf(join(folder, path)), ...describe(folder, path) };
}

/** A copy as of one instant, checked after it was written. */
async function copyDatabase(source: string, target: string): Promise<void> {
  const db = Database.open(source);
  try {
    await keepCopy(db, target, { atOnce: true });
  } finally {
    db.close();
  }
  withDatabase(target, (copy) => {
    const [problem] = copy.get<[string]>("PRAGMA integrity_check(1)") ?? ["nothing came back"];
    if (problem !== "ok") throw new StoreError("corrupt", `${source}: ${problem}`);
  });
  syncFile(target);
}

/** Changes with every change that anybody can see. */
function stateOf(path: string): string {
  return withDatabase(path, (db) => {
    const row = db.get<[string, number]>("SELECT object_prefix, modseq FROM account");
    return `${row?.join(" ")} ${db.number("PRAGMA user_version")}`;
  });
}

function accountsOf(path: string): Map<number, string> {
  return withDatabase(
    path,
    (db) =>
      new Map(
        db.all<[number, string]>("SELECT id, address FROM account WHERE has_mail = 1 ORDER BY id")
          .map(([id, address]) => [id, address]),
      ),
  );
}

function isListed(directory: string, id: number): boolean {
  return withDatabase(
    directory,
    (db) => db.get("SELECT 1 FROM account WHERE id = ? AND has_mail = 1", id) !== undefined,
  );
}

export function withDatabase<T>(path: string, work: (db: Database) => T): T {
  const db = Database.open(path);
  try {
    return work(db);
  } finally {
    db.close();
  }
}

/**
 * Certificates, keys, journals of imports: what is neither a database nor a socket. And of the
 * databases who logged in and who is banned; the others are of the moment, or made anew.
 */
async function copyOthers(
  dataDir: string,
  folder: string,
  run: number,
): Promise<BackupManifest["others"]> {
  const entries: BackupManifest["others"][number][] = [];
  const walk = (below: string) => {
    for (const entry of readdirSync(join(dataDir, below), { withFileTypes: true })) {
      const name = join(below, entry.name);
      if (entry.isDirectory() && name !== "accounts") walk(name);
      if (!entry.isFile() || /\.db(?:-wal|-shm|-journal)?$|\.new$|\.tmp$/.test(name)) continue;
      const path = join(`files-${run}`, name);
      mkdirSync(dirname(join(folder, path)), { recursive: true, mode: 0o700 });
      copyFile(join(dataDir, name), join(folder, path));
      entries.push({ name, ...describe(folder, path) });
    }
  };
  walk("");
  if (existsSync(join(dataDir, LOGINS))) {
    const path = join(`files-${run}`, LOGINS);
    makeFolder(join(folder, `files-${run}`));
    await copyDatabase(join(dataDir, LOGINS), join(folder, path));
    entries.push({ name: LOGINS, ...describe(folder, path) });
  }
  return entries;
}

function describe(folder: string, path: string): BackupFile {
  return { path, ...hashFile(join(folder, path)) };
}

/** Removes what is of no use: files of runs before and of runs that were cut off. */
function sweep(folder: string, manifest: BackupManifest | undefined): void {
  const used = new Set([
    manifest?.directory.path,
    ...(manifest?.accounts.map(({ path }) => path) ?? []),
  ]);
  for (const name of readdirSync(folder)) {
    const isOldFile = OWN_FILE.test(name) && !used.has(name);
    const isOldFolder = /^files-\d+$/.test(name) && name !== `files-${manifest?.run}`;
    if (isOldFile || isOldFolder) rmSync(join(folder, name), { recursive: true, force: true });
  }
  syncFolder(folder);
}

/** Throws StoreError "not-found" when the folder holds no backup, "newer-schema", "corrupt". */
export function readManifest(folder: string): BackupManifest {
  const manifest = readManifestIfAny(folder);
  if (manifest) return manifest;
  throw new StoreError("not-found", `There is no backup in ${folder}.`);
}

function readManifestIfAny(folder: string): BackupManifest | undefined {
  const path = join(folder, MANIFEST);
  if (!existsSync(path)) return undefined;
  let manifest: BackupManifest;
  try {
    manifest = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new StoreError("corrupt", `${path} cannot be read.`, { cause: error });
  }
  if (manifest.format === 1) return manifest;
  throw new StoreError("newer-schema", `${path} is of a newer version of this program.`);
}
