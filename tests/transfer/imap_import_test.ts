import assert from "node:assert/strict";
import type { AccountStore } from "../../src/store/mod.ts";
import { importImap, type Progress, TransferError } from "../../src/transfer/mod.ts";
import { mail, put } from "../store/fixture.ts";
import { PASSWORD, type TestServer, USER, withServer } from "../support/server.ts";
import { contentsOf } from "./contents.ts";

interface Journey {
  readonly server: TestServer;
  readonly from: AccountStore;
  readonly to: AccountStore;
  readonly folder: string;
  run(onProgress?: Progress): ReturnType<typeof importImap>;
}

/** This server as the other one: from one of its accounts to another. */
async function withJourney(body: (journey: Journey) => Promise<void>): Promise<void> {
  await withServer(async (server) => {
    await server.addAccount("new@example.org");
    const folder = await Deno.makeTempDir({ prefix: "postern-journal-" });
    const to = await server.mail("new@example.org");
    const source = {
      host: "127.0.0.1",
      port: server.port,
      isTls: false,
      isInsecureAllowed: true,
      user: USER,
      password: PASSWORD,
    };
    try {
      await body({
        server,
        from: await server.mail(),
        to,
        folder,
        run: (onProgress = () => {}) => importImap(to, source, folder, onProgress),
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

async function journalOf(folder: string): Promise<string> {
  for await (const { name } of Deno.readDir(folder)) return `${folder}/${name}`;
  assert.fail("there is no journal");
}

Deno.test("everything comes over once, and later runs bring what is new and flags that changed", () =>
  withJourney(async ({ from, to, run }) => {
    await from.createMailbox("Entwürfe/天気", { specialUse: ["Drafts"] });
    await from.setSubscribed("Entwürfe/天気", false);
    for (let i = 0; i < 205; i++) {
      await put(from, "INBOX", {
        ...{
          bytes: mail(`number ${i}`, 100 + i),
          flags: i % 32,
          seconds: 1_000_000_000 + i * 1000,
        },
        keywords: i % 3 ? [] : ["$Label1", "blue"],
      });
    }
    await put(from, "Entwürfe/天気", { bytes: mail("large", 3_000_000) }, {});
    const first = await run();
    assert.deepEqual(
      first.filter(({ messages }) => messages > 0),
      [
        { mailbox: "INBOX", messages: 205, warnings: [] },
        { mailbox: "Entwürfe/天気", messages: 2, warnings: [] },
      ],
    );
    assert.deepEqual(await contentsOf(to), await contentsOf(from));

    const inbox = await from.findMailbox("INBOX");
    assert.ok(inbox);
    const { uids } = await from.selectMailbox("INBOX", { claimRecent: false });
    const some = uids.intersect(uids.clone());
    await from.changeFlags(inbox.id, some, { mode: "add", flags: 0, keywords: ["later"] });
    await put(from, "INBOX", {});
    const second = await run();
    assert.equal(second.reduce((sum, { messages }) => sum + messages, 0), 1);
    assert.deepEqual(await contentsOf(to), await contentsOf(from));
    const before = await to.latestModSeq();
    await run();
    assert.equal(await to.latestModSeq(), before, "nothing to do, nothing done");
  }));

Deno.test("an import that was cut off goes on where it was, wherever that is", () =>
  withJourney(async ({ from, to, folder, run }) => {
    for (let i = 0; i < 410; i++) await put(from, "INBOX", { bytes: mail(`n ${i}`, 100 + i % 50) });
    const stop = new Error("cut off");
    await assert.rejects(
      run((_, done) => {
        if (done === 200) throw stop;
      }),
      TransferError,
    );
    assert.equal((await to.quota()).usedMessages, 200);
    const journal = await journalOf(folder);
    const text = await Deno.readTextFile(journal);
    // After the append and before its line: the batch is recognised. Other mail came in between.
    const lines = text.trimEnd().split("\n");
    assert.match(lines.at(-1) ?? "", /"uids":"1:200"/);
    await Deno.writeTextFile(journal, `${lines.slice(0, -1).join("\n")}\n{"mailbox":"IN`);
    await put(to, "INBOX", { bytes: mail("other") });
    await assert.rejects(run((_, done) => {
      if (done === 200) throw stop;
    }));
    assert.equal((await to.quota()).usedMessages, 401);
    // Before the append: it is done again.
    const now = (await Deno.readTextFile(journal)).trimEnd().split("\n");
    await Deno.writeTextFile(
      journal,
      `${now.join("\n")}\n{"mailbox":"INBOX","begin":"401:410","uidNext":402,"sizes":[1,2]}\n`,
    );
    await run();
    assert.equal((await to.quota()).usedMessages, 411);
    const digests = (await contentsOf(to))["INBOX"]?.messages ?? [];
    const wanted = (await contentsOf(from))["INBOX"]?.messages ?? [];
    assert.deepEqual(digests.filter((_, i) => i !== 200), wanted);
  }));

Deno.test("a wrong password and a server that is not there are said in one line", () =>
  withJourney(async ({ server, to, folder }) => {
    const source = {
      ...{ host: "127.0.0.1", port: server.port, isTls: false, isInsecureAllowed: true },
      ...{ user: USER, password: "wrong" },
    };
    const attempt = (differing: Partial<typeof source>) =>
      importImap(to, { ...source, ...differing }, folder, () => {});
    await assert.rejects(attempt({}), /^TransferError: 127.0.0.1: .*wrong username or password\.$/);
    await assert.rejects(attempt({ port: 1 }), /^TransferError: 127.0.0.1: .*ECONNREFUSED/);
    // A certificate that nobody signed, or none at all, only when asked for.
    const secure = { port: server.tlsPort, isTls: true, isInsecureAllowed: false };
    await assert.rejects(attempt(secure), /^TransferError: .*certificate.*; --insecure takes it/i);
    await assert.rejects(attempt({ isInsecureAllowed: false }), /^TransferError: .*certificate/i);
  }));
