import { join } from "node:path";
import { type AccountId, logger } from "../base/mod.ts";
import {
  type Notifier,
  type Nudge,
  type NudgeListener,
  openNudgeListener,
  sendNudges,
} from "../notify/mod.ts";
import type { Account, Directory, Store } from "../store/mod.ts";
import { openSqliteStore } from "../store/sqlite/engine.ts";
import { type Config, toConfig } from "./config/config.ts";
import { readConfigFile } from "./config/load.ts";
import { isSystemError } from "./describe_error.ts";
import { Failure } from "./failure.ts";

/** The socket of the server that runs on a data directory. */
export function nudgeSocketPath(dataDir: string): string {
  return join(dataDir, "notify.sock");
}

/**
 * Has a running server hear of what other processes change. Throws Failure when another server
 * does so already; undefined where there cannot be such a socket.
 */
export async function listenForNudges(
  dataDir: string,
  notifier: Notifier,
): Promise<NudgeListener | undefined> {
  const path = nudgeSocketPath(dataDir);
  try {
    return await openNudgeListener(path, notifier);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new Failure(
        `another postern serves ${dataDir}: stop it, or choose another data_dir`,
      );
    }
    // Windows, or a path too long for a socket: commands still work, and are noticed late.
    logger("app").warn("other processes cannot tell this server of changes ({path}): {error}", {
      path,
      error,
    });
    return undefined;
  }
}

/** Opens the data of a configuration; makes the directory, for its owner only, when it is missing. */
export async function openStore(config: Config): Promise<Store> {
  const { dataDir } = config;
  try {
    await Deno.mkdir(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const why = error instanceof Deno.errors.PermissionDenied
      ? "no permission; run this as the user that the server runs as, or choose another folder"
      : `${error.message}; choose another folder`;
    throw new Failure(`cannot make the data directory ${dataDir}: ${why}`);
  }
  await needOwnData(dataDir);
  const { defaultQuotaBytes } = config;
  return await openSqliteStore({
    dataDir,
    ...(defaultQuotaBytes === null ? {} : { defaultQuotaBytes }),
  });
}

/** Keeps root from leaving files in another user's data that this user cannot use then. */
async function needOwnData(dataDir: string): Promise<void> {
  if (Deno.uid() !== 0) return;
  const { uid } = await Deno.stat(dataDir);
  if (uid === null || uid === 0) return;
  throw new Failure(
    `the data in ${dataDir} belongs to user ${uid}, who could not use what root writes there: run ` +
      `this as that user, with sudo -u '#${uid}' in front of it`,
  );
}

/** The data as a command works on it. */
export interface OpenData {
  readonly config: Config;
  readonly store: Store;
  readonly directory: Directory;
  /** Has a running server look at the account again: its password or status changed. */
  tellSecurity(account: AccountId): void;
}

/**
 * Runs a command's work on the data that the configuration names, then tells a running server what
 * changed, and closes.
 */
export async function withData<T>(
  configFile: string | undefined,
  work: (data: OpenData) => Promise<T>,
): Promise<T> {
  const config = toConfig(await readConfigFile(configFile));
  const store = await openStore(config);
  const nudges = new Map<string, Nudge>();
  const tell = (nudge: Nudge) => nudges.set(`${nudge.kind} ${nudge.account}`, nudge);
  try {
    store.onCommit((account) => tell({ kind: "changed", account }));
    return await work({
      config,
      store,
      directory: store.directory,
      tellSecurity: (account) => tell({ kind: "security", account }),
    });
  } finally {
    await store.close();
    // Also after a failure: part of the work may have been done.
    if (nudges.size > 0) await sendNudges(nudgeSocketPath(config.dataDir), [...nudges.values()]);
  }
}

/** The account whose own address is `address`; an alias will not do. Throws Failure. */
export async function requireAccount(directory: Directory, address: string): Promise<Account> {
  const account = await directory.resolveAddress(address);
  if (!account) {
    throw new Failure(`there is no account ${address}; "postern account list" shows all`);
  }
  const same = (a: string, b: string) =>
    a.normalize().toLowerCase() === b.normalize().toLowerCase();
  if (!same(account.address, address)) {
    throw new Failure(`${address} leads to the account ${account.address}: name that one`);
  }
  return account;
}

/** Whether there is a file or folder of that name. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
