import { constants, deflateRawSync } from "node:zlib";
import { EVERYWHERE, makeLargeMessage, makeMessage, NOWHERE, RARE } from "./mail.ts";
import { measure, type Measurement } from "./measure.ts";
import { memoryKib } from "./process_usage.ts";
import { join, RawClient } from "./raw_client.ts";
import { delay, logIn, settle, type Target } from "./target.ts";

/** How much is done. */
export interface Scale {
  /** Messages in INBOX. */
  readonly messages: number;
  readonly largeBytes: number;
  readonly idleConnections: number;
  /** Longest time of one case, milliseconds. */
  readonly limitMs: number;
  readonly restarts: number;
  /** Sent through a relay at a time. */
  readonly relayBytes: number;
}

export const FULL: Scale = {
  messages: 20_000,
  largeBytes: 50_000_000,
  idleConnections: 1000,
  limitMs: 1500,
  restarts: 5,
  relayBytes: 500_000_000,
};

export const QUICK: Scale = {
  messages: 2000,
  largeBytes: 10_000_000,
  idleConnections: 100,
  limitMs: 350,
  restarts: 2,
  relayBytes: 100_000_000,
};

const SMALL_BYTES = 3000;
const APPEND_BYTES = 10_000;
const BATCH = 100;
const CLIENTS = 20;
const PIPELINE = 50;

/** Measurements that belong together: what one of them prepares the later ones use. */
export type Group = (target: Target, scale: Scale) => AsyncGenerator<Measurement>;

/** By name; "fill" comes first, as the others read what it stores. */
export const groups: Readonly<Record<string, Group>> = {
  fill,
  noop,
  login,
  select,
  fetch,
  bodies,
  append,
  lmtp,
  store,
  search,
  idle,
  memory,
};

async function* fill(target: Target, scale: Scale): AsyncGenerator<Measurement> {
  const client = await logIn(target);
  const batch = async (_worker: number, run: number) => {
    const parts: (string | Uint8Array)[] = ["APPEND INBOX"];
    for (let i = 0; i < BATCH; i++) {
      parts.push(...literal(makeMessage(run * BATCH + i, SMALL_BYTES), " (\\Seen)"));
    }
    await client.command(...parts);
  };
  const runs = scale.messages / BATCH;
  yield await measure(
    target,
    { name: "MULTIAPPEND 100 x 3 KB", runs, limitMs: Infinity, operations: BATCH },
    batch,
  );
  client.close();
  const settledMs = await settle(target, 120_000);
  yield { name: "  background work after it, per message", p50Ms: settledMs / scale.messages };
}

async function* noop(target: Target, { limitMs }: Scale): AsyncGenerator<Measurement> {
  const plain = await logIn(target, { mailbox: "INBOX" });
  const tls = await logIn(target, { mailbox: "INBOX", tls: true });
  const runs = 10_000;
  yield await measure(
    target,
    { name: "NOOP", runs, limitMs, warmUp: 200 },
    async () => void await plain.command("NOOP"),
  );
  yield await measure(
    target,
    { name: "NOOP, TLS", runs, limitMs, warmUp: 200 },
    async () => void await tls.command("NOOP"),
  );
  const noops = Array.from({ length: PIPELINE }, (_, i) => `p${i} NOOP\r\n`).join("");
  yield await measure(
    target,
    { name: "NOOP, pipelined by 50", runs: 4000, limitMs, warmUp: 20, operations: PIPELINE },
    async () => {
      await plain.send(noops);
      await plain.readAnswer(`p${PIPELINE - 1}`);
    },
  );
  plain.close();
  tls.close();
  const many = await connectMany(target, CLIENTS, {});
  yield await measure(
    target,
    { name: "NOOP, TLS, 20 clients", runs: runs * 5, limitMs, concurrency: CLIENTS },
    async (worker) => void await many[worker]!.command("NOOP"),
  );
  for (const client of many) client.close();
}

async function* login(target: Target, { limitMs }: Scale): AsyncGenerator<Measurement> {
  for (const tls of [false, true]) {
    yield await measure(
      target,
      { name: tls ? "TLS handshake and LOGIN" : "LOGIN", runs: 200, limitMs, warmUp: 2 },
      async () => (await logIn(target, { tls })).close(),
    );
  }
}

