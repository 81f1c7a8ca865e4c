import assert from "node:assert/strict";
import type { SearchOptions } from "../../src/store/mod.ts";
import { put, rows } from "../store/fixture.ts";
import { SAVED_MS, SearchSession } from "../support/search_session.ts";

const DAY = 86_400;

async function openWith(...options: Parameters<typeof put>[2][]): Promise<SearchSession> {
  const session = await SearchSession.open();
  await put(session.store, "INBOX", ...options.flatMap((each) => each ?? []));
  await session.select("INBOX");
  return session;
}

Deno.test("OLDER and YOUNGER are exact to the second, and both hold at the second itself", async () => {
  const now = SAVED_MS / 1000;
  const session = await openWith({ seconds: now - 101 }, { seconds: now - 100 }, {
    seconds: now - 99,
  });
  assert.deepEqual(await session.ask("a SEARCH OLDER 100"), ["* SEARCH 1 2", "a OK"]);
  assert.deepEqual(await session.ask("a SEARCH YOUNGER 100"), ["* SEARCH 2 3", "a OK"]);
  assert.deepEqual(await session.ask("a SEARCH OLDER 100 YOUNGER 100"), ["* SEARCH 2", "a OK"]);
  session.nowMs += 1000;
  assert.deepEqual(await session.ask("a SEARCH NOT YOUNGER 100"), ["* SEARCH 1 2", "a OK"]);
  for (const rest of ["OLDER 0", "YOUNGER 0", "OLDER", "OLDER x", "YOUNGER 4294967296"]) {
    assert.deepEqual(await session.ask(`a SEARCH ${rest}`), ["a BAD"], rest);
  }
});

Deno.test("the save date is searched by its day, however old the message claims to be", async () => {
  const session = await openWith({ seconds: SAVED_MS / 1000 - 100 * DAY });
  for (
    const [key, isFound] of [
      ["SAVEDON 15-Jan-2026", true],
      ["SAVEDON 14-Jan-2026", false],
      ["SAVEDSINCE 15-Jan-2026", true],
      ["SAVEDSINCE 16-Jan-2026", false],
      ["SAVEDBEFORE 16-Jan-2026", true],
      ["SAVEDBEFORE 15-Jan-2026", false],
      ["SAVEDATESUPPORTED", true],
      ["NOT SAVEDATESUPPORTED", false],
    ] as const
  ) {
    const expected = isFound ? "* SEARCH 1" : "* SEARCH";
    assert.deepEqual(await session.ask(`a SEARCH ${key}`), [expected, "a OK"], key);
  }
});

Deno.test("EMAILID and THREADID find exactly what they name", async () => {
  const session = await openWith({}, {});
  const { mailboxId } = await session.select("INBOX");
  const [first, second] = await rows(session.store, mailboxId);
  assert.ok(first && second);
  assert.deepEqual(await session.ask(`a SEARCH EMAILID ${second.emailId}`), ["* SEARCH 2", "a OK"]);
  assert.deepEqual(await session.ask(`a SEARCH THREADID ${first.threadId}`), [
    "* SEARCH 1",
    "a OK",
  ]);
  const both = `a SEARCH OR EMAILID ${first.emailId} EMAILID ${second.emailId}`;
  assert.deepEqual(await session.ask(both), ["* SEARCH 1 2", "a OK"]);
  assert.deepEqual(await session.ask("a SEARCH EMAILID M-none_0"), ["* SEARCH", "a OK"]);
  assert.deepEqual(await session.ask(`a SEARCH EMAILID ${"x".repeat(255)}`), ["* SEARCH", "a OK"]);
  assert.deepEqual(await session.ask(`a SEARCH EMAILID ${"x".repeat(256)}`), ["a BAD"]);
  assert.deepEqual(await session.ask("a SEARCH EMAILID a.b"), ["a BAD"]);
});

/** Lets the store's search run as `search` says before it answers. */
function during(session: SearchSession, search: (options: SearchOptions) => Promise<void>): void {
  session.wrapStore((store) =>
    new Proxy(store, {
      get(target, name, receiver) {
        if (name !== "search") return Reflect.get(target, name, receiver).bind(target);
        return async (...args: Parameters<typeof target.search>) => {
          await search(args[2] ?? {});
          return await target.search(...args);
        };
      },
    })
  );
}

Deno.test("a search that takes long says every ten seconds how far it has come", async () => {
  const session = await openWith({}, {}, {});
  during(session, async ({ onProgress }) => {
    for (
      const [seconds, done] of [[4, 0], [5.999, 0], [0.001, 1], [9, 2], [1, 2], [1, 3]] as const
    ) {
      session.nowMs += seconds * 1000;
      onProgress?.(done, 3);
      await Promise.resolve();
      await Promise.resolve();
    }
  });
  assert.deepEqual(await session.ask("long SEARCH ALL"), [
    '* OK [INPROGRESS ("long" 1 3)] Still at it',
    '* OK [INPROGRESS ("long" 2 3)] Still at it',
    "* SEARCH 1 2 3",
    "long OK",
  ]);
  assert.equal(session.flushes, 2);
});

Deno.test("a tag that would end the response code is not told", async () => {
  const session = await openWith({});
  during(session, async ({ onProgress }) => {
    session.nowMs += 10_000;
    onProgress?.(0, 1);
  });
  assert.equal((await session.ask("x]y SEARCH ALL"))[0], "* OK [INPROGRESS (NIL 0 1)] Still at it");
});

Deno.test("progress over several mailboxes is one course to one goal", async () => {
  const session = await openWith({}, {});
  await session.store.createMailbox("Z");
  await put(session.store, "Z", {}, {}, {});
  during(session, async ({ onProgress }) => {
    session.nowMs += 10_000;
    onProgress?.(1, 2);
  });
  const lines = await session.ask("a ESEARCH IN (personal) RETURN (COUNT) ALL");
  assert.deepEqual(lines.filter((line) => line.includes("INPROGRESS")), [
    '* OK [INPROGRESS ("a" 1 5)] Still at it',
    '* OK [INPROGRESS ("a" 3 5)] Still at it',
  ]);
});

Deno.test("a search stops when the connection has ended", async () => {
  const session = await openWith({});
  during(session, async () => session.end());
  await assert.rejects(session.ask("a SEARCH ALL"), { name: "AbortError" });
});
