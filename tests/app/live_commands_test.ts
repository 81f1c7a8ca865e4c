import assert from "node:assert/strict";
import { renderTop } from "../../src/app/live/top_view.ts";
import type { LiveConnection } from "../../src/web/mod.ts";
import { TestClient } from "../support/client.ts";
import { PASSWORD, withHost } from "./live_house.ts";
import {
  FLAGS,
  posternCommand,
  runPostern,
  type ServerProcess,
  startPostern,
} from "./postern_process.ts";

/** Commands that ask a running server, as an admin runs them. */

const ALICE = "alice@example.org";

interface Setting {
  readonly server: ServerProcess;
  readonly config: string;
  readonly folder: string;
  /** Runs a command that must succeed; gives what it prints. */
  postern(...args: string[]): Promise<string>;
  logIn(): Promise<TestClient>;
}

async function withServer(body: (setting: Setting) => Promise<void>): Promise<void> {
  await withHost(async ({ folder, config }) => {
    const server = await startPostern(["--config", config, "serve"]);
    const clients: TestClient[] = [];
    try {
      await body({
        server,
        config,
        folder,
        async postern(...args) {
          const { code, stdout, stderr } = await runPostern(["--config", config, ...args]);
          assert.equal(code, 0, stderr);
          return stdout;
        },
        async logIn() {
          const port = Number(server.address("imaps").split(":").at(-1));
          const client = await TestClient.connect(port, { tls: true });
          clients.push(client);
          await client.ok(`LOGIN ${ALICE} "${PASSWORD.replace(/["\\]/g, "\\$&")}"`);
          return client;
        },
      });
    } finally {
      for (const client of clients) client.close();
      // Some tests have stopped it themselves.
      await server.stop("SIGTERM").catch(() => {});
    }
  });
}

Deno.test("status shows a running server, and the files when none runs", async () => {
  await withServer(async ({ server, config, folder, postern, logIn }) => {
    await logIn();
    const text = await postern("status");
    assert.match(
      text,
      /^postern \d.*, running for less than an hour as process \d+ with [\d.]+M\n\n/,
    );
    assert.match(text, /\nimaps +127\.0\.0\.1:\d+ +1\n/);
    assert.match(text, /\nmail\.example\.org +self-signed +itself +20\d\d-\d\d-\d\d\n/);
    assert.match(
      text,
      /\nAccounts +2 in one domain\nConnections +1 open, 0 of them in IDLE\nQueue +empty\nDisk /,
    );
    assert.match(
      text,
      /\nwarning: passwords are accepted without TLS\n {2}set auth\.allow_plaintext/,
    );
    const running = JSON.parse(await postern("status", "--json"));
    assert.deepEqual(
      [running.running, running.processId, running.accounts, running.findings.length],
      [true, server.pid, 2, 2],
    );
    await server.stop("SIGTERM");
    assert.match(await postern("status"), /^postern \d.*, no server runs\n\n/);
    const { running: isRunning, ...offline } = JSON.parse(await postern("status", "--json"));
    assert.equal(isRunning, false);
    for (const key of ["certificates", "accounts", "domains", "queue", "findings"]) {
      assert.deepEqual(offline[key], running[key], key);
    }
    for await (const { name } of Deno.readDir(`${folder}/data`)) assert.doesNotMatch(name, /sock/);
    await Deno.remove(`${folder}/data`, { recursive: true });
    const { code, stderr } = await runPostern(["--config", config, "status"]);
    assert.deepEqual([code, /no server runs, and there is no .*data yet/.test(stderr)], [1, true]);
  });
});

Deno.test("log level shows and changes what the running server logs, for a room or all, until SIGHUP", async () => {
  await withServer(async ({ server, config, postern, logIn }) => {
    assert.equal(await postern("log", "level"), "ROOM  LEVEL\nall   error\n");
    await postern("log", "level", "session", "debug");
    assert.equal(await postern("log", "level"), "ROOM     LEVEL\nall      error\nsession  debug\n");
    await (await logIn()).ok("NOOP");
    await until(() => /debug session: NOOP ok in/.test(server.stderr()));
    await postern("log", "level", "session", "default");
    await postern("log", "level", "warn");
    assert.deepEqual(JSON.parse(await postern("log", "level", "--json")), {
      level: "warn",
      rooms: {},
    });
    server.kill("SIGHUP");
    for (let i = 0; i < 20; i++) {
      if (/error/.test(await postern("log", "level"))) break;
    }
    assert.equal(await postern("log", "level", "imap"), "ROOM  LEVEL\nimap  error\n");
    for (
      const [args, complaint] of [[["loud"], /expected a level .* or a room/], [
        ["imap", "loud"],
        /expected a level/,
      ]] as const
    ) {
      const { code, stderr } = await runPostern(["--config", config, "log", "level", ...args]);
      assert.equal(code, 2);
      assert.match(stderr, complaint);
    }
  });
});

