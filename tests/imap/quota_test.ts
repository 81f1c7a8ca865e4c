import assert from "node:assert/strict";
import { literal, type TestClient } from "../support/client.ts";
import { withServer } from "../support/server.ts";

async function quotaLine(client: TestClient): Promise<string | undefined> {
  return (await client.ok('GETQUOTA ""')).untagged[0];
}

Deno.test("usage is told without a limit too, with the natural limits in its place", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    assert.deepEqual((await c.ok('GETQUOTA ""')).untagged, [
      'QUOTA "" (STORAGE 0 4294967295 MESSAGE 0 4294967295 MAILBOX 6 10000)',
    ]);
    const { untagged: [capabilities] } = await c.ok("CAPABILITY");
    for (const name of ["QUOTA", "QUOTA=RES-STORAGE", "QUOTA=RES-MESSAGE", "QUOTA=RES-MAILBOX"]) {
      assert.ok(capabilities?.split(" ").includes(name), name);
    }
    assert.ok(!capabilities?.includes("QUOTASET"));
    await c.bad('SETQUOTA "" (STORAGE 1)');
    const stranger = await server.connect();
    await stranger.bad('GETQUOTA ""');
    assert.ok(!(await stranger.ok("CAPABILITY")).untagged[0]?.includes("QUOTA"));
  });
});

Deno.test("usage and limit are in KiB, begun ones counted whole, and a second session sees the same", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    const watcher = await server.login();
    for (const [size, usage] of [[1024, 1], [1, 2], [1023, 2], [1, 3]] as const) {
      await c.append("INBOX", "x".repeat(size));
      assert.match(await quotaLine(watcher) ?? "", new RegExp(`STORAGE ${usage} 3 `));
    }
    assert.match(await quotaLine(watcher) ?? "", / MESSAGE 4 /);
    await c.ok("CREATE a/b");
    assert.match(await quotaLine(watcher) ?? "", / MAILBOX 8 /);
    await c.ok("DELETE a/b");
    assert.match(await quotaLine(watcher) ?? "", / MAILBOX 7 /);
    await c.ok("SELECT INBOX");
    await c.ok("STORE 1:2 +FLAGS.SILENT (\\Deleted)");
    assert.match(await quotaLine(watcher) ?? "", /STORAGE 3 3 MESSAGE 4 /);
    await c.ok("EXPUNGE");
    assert.match(await quotaLine(watcher) ?? "", /STORAGE 1 3 MESSAGE 2 /);
  }, { defaultQuotaBytes: 2 * 1024 + 2 });
});

Deno.test("every mailbox has the one quota root, those that do not exist too", async () => {
  await withServer(async (server) => {
    const c = await server.login();
    for (const [name, told] of [["inbox", "INBOX"], ["nowhere/yet", "nowhere/yet"]] as const) {
      const { untagged } = await c.ok(`GETQUOTAROOT ${name}`);
      assert.equal(untagged[0], `QUOTAROOT ${told} ""`);
      assert.match(untagged[1] ?? "", /^QUOTA "" \(STORAGE /);
      assert.equal(untagged.length, 2);
    }
    const { untagged } = await c.ok('GETQUOTAROOT "Entw&APw-rfe x"');
    assert.equal(untagged[0], 'QUOTAROOT "Entw&APw-rfe x" ""');
    await c.no("GETQUOTAROOT a//b", "CANNOT");
    await c.no("GETQUOTA INBOX", "NONEXISTENT");
    await c.bad("GETQUOTA");
    await c.bad("GETQUOTAROOT");
    await c.bad('GETQUOTA "" x');
  });
});

Deno.test("DELETED and DELETED-STORAGE tell what EXPUNGE would free", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    const watcher = await server.login();
    for (const size of [100, 20, 3]) await c.append("INBOX", "x".repeat(size));
    const told = async () =>
      (await watcher.ok("STATUS INBOX (DELETED DELETED-STORAGE)")).untagged[0];
    assert.equal(await told(), "STATUS INBOX (DELETED 0 DELETED-STORAGE 0)");
    await c.ok("STORE 1,3 +FLAGS (\\Deleted)");
    assert.equal(await told(), "STATUS INBOX (DELETED 2 DELETED-STORAGE 103)");
    await c.ok("STORE 1 -FLAGS (\\Deleted)");
    assert.equal(await told(), "STATUS INBOX (DELETED 1 DELETED-STORAGE 3)");
    await c.ok("EXPUNGE");
    assert.equal(await told(), "STATUS INBOX (DELETED 0 DELETED-STORAGE 0)");
  });
});

Deno.test("APPEND, COPY and REPLACE fill the quota to the last octet and not beyond", async () => {
  await withServer(async (server) => {
    const c = await server.login("INBOX");
    await c.append("INBOX", "x".repeat(400));
    await c.no(["APPEND INBOX ", literal("x".repeat(601))], "OVERQUOTA");
    await c.no(["APPEND INBOX ", literal("x".repeat(601), { nonSync: true })], "OVERQUOTA");
    await c.no(
      ["APPEND INBOX ", literal("x".repeat(300)), " ", literal("x".repeat(301))],
      "OVERQUOTA",
    );
    await c.append("INBOX", "x".repeat(200));
    await c.ok("COPY 1 Archive");
    await c.no("COPY 1 Archive", "OVERQUOTA");
    await c.no(["REPLACE 2 INBOX ", literal("x".repeat(201))], "OVERQUOTA");
    await c.ok(["REPLACE 2 INBOX ", literal("x".repeat(200))]);
    // What is moved takes no more room than before (RFC 9208 4.3.1).
    await c.ok("MOVE 1 Archive");
    assert.equal(await quotaLine(c), 'QUOTA "" (STORAGE 1 1 MESSAGE 3 4294967295 MAILBOX 6 10000)');
  }, { defaultQuotaBytes: 1000 });
});
