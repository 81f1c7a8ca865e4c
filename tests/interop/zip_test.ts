import assert from "node:assert/strict";
import { exportZip } from "../../src/transfer/mod.ts";
import { SMALL_ZIP_ENTRY_BYTES } from "../../src/transfer/limits.ts";
import { bytesOf, put } from "../store/fixture.ts";
import { withFolder, withStore } from "../store/sqlite/account_fixture.ts";
import { isInstalled, runOk } from "./programs.ts";

/** Names, sizes and times of a zip's files, each read to its end; fails where anything is damaged. */
const READ = `
import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
assert archive.testzip() is None
for entry in archive.infolist():
    print(entry.filename, entry.file_size, entry.date_time[0], entry.is_dir())
`;

Deno.test({
  name: "Python reads what is exported as a zip: small files, large ones, folders, names in UTF-8",
  ignore: !isInstalled("python3"),
  fn: () =>
    withStore({}, async (_store, account) => {
      await account.createMailbox("Grüße");
      for (const size of [10, SMALL_ZIP_ENTRY_BYTES - 14, SMALL_ZIP_ENTRY_BYTES, 3_000_000]) {
        await put(account, "Grüße", {
          bytes: bytesOf(`Subject: x\r\n\r\n${"x".repeat(size)}`),
          seconds: 1_000_000_000,
        });
      }
      await withFolder(async (folder) => {
        for (const kind of ["mbox", "maildir"] as const) {
          await Deno.writeFile(`${folder}/${kind}.zip`, exportZip(account, kind));
        }
        const list = async (kind: string) => {
          const { stdout } = await runOk(folder, "python3", ["-c", READ, `${folder}/${kind}.zip`]);
          return new TextDecoder().decode(Uint8Array.from(stdout, (each) => each.charCodeAt(0)));
        };
        assert.match(await list("mbox"), /^Grüße\.mbox 50\d{5} \d+ False$/m);
        const maildir = await list("maildir");
        assert.match(maildir, /^\.Gr&APwA3w-e\/cur\/ 0 \d+ True$/m);
        assert.deepEqual(
          [...maildir.matchAll(/cur\/1000000000\.M\d.* (\d+) 2001 False$/gm)].map(([, size]) =>
            Number(size)
          ),
          [22, SMALL_ZIP_ENTRY_BYTES - 2, SMALL_ZIP_ENTRY_BYTES + 12, 3_000_012],
        );
      });
    }),
});