Deno.test("top shows who is there, and connection end ends one", async () => {
  await withServer(async ({ config, postern, logIn }) => {
    const client = await logIn();
    await client.ok("SELECT INBOX");
    await client.idle();
    assert.match(
      await postern("top"),
      /^1 connection, 1 logged in, 1 in IDLE, 0 running commands\nID +ACCOUNT .*\n1 +alice@example\.org +IDLE +INBOX +127\.0\.0\.1 +imaps /,
    );
    const { connections: [first], total } = JSON.parse(await postern("top", "--json"));
    assert.deepEqual([total, first.account.address, first.activity], [1, ALICE, "IDLE"]);
    assert.equal(await postern("connection", "end", String(first.id)), "");
    assert.match(await client.rest(), /^\* BYE \[UNAVAILABLE\] Ended by the administrator/m);
    const { code, stderr } = await runPostern(["--config", config, "connection", "end", "77"]);
    assert.deepEqual([code, stderr], [
      1,
      'postern: there is no connection 77; "postern top" shows all\n',
    ]);
  });
});

/** `trace` in a process of its own; gives what it printed so far. */
function startTrace(config: string, address: string) {
  const child = posternCommand(["--config", config, "trace", address], {
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let text = "";
  const reading = (async () => {
    for await (const piece of child.stderr.pipeThrough(new TextDecoderStream())) text += piece;
  })();
  return {
    text: () => text,
    async end(signal?: Deno.Signal): Promise<number> {
      if (signal) child.kill(signal);
      await child.stdout.cancel();
      await reading;
      return (await child.status).code;
    },
  };
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let i = 0; !isTrue(); i++) {
    if (i === 500) throw new Error(`not within ten seconds: ${isTrue}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test("trace prints to standard error until Ctrl-C, which is no failure, or until the server ends, which is", async () => {
  await withServer(async ({ server, config, logIn }) => {
    const client = await logIn();
    const trace = startTrace(config, ALICE);
    await until(() => / #1 \* imap from 127\.0\.0\.1 by imaps, TLSv1\.3\n/.test(trace.text()));
    await client.ok('CREATE "a\\\\b"');
    await until(() => /> t2 OK/.test(trace.text()));
    assert.match(trace.text(), /\n20\d\d-\d\d-\d\dT[\d:.]+Z #1 < t2 CREATE "a\\\\b"\n20/);
    client.send("t9 NOOP \x1b[2J\r\n");
    await client.answer("t9");
    await until(() => /> t9 BAD/.test(trace.text()));
    assert.match(trace.text(), /< t9 NOOP \\x1b\[2J\n/);
    assert.equal(await trace.end("SIGINT"), 0);
    const second = startTrace(config, ALICE);
    await until(() => /imap from/.test(second.text()));
    await server.stop("SIGTERM");
    assert.equal(await second.end(), 1);
    assert.match(second.text(), /> \* BYE Server is shutting down\n/);
    assert.match(second.text(), /postern: the server ended\n$/);
    for (
      const [address, complaint] of [[ALICE, /no server runs on/], [
        "x@y",
        /there is no account/,
      ]] as const
    ) {
      const { code, stderr } = await runPostern(["--config", config, "trace", address]);
      assert.equal(code, 1);
      assert.match(stderr, complaint);
    }
  });
});

/** Runs `top` on a terminal of 60 columns and 10 rows, types, and prints what came and how it was left. */
const PTY = `
import os, pty, select, signal, struct, sys, fcntl, termios, time
keys, args = sys.argv[1], sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(args[0], args)
def size(columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 10, columns, 0, 0))
size(60)
before = termios.tcgetattr(fd)
seen, typed, resized, began = b"", False, False, time.time()
while time.time() - began < 20:
    if select.select([fd], [], [], .1)[0]:
        try: piece = os.read(fd, 65536)
        except OSError: break
        if not piece: break
        seen += piece
    if not resized and b"ACCOUNT" in seen:
        resized = True
        size(100)
    elif not typed and b"MAILBOX" in seen:
        typed = True
        if keys == "TERM": os.kill(pid, signal.SIGTERM)
        else: os.write(fd, keys.encode())
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(seen)
sys.stdout.flush()
print("\\nEXIT", os.waitstatus_to_exitcode(status), "SAME" if termios.tcgetattr(fd) == before else "CHANGED")
`;

Deno.test("top takes the terminal, follows its size, and gives it back on q, Ctrl-C and SIGTERM", async () => {
  await withServer(async ({ config, logIn }) => {
    await logIn();
    for (const keys of ["q", "\x03", "TERM"]) {
      const root = new URL("../../", import.meta.url).pathname;
      const { stdout, stderr } = await new Deno.Command("python3", {
        args: [
          ...["-c", PTY, keys, Deno.execPath(), ...FLAGS.slice(0, 1)],
          ...["--config", `${root}deno.json`, ...FLAGS.slice(1), `${root}main.ts`],
          ...["--config", config, "top", "--interval", "0.2"],
        ],
        env: { POSTERN_CONFIG: "", TERM: "xterm" },
      }).output();
      const text = new TextDecoder().decode(stdout);
      assert.match(text, /\x1b\[\?1049h\x1b\[\?25l\x1b\[H/, new TextDecoder().decode(stderr));
      assert.match(text, /alice@example\.org/);
      assert.match(
        text,
        /\x1b\[\?25h\x1b\[\?1049l\s+EXIT 0 SAME\n$/,
        JSON.stringify(text.slice(-200)),
      );
    }
  });
});

Deno.test("a view of top is no wider or higher than the screen, and shows no control characters", () => {
  const connection = (id: number): LiveConnection => ({
    id,
    protocol: "imap",
    listener: "imaps",
    remote: "2001:db8:1:2:3:4:5:6",
    tls: "TLSv1.3",
    isCompressed: false,
    sinceMs: 0,
    account: { id: 1 as never, address: `someone-with-a-very-long-name-${id}@example.org` },
    client: "evil \x1b[2J",
    activity: "",
    mailbox: "Ärger",
    bytesIn: 1_000,
    bytesOut: 5_000_000,
  });
  const now = {
    connections: Array.from({ length: 30 }, (_, i) => connection(i)),
    total: 1_000,
    loggedIn: 900,
    idle: 800,
    running: 7,
    bytesIn: 10_240,
    bytesOut: 20_480,
  };
  const before = { connections: { ...now, bytesIn: 0, bytesOut: 30_000 }, agoMs: 2_000 };
  const facts = { hostname: "mail.example.org", nowMs: 90_000_000, now, before };
  for (const columns of [1, 10, 40, 80, 200]) {
    for (const rows of [1, 4, 10, 60]) {
      const lines = renderTop(facts, { columns, rows });
      for (const line of lines) assert.ok([...line].length <= columns, `${columns}: ${line}`);
      assert.ok(!/[\x00-\x1f]/.test(lines.join("")));
      if (rows >= 4) assert.ok(lines.length <= rows, `${rows}: ${lines.length}`);
    }
  }
  const [, summary, , first, ...rest] = renderTop(facts, { columns: 200, rows: 10 });
  assert.equal(
    summary,
    "1000 connections, 900 logged in, 800 in IDLE, 7 running commands; in 5K/s, out 0B/s",
  );
  assert.match(first ?? "", /^0 +someone-.*… \(imap\) +Ärger +2001.* 1d +1000B +4\.8M +evil \\x1b/);
  assert.equal(rest.at(-1), "... and 994 more");
});

Deno.test("a data_dir too long for sockets is served with a warning, and commands say why they cannot ask", async () => {
  await withHost(async ({ folder, config }) => {
    const long = `${"d".repeat(110)}`;
    const toml = (await Deno.readTextFile(config)).replace(
      'data_dir = "data"',
      `data_dir = "${long}"`,
    )
      .replace('level = "error"', 'level = "warn"');
    await Deno.writeTextFile(config, toml);
    const server = await startPostern(["--config", config, "serve"]);
    try {
      assert.match(
        server.stderr(),
        /warn app: "postern status", "top" and "trace" cannot ask this server/,
      );
      const { code, stderr } = await runPostern(["--config", config, "top"]);
      assert.equal(code, 1);
      assert.match(stderr, /control\.sock is too long for a socket: choose a shorter data_dir/);
    } finally {
      await server.stop("SIGTERM");
    }
    assert.ok(folder);
  });
});
