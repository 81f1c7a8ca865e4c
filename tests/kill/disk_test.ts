import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { runPostern, type ServerProcess, startPostern } from "../app/postern_process.ts";
import { literal, type TestClient } from "../support/client.ts";
import { RawClient } from "../delivery/raw_client.ts";
import { isRoot, run, succeeds } from "./programs.ts";
import { LmtpWorker, logIn, type Server } from "./workers.ts";

const USER = "ann@example.org";
const PASSWORD = "kill password";
const SOURCE = new URL("./failing_disk.c", import.meta.url).pathname;

/** A disk that can be broken under a running server. */
interface Disk {
  /** Where the data is. */
  readonly folder: string;
  readonly env: Record<string, string>;
  break(): Promise<void>;
  mend(): Promise<void>;
}

interface Fixture {
  readonly server: Server;
  readonly client: TestClient;
  readonly disk: Disk;
  command(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>;
}

async function withServerOn(disk: Disk, run: (fixture: Fixture) => Promise<void>): Promise<void> {
  const config = await Deno.makeTempFile({ suffix: ".toml" });
  await Deno.writeTextFile(
    config,
    `hostname = "mail.example.org"
data_dir = "${disk.folder}/data"
[auth]
allow_plaintext = true
[[listener]]
kind = "imap"
address = "127.0.0.1:0"
[[listener]]
kind = "lmtp"
address = "127.0.0.1:0"
[[listener]]
kind = "submissions"
address = "127.0.0.1:0"
`,
  );
  const command = (...args: string[]) => runPostern(["--config", config, ...args]);
  let process: ServerProcess | undefined;
  try {
    await command("domain", "add", "example.org");
    await runPostern(["--config", config, "account", "add", USER, "--stdin"], {
      stdin: `${PASSWORD}\n`,
    });
    process = await startPostern(["--config", config, "serve"], { env: disk.env });
    const port = (kind: string) => Number(process?.address(kind).split(":").at(-1));
    const server: Server = {
      imapPort: port("imap"),
      lmtpPort: port("lmtp"),
      submissionPort: port("submissions"),
      isKilled: false,
    };
    const client = await logIn(server, USER);
    await client.ok("SELECT INBOX");
    await run({ server, client, disk, command });
    client.close();
  } finally {
    const ended = await process?.stop("SIGTERM");
    await Deno.remove(config);
    if (ended) assert.equal(ended.code, 0, ended.stderr);
  }
}

/** Noise, so that it does not compress. */
function noise(bytes: number, name: string): Buffer {
  const text = Buffer.alloc(bytes);
  for (let i = 0; i < bytes; i++) text[i] = 32 + Math.floor(Math.random() * 90);
  return Buffer.concat([Buffer.from(`Subject: ${name}\r\n\r\n`), text, Buffer.from("\r\n")]);
}

/** All mail, that of INBOX last. */
async function readAll(client: TestClient): Promise<string[]> {
  const untagged: string[] = [];
  for (const mailbox of ["Archive", "INBOX"]) {
    await client.ok(`SELECT ${mailbox}`);
    untagged.push(...(await client.ok("UID FETCH 1:* (BODY.PEEK[])")).untagged);
  }
  return untagged.flatMap((line) => {
    const match = /BODY\[\] \{(\d+)\}\r\n/.exec(line);
    return match ? [line.substr(match.index + match[0].length, Number(match[1]))] : [];
  });
}

/** What must hold whatever it is that the disk does not do. */
async function holdOut(
  { server, client, disk, command }: Fixture,
): Promise<void> {
  const kept: string[] = [];
  const append = async (bytes: Buffer) => {
    const result = await client.cmd(["APPEND INBOX ", literal(bytes)]);
    if (result.status === "OK") kept.push(bytes.toString("latin1"));
    return result;
  };
  for (let i = 0; i < 3; i++) assert.equal((await append(noise(2000, `before ${i}`))).status, "OK");
  await disk.break();

  let refused = 0;
  for (let i = 0; i < 60 && refused < 5; i++) {
    // Large ones are refused while they come in, small ones at their commit.
    const result = await append(noise(i % 2 === 0 ? 600_000 : 60_000, `during ${i}`));
    if (result.status === "OK") continue;
    refused++;
    assert.deepEqual([result.status, result.code], ["NO", "UNAVAILABLE"], result.text);
  }
  assert.equal(refused, 5, "the disk was to fail");
  for (
    const change of [
      "UID STORE 1:* +FLAGS (\\Flagged k1 k2 k3)",
      "UID MOVE 1 Archive",
      "CREATE a/b/c/d/e",
      'SETMETADATA INBOX (/private/comment "x")',
    ]
  ) {
    const { status, code } = await client.cmd(change);
    // On a full disk what is small may still find room.
    if (status !== "OK") assert.deepEqual([status, code], ["NO", "UNAVAILABLE"], change);
  }
  // Mail from outside is put off, not refused.
  assert.match(await deliver(server, noise(600_000, "from outside")), /^4\d\d /);
  assert.match(await submit(server.submissionPort, noise(600_000, "from a user")), /^4\d\d 4\./);

  // Reading goes on, on this connection and on new ones.
  assert.deepEqual((await readAll(client)).sort(), kept.toSorted());
  const other = await logIn(server, USER);
  await other.ok("SELECT INBOX");
  assert.equal((await other.ok("SEARCH SUBJECT before")).untagged.length, 1);
  other.close();

  await disk.mend();
  assert.equal((await append(noise(2000, "after"))).status, "OK");
  assert.equal((await append(noise(600_000, "after"))).status, "OK");
  assert.match(await deliver(server, Buffer.from("Subject: x\r\n\r\nx\r\n")), /^250 /);
  assert.match(
    await submit(server.submissionPort, Buffer.from("Subject: x\r\n\r\nx\r\n")),
    /^250 /,
  );
  assert.deepEqual((await readAll(client)).slice(0, -2).sort(), kept.sort());
  const check = await command("check");
  assert.equal(check.stdout, "every invariant holds\n", check.stderr);
}

/** Delivers by LMTP and gives the reply to the message. */
async function deliver(server: Server, bytes: Buffer): Promise<string> {
  return await LmtpWorker.deliverOnce(server, USER, bytes.toString("latin1"));
}

/** Sends a message to the user by submission, and gives the reply to the message. */
async function submit(port: number, bytes: Buffer): Promise<string> {
  const client = await RawClient.connectTls(port);
  await client.reply();
  await client.ask("EHLO kill.example");
  assert.match(await client.ask(`AUTH PLAIN ${btoa(`\0${USER}\0${PASSWORD}`)}`), /^235 /);
  for (const line of [`MAIL FROM:<${USER}>`, `RCPT TO:<${USER}>`]) {
    const reply = await client.ask(line);
    if (!reply.startsWith("250 ")) return reply;
  }
  await client.ask("DATA");
  client.send(`From: ${USER}\r\n${bytes.toString("latin1").replaceAll(/^\./gm, "..")}.\r\n`);
  const reply = await client.reply();
  client.destroy();
  return reply;
}

const hasCompiler = Deno.build.os === "linux" && await succeeds("gcc", "-fsyntax-only", SOURCE);

Deno.test({
  // Only root may mount.
  name:
    "on a full disk mail is put off, nothing is lost, and all goes on when there is space again",
  ignore: !isRoot,
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "postern-full-" });
    await run("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder);
    const filler = `${folder}/filler`;
    try {
      await withServerOn({
        folder,
        env: {},
        async break() {
          // All but a little, so that some operations still find room and others half of it.
          const file = await Deno.create(filler);
          try {
            for (let i = 0; i < 12; i++) await file.write(new Uint8Array(1024 * 1024));
          } catch {
            // Full already.
          }
          file.close();
        },
        mend: () => Deno.remove(filler),
      }, holdOut);
    } finally {
      await run("umount", "-l", folder);
      await Deno.remove(folder, { recursive: true });
    }
  },
});

for (const [what, errno] of [["fails", 5], ["has become read-only", 30]] as const) {
  Deno.test({
    // A library that makes system calls fail is compiled with gcc.
    name: `on a disk that ${what} mail is put off, nothing is lost, and all goes on afterwards`,
    ignore: !hasCompiler,
    fn: async () => {
      const folder = await Deno.makeTempDir({ prefix: "postern-disk-" });
      try {
        const library = `${folder}/failing_disk.so`;
        await run("gcc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl");
        const flag = `${folder}/flag`;
        await withServerOn({
          folder,
          env: { LD_PRELOAD: library, FAILING_DISK_FLAG: flag },
          break: () => Deno.writeTextFile(flag, `${errno}`),
          mend: () => Deno.remove(flag),
        }, holdOut);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}
