import type { Command } from "commander";
import { createHash } from "node:crypto";
import { sendNudges } from "../../notify/mod.ts";
import { backupStore, restoreAccount, restoreStore } from "../../store/sqlite/engine.ts";
import { toConfig } from "../config/config.ts";
import { readConfigFile } from "../config/load.ts";
import { exists, nudgeSocketPath, withData } from "../data.ts";
import { Failure, UsageError } from "../failure.ts";
import { showProgress } from "../progress.ts";
import { printJson, printLine } from "../terminal.ts";
import { type GlobalOptions, withExamples } from "./options.ts";

interface RestoreOptions extends GlobalOptions {
  readonly account?: string;
  readonly replace?: boolean;
}

/** `backup` and `restore`. */
export function addBackupCommands(program: Command): void {
  withExamples(
    program.command("backup <dir>")
      .description("copy all data to a folder, while mail flows; again: what changed since")
      .addHelpText(
        "after",
        "\nCopied: accounts with all mail, domains, addresses, passwords, certificates and keys in\n" +
          "data_dir. Not copied: the configuration file, and mail that waits to be sent.",
      ),
    "postern backup /mnt/backup/postern",
  ).action(async (folder: string, _options, command: Command) => {
    const { config: configFile, json } = command.optsWithGlobals<GlobalOptions>();
    const { dataDir } = toConfig(await readConfigFile(configFile));
    if (!await exists(`${dataDir}/directory.db`)) {
      throw new Failure(`there is no data in ${dataDir}: is this the right configuration?`);
    }
    const host = await withData(configFile, async ({ directory }) => {
      const secret = await directory.hostSecret("backup");
      return createHash("sha256").update(secret).digest("hex").slice(0, 16);
    });
    const progress = await showProgress();
    try {
      const result = await backupStore({
        dataDir,
        folder,
        host,
        now: Date.now(),
        onProgress: progress.update,
      });
      progress.end();
      if (json) printJson(result);
      else {
        printLine(
          `${result.accounts} accounts, ${result.copied} of them copied, the others had not changed`,
        );
      }
    } finally {
      progress.end();
    }
  });

  withExamples(
    program.command("restore <dir>")
      .description("put a backup into an empty data_dir, or one account back")
      .option("--account <address>", "this account alone; the server may run")
      .option("--replace", "with --account: in place of the account of that address"),
    "postern restore /mnt/backup/postern",
    "postern restore /mnt/backup/postern --account alice@example.org",
  ).action(async (folder: string, _options, command: Command) => {
    const { config: configFile, json, account, replace = false } = command.optsWithGlobals<
      RestoreOptions
    >();
    const { dataDir } = toConfig(await readConfigFile(configFile));
    if (account === undefined) {
      if (replace) throw new UsageError("--replace is for one account: give --account too");
      const { accounts } = restoreStore(folder, dataDir);
      if (json) printJson({ accounts });
      else printLine(`${accounts} accounts restored to ${dataDir}`);
      return;
    }
    if (!await exists(`${dataDir}/directory.db`)) {
      throw new Failure(`there is no data in ${dataDir}: restore without --account`);
    }
    const { replaced } = restoreAccount(folder, dataDir, account, { replace });
    // Sessions of the account that was there end.
    if (replaced !== undefined) {
      await sendNudges(nudgeSocketPath(dataDir), [{ kind: "security", account: replaced }]);
    }
    if (json) printJson({ account, replaced: replaced !== undefined });
    else {
      printLine(
        `${account} restored${replaced === undefined ? "" : " in place of what was there"}`,
      );
    }
  });
}