async function* select(target: Target, scale: Scale): AsyncGenerator<Measurement> {
  const count = scale.messages.toLocaleString("en");
  yield await measure(
    target,
    { name: `SELECT of ${count}, first after start`, runs: scale.restarts, limitMs: 10_000 },
    async () => {
      await target.restart();
      const client = await logIn(target);
      const before = performance.now();
      await client.command("SELECT INBOX");
      const took = performance.now() - before;
      client.close();
      return took;
    },
  );
  const client = await logIn(target);
  yield await measure(
    target,
    { name: `SELECT of ${count}, again`, runs: 500, limitMs: scale.limitMs, warmUp: 3 },
    async () => void await client.command("SELECT INBOX"),
  );
  yield await measure(
    target,
    { name: "STATUS of the same", runs: 2000, limitMs: scale.limitMs, warmUp: 3 },
    async () => void await client.command("STATUS INBOX (MESSAGES UNSEEN UIDNEXT)"),
  );
  client.close();
}

async function* fetch(target: Target, { messages, limitMs }: Scale): AsyncGenerator<Measurement> {
  const client = await logIn(target, { mailbox: "INBOX" });
  const each = async (name: string, command: string) =>
    await measure(
      target,
      { name, runs: 40, limitMs, warmUp: 1 },
      async () => void await client.command(command),
    );
  yield await each("FETCH 1:* FLAGS", "FETCH 1:* (FLAGS)");
  yield await each("FETCH 1:* ENVELOPE", "FETCH 1:* (ENVELOPE)");
  yield await each("FETCH 1:* BODYSTRUCTURE", "FETCH 1:* (BODYSTRUCTURE)");
  yield await each(
    "FETCH 1:* what mbsync asks",
    "FETCH 1:* (UID FLAGS RFC822.SIZE INTERNALDATE)",
  );
  yield await each(
    "FETCH of 50, a page of a list",
    `FETCH ${messages - 49}:* (UID FLAGS ENVELOPE BODYSTRUCTURE INTERNALDATE RFC822.SIZE)`,
  );
  yield await each(
    "FETCH 1:* three header fields",
    "FETCH 1:* (BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE)])",
  );
  client.close();
}

async function* bodies(target: Target, scale: Scale): AsyncGenerator<Measurement> {
  const { limitMs } = scale;
  const plain = await logIn(target, { mailbox: "INBOX" });
  const tls = await logIn(target, { mailbox: "INBOX", tls: true });
  const all = "FETCH 1:* (BODY.PEEK[])";
  for (const [name, client] of [["", plain], [", TLS", tls]] as const) {
    yield await measure(
      target,
      { name: `FETCH 1:* bodies of 3 KB${name}`, runs: 10, limitMs, warmUp: 1, throughput: true },
      () => client.command(all),
    );
  }
  let random = 7;
  yield await measure(
    target,
    { name: "FETCH of one body of 3 KB", runs: 5000, limitMs, warmUp: 5 },
    async () => {
      random = random * 1103515245 + 12345 & 0x7fffffff;
      await plain.command(`FETCH ${1 + random % scale.messages} BODY.PEEK[]`);
    },
  );
  await plain.command("CREATE Large");
  const large = makeLargeMessage(scale.largeBytes);
  const megabytes = scale.largeBytes / 1e6;
  yield await measure(
    target,
    { name: `APPEND of ${megabytes} MB`, runs: 2, limitMs, throughput: true },
    async () => {
      await plain.command("APPEND Large", ...literal(large));
      return large.length;
    },
  );
  for (const [name, client] of [["", plain], [", TLS", tls]] as const) {
    await client.command("SELECT Large");
    yield await measure(
      target,
      { name: `FETCH of ${megabytes} MB${name}`, runs: 10, limitMs, warmUp: 1, throughput: true },
      () => client.command("FETCH 1 BODY.PEEK[]"),
    );
  }
  plain.close();
  tls.close();
}

