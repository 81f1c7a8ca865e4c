import assert from "node:assert/strict";
import net from "node:net";
import tls from "node:tls";
import { countOpenable, openBudget } from "../../src/app/open_files.ts";
import { ConnectionBudget } from "../../src/net/mod.ts";
import { runPostern, startPostern, withFolder } from "./postern_process.ts";

const LISTENER = '[[listener]]\nkind = "imap"\naddress = "127.0.0.1:0"\n';

/** Keeps so many connections open at once, and gives how many were greeted and how many closed. */
async function flood(port: number, count: number) {
  const sockets: net.Socket[] = [];
  let greeted = 0;
  let closed = 0;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      sockets.forEach((socket) => socket.destroy());
      reject(new Error(`${greeted} were greeted, ${closed} closed, and the others left waiting`));
    }, 15_000);
    for (let i = 0; i < count; i++) {
      const socket = net.connect({ host: "127.0.0.1", port });
      let isCounted = false;
      const settle = (isGreeted: boolean) => {
        if (isCounted) return;
        isCounted = true;
        if (isGreeted) greeted++;
        else closed++;
        if (greeted + closed < count) return;
        clearTimeout(timer);
        resolve();
      };
      socket.on("error", () => {});
      socket.on("data", () => settle(true));
      socket.on("close", () => settle(false));
      sockets.push(socket);
    }
  });
  return { greeted, closed, end: () => sockets.forEach((socket) => socket.destroy()) };
}

Deno.test("a flood of connections does not use up the files, and the server goes on", async () => {
  await withFolder(async ({ config }) => {
    const server = await startPostern(["serve", "--config", config], { openFiles: 1_700 });
    assert.match(
      server.stderr(),
      /warn app: limits\.max_connections is 20000, but the limit of open files leaves room for only (\d+) more: raise it/,
    );
    const room = Number(/room for only (\d+)/.exec(server.stderr())?.[1]);
    assert.ok(room > 350 && room < 445, `${room}`);
    const port = Number(server.address("imap").split(":")[1]);
    try {
      for (let round = 0; round < 2; round++) {
        const { greeted, closed, end } = await flood(port, 2_000);
        assert.equal(greeted, room);
        assert.equal(closed, 2_000 - room);
        end();
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      const { greeted, end } = await flood(port, 1);
      assert.equal(greeted, 1);
      end();
    } finally {
      assert.equal((await server.stop("SIGTERM")).code, 0);
    }
  }, LISTENER);
});

Deno.test("a server that could open next to no files does not start", async () => {
  await withFolder(async ({ config }) => {
    const { code, stderr } = await runPostern(["serve", "--config", config], { openFiles: 1_300 });
    assert.equal(code, 1);
    assert.match(
      stderr,
      /postern: the process may open too few files: raise the limit .* to 21256, /,
    );
  }, LISTENER);
});

Deno.test("room is made sure of as it is needed, and asked for again a minute later at most", () => {
  assert.equal(countOpenable(100), 100);
  assert.equal(openBudget(100, 1).room, 100);
  const asked: number[] = [];
  const budget = new ConnectionBudget(5_000, (wanted) => {
    asked.push(wanted);
    return asked.length === 3 ? 500 : wanted;
  });
  const take = () => budget.take(new net.Socket());
  assert.deepEqual(asked, [1_000]);
  for (let i = 0; i < 2_000; i++) assert.ok(take());
  assert.deepEqual(asked, [1_000, 1_000]);
  for (let i = 0; i < 500; i++) assert.ok(take());
  assert.deepEqual(asked, [1_000, 1_000, 2_000]);
  for (let i = 0; i < 10; i++) assert.ok(!take());
  assert.deepEqual(asked, [1_000, 1_000, 2_000]);
  assert.equal(budget.open, 2_500);
});

Deno.test("half-open handshakes take a quarter of the room, and honest clients are served", async () => {
  const imaps =
    '[limits]\nmax_connections = 40\n[[listener]]\nkind = "imaps"\naddress = "127.0.0.1:0"\n';
  await withFolder(async ({ config }) => {
    const server = await startPostern(["serve", "--config", config]);
    const port = Number(server.address("imaps").split(":")[1]);
    const idle: net.Socket[] = [];
    let dropped = 0;
    for (let i = 0; i < 60; i++) {
      const socket = net.connect({ host: "127.0.0.1", port });
      socket.on("error", () => {});
      socket.on("close", () => dropped++);
      await new Promise((resolve) => socket.once("connect", resolve));
      idle.push(socket);
      // One by one: what comes all at once beyond the room is refused, whoever it is.
      for (let j = 0; j < 300 && dropped < i - 9; j++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
    const honest = tls.connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
    const [greeting] = await new Promise<Uint8Array[]>((resolve, reject) => {
      honest.once("data", (...data) => resolve(data));
      honest.once("error", reject);
      honest.once("close", () => reject(new Error("closed")));
    });
    assert.match(new TextDecoder().decode(greeting), /^\* OK /);
    for (let i = 0; i < 300 && dropped < 51; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.equal(dropped, 51, "all but ten, and one for the honest");
    for (const socket of [...idle, honest]) socket.destroy();
    assert.equal((await server.stop("SIGTERM")).code, 0);
  }, imaps);
});
