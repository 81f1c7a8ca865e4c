/**
 * `deno run -A tests/bench/disk.ts [messages]`: the disk that a stored message takes, beside Debian's
 * Dovecot with sdbox and with Maildir where that is installed. It asserts nothing.
 */
import { makeSelfSigned } from "../../src/net/mod.ts";
import { literal, TestClient } from "../support/client.ts";
import { startDovecot } from "./dovecot_target.ts";
import { makeLargeMessage, makeMessage } from "./mail.ts";
import { startPostern } from "./postern_target.ts";
import { delay, PASSWORD, settle, type Target } from "./target.ts";

const BATCH = 50;
const INDEX_DELAY_MS = 6000;

/** Kinds of mail, each a message by its number. */
const KINDS: Readonly<Record<string, (number: number) => Uint8Array>> = {
  "text of 1.5 to 20 KB": (number) =>
    makeMessage(number, [1500, 3000, 5000, 8000, 20_000][number % 5] ?? 3000),
  "the same, and 1 of 10 with 100 KB attached": (number) =>
    number % 10 === 9
      ? makeLargeMessage(100_000)
      : makeMessage(number, [1500, 3000, 5000, 8000, 20_000][number % 5] ?? 3000),
};

const STORES: Readonly<Record<string, (folder: string) => Promise<Target | undefined>>> = {
  "Postern": (folder) => startPostern(folder, { runFlags: [] }),
  "Dovecot sdbox": (folder) => startDovecot(folder),
  "Dovecot Maildir": (folder) => startDovecot(folder, "maildir"),
};

async function measure(
  start: (folder: string) => Promise<Target | undefined>,
  message: (number: number) => Uint8Array,
  count: number,
): Promise<{ raw: number; apparent: number; blocks: number } | undefined> {
  const folder = await Deno.makeTempDir({ prefix: "postern-bench-disk-" });
  try {
    const made = await makeSelfSigned(["localhost", "127.0.0.1"], Date.now());
    await Deno.writeTextFile(`${folder}/certificate.pem`, made.certificate);
    await Deno.writeTextFile(`${folder}/key.pem`, made.privateKey);
    const target = await start(folder);
    if (!target) return undefined;
    const client = await TestClient.connect(target.port);
    await client.ok(`LOGIN user@bench.example "${PASSWORD}"`);
    let raw = 0;
    for (let at = 0; at < count; at += BATCH) {
      const messages = Array.from({ length: BATCH }, (_, i) => message(at + i));
      raw += messages.reduce((sum, { length }) => sum + length, 0);
      await client.ok([
        "APPEND INBOX",
        ...messages.flatMap((bytes) => [" ", literal(bytes, { nonSync: true })]),
      ]);
    }
    // What a client asks for at first fills Dovecot's cache and Postern's index for search.
    await client.ok("SELECT INBOX");
    await client.ok("FETCH 1:* (FLAGS UID RFC822.SIZE ENVELOPE BODYSTRUCTURE)");
    await client.ok("SEARCH TEXT zyzzogeton");
    await client.logout();
    // The index waits until no more mail comes.
    await delay(INDEX_DELAY_MS);
    await settle(target, 60_000);
    await target.stop();
    const names = ["mail", "data"].map((name) => `${folder}/${name}`);
    return {
      raw,
      apparent: await usage(names, "--apparent-size"),
      blocks: await usage(names),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Octets of those of the folders that are there. */
async function usage(folders: readonly string[], ...options: string[]): Promise<number> {
  const { stdout } = await new Deno.Command("du", {
    args: ["-s", "-B1", ...options, ...folders],
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout).split("\n")
    .reduce((sum, line) => sum + (Number.parseInt(line) || 0), 0);
}

if (import.meta.main) {
  const count = Number(Deno.args[0] ?? 5000);
  for (const [kind, message] of Object.entries(KINDS)) {
    say(`${count} messages: ${kind}`);
    for (const [name, start] of Object.entries(STORES)) {
      const found = await measure(start, message, count);
      if (!found) {
        say(`  ${name}: not installed, or this is not root`);
        continue;
      }
      const ratio = (octets: number) => (octets / found.raw).toFixed(2);
      say(
        `  ${name}: ${ratio(found.apparent)} octets for each octet of mail, ` +
          `${ratio(found.blocks)} in blocks of the disk`,
      );
    }
  }
}

function say(line: string): void {
  // deno-lint-ignore no-console -- a program for the terminal
  console.log(line);
}