async function* append(target: Target, { limitMs }: Scale): AsyncGenerator<Measurement> {
  const appender = async (clients: number): Promise<Measurement> => {
    const connections = await connectMany(target, clients, { tls: false, user: "other" });
    const measurement = await measure(
      target,
      {
        name: `APPEND of 10 KB, ${clients === 1 ? "one connection" : `${clients} connections`}`,
        runs: 3000,
        limitMs,
        concurrency: clients,
        warmUp: 5,
      },
      async (worker, run) => {
        const message = makeMessage(run, APPEND_BYTES);
        await connections[worker]!.command("APPEND INBOX", ...literal(message));
      },
    );
    for (const client of connections) client.close();
    return measurement;
  };
  yield await appender(1);
  yield await appender(10);
  const client = await logIn(target, { user: "other" });
  yield await measure(
    target,
    { name: "MULTIAPPEND 20 x 10 KB", runs: 100, limitMs, operations: 20, warmUp: 1 },
    async (_, run) => {
      const messages = Array.from({ length: 20 }, (_, i) => makeMessage(run * 20 + i, 10_000));
      await client.command("APPEND INBOX", ...messages.flatMap((message) => literal(message)));
    },
  );
  client.close();
  await settle(target, 60_000);
}

async function* lmtp(target: Target, { limitMs }: Scale): AsyncGenerator<Measurement> {
  for (const clients of [1, 10]) {
    const connections = await Promise.all(
      Array.from({ length: clients }, () => RawClient.connect(target.lmtpPort)),
    );
    for (const connection of connections) {
      await connection.send("LHLO bench.example\r\n");
      await connection.readUntil((tail) => /(^|\n)250 [^\n]*\n$/.test(tail));
    }
    yield await measure(
      target,
      {
        name: `LMTP delivery of 10 KB, ${clients === 1 ? "one" : clients} connection${
          clients === 1 ? "" : "s"
        }`,
        runs: 2000,
        limitMs,
        concurrency: clients,
        warmUp: 5,
      },
      async (worker, run) => {
        const connection = connections[worker]!;
        await connection.send(
          "MAIL FROM:<sender@example.com>\r\nRCPT TO:<other@bench.example>\r\nDATA\r\n",
        );
        await connection.readUntil((tail) => /(^|\n)354 [^\n]*\n$/.test(tail));
        await connection.send(join([makeMessage(run, APPEND_BYTES), ".\r\n"]));
        await connection.readUntil((tail) => {
          if (/(^|\n)[45]/.test(tail)) throw new Error(tail);
          return /(^|\n)250 [^\n]*\n$/.test(tail);
        });
      },
    );
    for (const connection of connections) connection.close();
  }
  await settle(target, 60_000);
}

async function* store(target: Target, { limitMs }: Scale): AsyncGenerator<Measurement> {
  const client = await logIn(target, { mailbox: "INBOX" });
  for (const silent of ["", ".SILENT"]) {
    yield await measure(
      target,
      { name: `STORE 1:* FLAGS${silent}`, runs: 20, limitMs, warmUp: 2 },
      async (_, run) => {
        await client.command(`STORE 1:* ${run % 2 ? "-" : "+"}FLAGS${silent} (\\Flagged)`);
      },
    );
  }
  yield await measure(
    target,
    { name: "STORE of one message", runs: 1000, limitMs, warmUp: 2 },
    async (_, run) => {
      await client.command(`STORE ${1 + (run >> 1)} ${run % 2 ? "-" : "+"}FLAGS (\\Flagged)`);
    },
  );
  client.close();
}

async function* search(target: Target, { limitMs }: Scale): AsyncGenerator<Measurement> {
  const client = await logIn(target, { mailbox: "INBOX" });
  for (const key of ["SUBJECT", "BODY", "TEXT"]) {
    for (
      const [what, word] of [
        ["a word of no message", NOWHERE],
        ["a word of each 100th", RARE],
        ["a word of all", EVERYWHERE],
      ]
    ) {
      if (key === "TEXT" && word === EVERYWHERE) continue;
      yield await measure(
        target,
        { name: `SEARCH ${key}, ${what}`, runs: 50, limitMs, warmUp: 1 },
        async () => void await client.command(`SEARCH ${key} ${word}`),
      );
    }
  }
  yield await measure(
    target,
    { name: "SEARCH UNSEEN", runs: 200, limitMs, warmUp: 1 },
    async () => void await client.command("SEARCH UNSEEN"),
  );
  for (
    const command of [
      "SEARCH RETURN (MIN MAX COUNT) UNSEEN",
      "SORT (REVERSE DATE) UTF-8 ALL",
      "SORT (SUBJECT) UTF-8 ALL",
      "SORT RETURN (PARTIAL 1:50) (REVERSE ARRIVAL) UTF-8 ALL",
      "THREAD REFERENCES UTF-8 ALL",
    ]
  ) {
    yield await measure(
      target,
      { name: command, runs: 20, limitMs, warmUp: 1 },
      async () => void await client.command(command),
    );
  }
  client.close();
}

