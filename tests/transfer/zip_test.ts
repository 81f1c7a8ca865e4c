import assert from "node:assert/strict";
import { join } from "node:path";
import {
  exportZip,
  importFolder,
  TransferError,
  unpackZip,
  type ZipKind,
} from "../../src/transfer/mod.ts";
import { MAX_ZIP_DIRECTORY_BYTES, MAX_ZIP_ENTRIES } from "../../src/transfer/limits.ts";
import { bytesOf, put } from "../store/fixture.ts";
import { withFolder, withStore } from "../store/sqlite/account_fixture.ts";
import { contentsOf } from "./contents.ts";
import { type PlainEntry, plainZip } from "./plain_zip.ts";

const MIB = 1024 * 1024;
const MBOX = bytesOf("From a@b Thu Jan  1 00:00:00 1970\nSubject: x\n\nText\n\n");

/** Unpacks a zip with these entries; gives the paths and sizes that came of it. */
async function unpack(entries: readonly PlainEntry[], maxBytes = MIB): Promise<string[]> {
  const found: string[] = [];
  await withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/a.zip`, plainZip(entries));
    await Deno.mkdir(`${folder}/out`);
    const list = async (path: string) => {
      for await (const { name, isDirectory } of Deno.readDir(join(folder, path))) {
        if (isDirectory) await list(join(path, name));
        else found.push(join(path, name));
      }
    };
    try {
      await unpackZip(`${folder}/a.zip`, `${folder}/out`, maxBytes, () => {});
    } finally {
      await list("");
    }
  });
  return found.filter((path) => path !== "a.zip").sort();
}

for (const kind of ["mbox", "maildir"] as const satisfies ZipKind[]) {
  Deno.test(`an exported zip (${kind}), imported, gives the same account`, () =>
    withStore({}, async (store, from) => {
      await from.createMailbox("Lists/Grüße");
      for (const [i, text] of ["one", "From two", "x".repeat(3 * MIB)].entries()) {
        await put(from, i === 1 ? "Lists/Grüße" : "INBOX", {
          bytes: bytesOf(`Subject: ${i}\r\n\r\n${text}\r\n`),
          flags: i + 1,
          seconds: 1_000_000_000 + i,
          zoneMinutes: 0,
        });
      }
      const { id } = await store.directory.addAccount("bob@example.org", "{}");
      const to = await store.openAccount(id);
      await withFolder(async (folder) => {
        await Deno.writeFile(`${folder}/mail.zip`, exportZip(from, kind));
        await Deno.mkdir(`${folder}/out`);
        let last = [0, 1];
        await unpackZip(`${folder}/mail.zip`, `${folder}/out`, 16 * MIB, (...now) => last = now);
        assert.equal(last[0], last[1]);
        await importFolder(to, `${folder}/out`, undefined, () => {});
      });
      assert.deepEqual(await contentsOf(to), await contentsOf(from));
    }));
}

Deno.test("others have their turn while an account is exported", () =>
  withStore({}, async (_store, from) => {
    for (let i = 0; i < 8; i++) {
      await put(from, "INBOX", { bytes: bytesOf(`Subject: ${i}\r\n\r\n${"x".repeat(MIB)}\r\n`) });
    }
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await exportZip(from, "mbox").pipeTo(new WritableStream());
    clearInterval(timer);
    // Of streams alone not one timer comes to its turn.
    assert.ok(turns >= 3, `${turns}`);
  }));

Deno.test("who stops reading an export ends it", () =>
  withStore({}, async (_store, from) => {
    for (let i = 0; i < 3; i++) {
      await put(from, "INBOX", { bytes: bytesOf(`Subject: ${i}\r\n\r\n${"x".repeat(MIB)}\r\n`) });
    }
    const reader = exportZip(from, "mbox").getReader();
    assert.equal((await reader.read()).done, false);
    await reader.cancel();
  }));

Deno.test("a zip is unpacked below its folder, without what macOS adds", async () => {
  assert.deepEqual(
    await unpack([
      { name: "mail/", mode: 0o040755 },
      { name: "mail/Lists/Grüße.mbox", bytes: MBOX, mode: 0o100644 },
      { name: "mail/cur/1.a:2,S", bytes: MBOX },
      { name: "__MACOSX/mail/._x", bytes: MBOX },
    ]),
    ["out/mail/Lists/Grüße.mbox", "out/mail/cur/1.a:2,S"],
  );
});

Deno.test("a zip with paths that lead elsewhere, links or secrets is refused as a whole", async () => {
  const bad: PlainEntry[] = [
    ...["../x", "a/../../x", "/x", "a//x", "./x", "..", "a\\..\\x", "C:/x", "a\0b"]
      .map((name) => ({ name })),
    { name: "link", mode: 0o120777, bytes: bytesOf("/etc/passwd") },
    { name: "pipe", mode: 0o010644 },
    { name: "secret", isEncrypted: true },
    { name: "a".repeat(256) },
    { name: `${"a/".repeat(60)}x` },
  ];
  for (const entry of bad) {
    await assert.rejects(
      unpack([{ name: "good.mbox", bytes: MBOX }, entry]),
      TransferError,
      JSON.stringify(entry.name),
    );
  }
  assert.equal((await unpack([{ name: `${"a/".repeat(59)}${"x".repeat(255)}` }])).length, 1);
  // Twice, and below what is a file.
  for (const name of ["x", "x/y"]) {
    await assert.rejects(unpack([{ name: "x" }, { name }]), TransferError, name);
    await assert.rejects(unpack([{ name }, { name: "x" }]), TransferError, name);
  }
});

Deno.test("a zip that becomes more than it may, or more than it says, is refused", async () => {
  const zeros = new Uint8Array(MIB);
  assert.equal((await unpack([{ name: "a", bytes: zeros }], MIB)).length, 1);
  await assert.rejects(unpack([{ name: "a", bytes: zeros }], MIB - 1), /more than 1048575 octets/);
  await assert.rejects(
    unpack([{ name: "a", bytes: zeros.subarray(1) }, { name: "b", bytes: zeros }], MIB),
    /more than/,
  );
  await assert.rejects(unpack([{ name: "a", bytes: zeros, claimedSize: 10 }]), TransferError);
  await assert.rejects(unpack([{ name: "a", bytes: MBOX, claimedSize: 1000 }]), TransferError);
  await assert.rejects(unpack([{ name: "a", bytes: MBOX, claimedSize: 0 }]), TransferError);
});

Deno.test("what is damaged in a zip is noticed, in small files and in large ones", async () => {
  for (const bytes of [MBOX, new Uint8Array(2 * MIB)]) {
    await assert.rejects(unpack([{ name: "a", bytes, isDamaged: true }], 4 * MIB), TransferError);
    assert.equal((await unpack([{ name: "a", bytes }], 4 * MIB)).length, 1);
  }
  await withFolder(async (folder) => {
    const large = { name: "a", bytes: new Uint8Array(64 * MIB), claimedSize: 2 * MIB };
    await Deno.writeFile(`${folder}/a.zip`, plainZip([large]));
    await Deno.mkdir(`${folder}/out`);
    await assert.rejects(
      unpackZip(`${folder}/a.zip`, `${folder}/out`, 4 * MIB, () => {}),
      TransferError,
    );
    assert.ok((await Deno.stat(`${folder}/out/a`)).size <= 2 * MIB);
  });
});

Deno.test("what is no zip, or one that was cut off, is refused", async () => {
  await withFolder(async (folder) => {
    const whole = plainZip([{ name: "a", bytes: new Uint8Array(100_000) }]);
    for (const length of [0, 10, whole.length - 30, whole.length - 1]) {
      await Deno.writeFile(`${folder}/a.zip`, whole.subarray(0, length));
      await Deno.mkdir(`${folder}/out${length}`);
      await assert.rejects(
        unpackZip(`${folder}/a.zip`, `${folder}/out${length}`, MIB, () => {}),
        TransferError,
      );
    }
  });
});

Deno.test("a list of files in a zip that would fill the memory is not read", async () => {
  await withFolder(async (folder) => {
    // Sparse: nothing but its end takes room.
    const end = plainZip([]);
    const unpackWith = async (directoryBytes: number) => {
      new DataView(end.buffer).setUint32(12, directoryBytes, true);
      const path = `${folder}/${directoryBytes}`;
      using file = await Deno.open(`${path}.zip`, { write: true, create: true });
      await file.truncate(directoryBytes);
      await file.seek(0, Deno.SeekMode.End);
      await file.write(end);
      await Deno.mkdir(path);
      await unpackZip(`${path}.zip`, path, MIB, () => {});
    };
    await unpackWith(MAX_ZIP_DIRECTORY_BYTES);
    await assert.rejects(unpackWith(MAX_ZIP_DIRECTORY_BYTES + 1), /list of files .* too long/);
  });
});

Deno.test("unpacking ends when who is told of it throws", async () => {
  await withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/a.zip`, plainZip([{ name: "a", bytes: MBOX }]));
    await Deno.mkdir(`${folder}/out`);
    const stop = new DOMException("stopped", "AbortError");
    await assert.rejects(
      unpackZip(`${folder}/a.zip`, `${folder}/out`, MIB, () => {
        throw stop;
      }),
      (error) => error === stop,
    );
  });
});

