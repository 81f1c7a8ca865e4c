import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { connect } from "node:tls";
import { literal, type TestClient } from "../support/client.ts";
import { PASSWORD, type TestServer, USER, withServer } from "../support/server.ts";

/** Longest run of a foreign program before it is killed and the test fails. */
const TIMEOUT_MS = 30_000;

/** What a test with a foreign program works with. */
export interface Bench {
  readonly server: TestServer;
  /** An empty folder: home of the program, removed afterwards. */
  readonly folder: string;
  /** Another connection, logged in, which watches what the program does. */
  readonly observer: TestClient;
}

/** A test that needs programs which may be missing; it is skipped then, and says which is. */
export function programTest(
  name: string,
  programs: readonly string[],
  body: (bench: Bench) => Promise<void>,
): void {
  const missing = programs.filter((program) => !isInstalled(program));
  if (missing.length > 0) {
    // deno-lint-ignore no-console -- the reason for a skipped test belongs in the test's output
    console.log(`skipped, ${missing.join(", ")} not installed: ${name}`);
  }
  Deno.test({
    name,
    ignore: missing.length > 0,
    fn: () =>
      withServer(async (server) => {
        const folder = await Deno.makeTempDir({ prefix: "postern-interop-" });
        try {
          const observer = await server.connect({ tls: true });
          await observer.ok(`LOGIN ${USER} "${PASSWORD}"`);
          await body({ server, folder, observer });
        } finally {
          await Deno.remove(folder, { recursive: true });
        }
      }, { allowPlaintext: false }),
  });
}

/** Whether a program is in the path. */
export function isInstalled(program: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((folder) => {
    try {
      return Deno.statSync(`${folder}/${program}`).isFile;
    } catch {
      return false;
    }
  });
}

export interface Output {
  readonly code: number;
  /** One character for each octet. */
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, at home in `folder`. */
export async function run(
  folder: string,
  program: string,
  args: readonly string[],
  stdin: string | Uint8Array = "",
): Promise<Output> {
  const child = new Deno.Command(program, {
    args: [...args],
    cwd: folder,
    env: { HOME: folder, LC_ALL: "C.UTF-8", TERM: "xterm" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
  const writer = child.stdin.getWriter();
  // A program that reads no input may be gone before it is written.
  await writer.write(typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin)
    .catch(() => undefined);
  await writer.close().catch(() => undefined);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** As `run`; the program must succeed. */
export async function runOk(...args: Parameters<typeof run>): Promise<Output> {
  const output = await run(...args);
  assert.equal(output.code, 0, `${args[1]} failed:\n${output.stdout}\n${output.stderr}`);
  return output;
}

/** Writes the server's certificate to a file in `folder` and gives its name. */
export async function certificateFile({ server, folder }: Bench): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port: server.tlsPort, rejectUnauthorized: false });
  await new Promise((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.once("error", reject);
  });
  const base64 = Buffer.from(socket.getPeerCertificate().raw).toString("base64");
  socket.destroy();
  const path = `${folder}/certificate.pem`;
  const lines = base64.match(/.{1,64}/g) ?? [];
  await Deno.writeTextFile(
    path,
    `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`,
  );
  return path;
}

/** A message in wire form that no other message equals, of a length of its own. */
export function uniqueMessage(number: number, subject = `Message ${number}`): string {
  const line = `Line of message ${number}, .from the body; Grüße.\r\n`;
  return `Message-ID: <${number}@interop.example>\r\nDate: Mon, 7 Feb 1994 21:52:25 -0800\r\n` +
    `From: Someone <someone@example.org>\r\nTo: user@example.org\r\nSubject: ${subject}\r\n` +
    `MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n` +
    `Content-Transfer-Encoding: 8bit\r\n\r\n${line.repeat(1 + number % 40)}`;
}

/** Appends the messages of these numbers, in one MULTIAPPEND. */
export async function appendUnique(
  client: TestClient,
  mailbox: string,
  numbers: readonly number[],
): Promise<void> {
  await client.ok([
    `APPEND ${mailbox}`,
    ...numbers.flatMap((number) => [" ", literal(uniqueMessage(number), { nonSync: true })]),
  ]);
}

/** The messages of a mailbox as the observer reads them: flags and digest of each. */
export async function readMailbox(
  client: TestClient,
  mailbox: string,
): Promise<{ flags: string; digest: string; raw: string }[]> {
  const { untagged } = await client.ok(`EXAMINE ${mailbox}`);
  if (untagged.includes("0 EXISTS")) return [];
  const result = await client.ok("FETCH 1:* (UID FLAGS BODY.PEEK[])");
  return result.untagged.filter((line) => / FETCH \(/.test(line)).map((line) => {
    const match = /^\d+ FETCH \(UID \d+ FLAGS \(([^)]*)\) BODY\[\] \{(\d+)\}\r\n/.exec(line);
    assert.ok(match, `unexpected: ${line.slice(0, 100)}`);
    const raw = line.slice(match[0].length, match[0].length + Number(match[2]));
    const flags = (match[1] ?? "").split(" ").filter((flag) => flag !== "\\Recent" && flag !== "");
    return { flags: flags.sort().join(" "), digest: digestOf(raw), raw };
  });
}

/** Digest of text with one character for each octet. */
export function digestOf(octets: string): string {
  return createHash("sha256").update(octets, "latin1").digest("hex").slice(0, 16);
}

/** UTF-8 of a text, one character for each octet. */
export function octetsOf(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