async function* idle(target: Target, { limitMs }: Scale): AsyncGenerator<Measurement> {
  const writer = await logIn(target, { user: "other" });
  const waiting = await logIn(target, { user: "other", mailbox: "INBOX" });
  await waiting.send("i IDLE\r\n");
  await waiting.readUntil((tail) => tail.startsWith("+"));
  yield await measure(
    target,
    { name: "IDLE: APPEND of 3 KB until EXISTS", runs: 300, limitMs, warmUp: 2 },
    async (_, run) => {
      const message = makeMessage(run, SMALL_BYTES);
      const before = performance.now();
      const heard = waiting.readUntil((tail) => tail.includes("EXISTS")).then(() =>
        performance.now() - before
      );
      await writer.command("APPEND INBOX", ...literal(message));
      return await heard;
    },
  );
  writer.close();
  waiting.close();
}

async function* memory(target: Target, scale: Scale): AsyncGenerator<Measurement> {
  const count = scale.idleConnections;
  await target.restart();
  const first = await logIn(target, { tls: true, mailbox: "INBOX" });
  await settle(target, 5000);
  yield { name: "memory at rest", rate: memoryKib(target.pid), unit: "KiB" };
  first.close();
  const plain = async (connection: RawClient) => {
    await connection.send("i IDLE\r\n");
    await connection.readUntil((tail) => tail.startsWith("+"));
  };
  const name = `memory of an idle TLS session, of ${count}`;
  yield { name, rate: await memoryOfEach(target, count, plain), unit: "KiB" };
  // Dovecot compresses with a plugin only.
  const asker = await logIn(target, { tls: true });
  const isRefused = await asker.command("COMPRESS DEFLATE").then(() => false, () => true);
  asker.close();
  if (isRefused) return;
  const compressed = async (connection: RawClient) => {
    await connection.command("COMPRESS DEFLATE");
    const octets = deflateRawSync("i IDLE\r\n", { finishFlush: constants.Z_SYNC_FLUSH });
    await connection.send(octets);
    await connection.readUntil(() => true);
  };
  yield {
    name: `memory of an idle compressed TLS session, of ${count}`,
    rate: await memoryOfEach(target, count, compressed),
    unit: "KiB",
  };
}

/** What each of `count` sessions takes once it idles, in a server that was started anew. */
async function memoryOfEach(
  target: Target,
  count: number,
  beginIdle: (connection: RawClient) => Promise<void>,
): Promise<number> {
  await target.restart();
  const first = await logIn(target, { tls: true, mailbox: "INBOX" });
  await settle(target, 5000);
  const before = memoryKib(target.pid);
  const connections = await connectMany(target, count, { mailbox: "INBOX", bufferBytes: 4096 });
  for (const connection of connections) await beginIdle(connection);
  await settle(target, 5000);
  await delay(500);
  const used = (memoryKib(target.pid) - before) / count;
  for (const connection of [first, ...connections]) connection.close();
  return used;
}

/** Connections that are logged in, with TLS unless told otherwise, made a few at a time. */
async function connectMany(
  target: Target,
  count: number,
  options: Parameters<typeof logIn>[1],
): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  while (clients.length < count) {
    const some = Math.min(20, count - clients.length);
    clients.push(
      ...await Promise.all(
        Array.from({ length: some }, () => logIn(target, { tls: true, ...options })),
      ),
    );
  }
  return clients;
}

/** A message as APPEND takes it, without waiting for the server's leave (LITERAL+). */
function literal(message: Uint8Array, flags = ""): (string | Uint8Array)[] {
  return [`${flags} {${message.length}+}\r\n`, message];
}
