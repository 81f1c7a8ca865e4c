import type { ImapSource } from "../transfer/mod.ts";
import { Failure, UsageError } from "./failure.ts";
import { askSecret, readLine } from "./terminal.ts";

/** Where a password may come from, and what a connection may lack. */
export interface ImapLogin {
  readonly passwordFile?: string;
  readonly stdin?: boolean;
  readonly insecure?: boolean;
}

/** The server that a URL names, with the password. Throws UsageError, which does not show it. */
export async function parseImapUrl(text: string, login: ImapLogin): Promise<ImapSource> {
  const form = "expected imaps://USER@HOST[:PORT]/ or imap://USER@HOST[:PORT]/";
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !["imap:", "imaps:"].includes(url.protocol) || url.hostname === "") {
    throw new UsageError(`${form}, found "${text.replace(/:[^@/]*@/, ":…@")}"`);
  }
  // It would be in the shell's history and in every list of processes.
  if (url.password !== "") throw new UsageError("a password does not belong into the URL");
  if (url.username === "") throw new UsageError(`${form}: the user is missing`);
  const isTls = url.protocol === "imaps:";
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (isTls ? 993 : 143) : Number(url.port),
    isTls,
    isInsecureAllowed: login.insecure ?? false,
    user: decodeURIComponent(url.username),
    password: await readPassword(login, `Password of ${decodeURIComponent(url.username)}`),
  };
}

async function readPassword({ passwordFile, stdin }: ImapLogin, question: string): Promise<string> {
  if (passwordFile !== undefined && stdin) {
    throw new UsageError("--password-file and --stdin exclude each other");
  }
  if (passwordFile !== undefined) {
    const [line = ""] = (await Deno.readTextFile(passwordFile)).split(/\r?\n/);
    if (line === "") throw new Failure(`${passwordFile}: the first line is empty`);
    return line;
  }
  return stdin || !Deno.stdin.isTerminal() ? await readLine("password") : await askSecret(question);
}