Deno.test("a folder is imported as what it is: mbox or Maildir, with a folder around it or not", () =>
  withStore({}, async (_store, account) => {
    const from = async (files: Readonly<Record<string, Uint8Array>>, mailbox?: string) => {
      let names: string[] = [];
      await withFolder(async (folder) => {
        for (const [path, bytes] of Object.entries(files)) {
          await Deno.mkdir(join(folder, path, ".."), { recursive: true });
          await Deno.writeFile(join(folder, path), bytes);
        }
        const results = await importFolder(account, folder, mailbox, () => {});
        names = results.map(({ mailbox, messages }) => `${mailbox} ${messages}`);
      });
      return names;
    };
    assert.deepEqual(await from({ "a.mbox": MBOX, "b/c.mbox": MBOX }), ["a 1", "b/c 1"]);
    assert.deepEqual(await from({ "Takeout/Mail/All.mbox": MBOX }), ["All 1"]);
    assert.deepEqual(await from({ "a.mbox": MBOX }, "Old"), ["Old/a 1"]);
    assert.deepEqual(await from({ "Maildir/cur/1.a:2,S": MBOX }), ["INBOX 1"]);
    assert.deepEqual(
      await from({ "cur/1.a": MBOX, ".Lists/new/2.a": MBOX, "subscriptions": MBOX }),
      ["INBOX 1", "Lists 1"],
    );
    assert.deepEqual(await from({ ".Lists/cur/2.a": MBOX, ".B/cur/2.a": MBOX }), [
      "B 1",
      "Lists 1",
    ]);
    await assert.rejects(from({ "a.mbox": MBOX, "cur/1.a": MBOX }), TransferError);
    await assert.rejects(from({ "notes.txt": MBOX }), /there is no mail/);
    await assert.rejects(from({}), /there is no mail/);
  }));

Deno.test("a zip of more than a hundred thousand files is refused", async () => {
  const names = Array.from({ length: MAX_ZIP_ENTRIES + 1 }, (_, i) => ({ name: `__MACOSX/${i}` }));
  await assert.rejects(unpack(names), /more than 100000 files/);
});
