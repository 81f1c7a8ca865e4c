import { ConfigError } from "./config/load.ts";
import { ExitCode, Failure } from "./failure.ts";
import { PasswordError } from "../auth/mod.ts";
import { StoreError } from "../store/mod.ts";
import { TransferError } from "../transfer/mod.ts";

/** What a person is told of an error, and the exit code that goes with it. */
export interface ErrorDescription {
  readonly message: string;
  readonly exitCode: number;
}

/**
 * Says in words what an error means and what to do about it. An error that nobody expected is a
 * mistake of this program: then its stack is part of the message.
 */
export function describeError(error: unknown): ErrorDescription {
  if (error instanceof Failure) return error;
  if (error instanceof ConfigError) return { message: error.message, exitCode: ExitCode.usage };
  if (error instanceof PasswordError) {
    return { message: asClause(error.message), exitCode: ExitCode.usage };
  }
  if (error instanceof TransferError) {
    return { message: asClause(error.message), exitCode: ExitCode.failed };
  }
  if (error instanceof StoreError) {
    return { message: asClause(error.message) + storeAdvice(error), exitCode: ExitCode.failed };
  }
  if (error instanceof Deno.errors.NotCapable) {
    // Such as files in /sys and most of /proc, which Deno gives to no program without all permissions.
    const what = error.message.replace(/, run again.*/s, "");
    return { message: `not permitted to this program: ${what}`, exitCode: ExitCode.failed };
  }
  if (isSystemError(error)) {
    return { message: systemProblem(error.message), exitCode: ExitCode.failed };
  }
  const text = error instanceof Error ? error.stack ?? error.message : String(error);
  return { message: `this should not have happened: ${text}`, exitCode: ExitCode.failed };
}

/** Whether the operating system refused something: a file, a socket, the disk. */
export function isSystemError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && /^E[A-Z0-9]+$/.test(String(error.code));
}

/** "/x: no such file or directory", of "No such file or directory (os error 2): stat '/x'". */
function systemProblem(message: string): string {
  const [, problem, path] = /^(.+?) \(os error \d+\): \w+ '(.+)'$/s.exec(message) ?? [];
  return problem && path ? `${path}: ${asClause(problem)}` : message;
}

/** What rooms say in sentences, as what follows a colon. */
function asClause(sentence: string): string {
  return sentence.replace(/^[A-Z](?=[a-z ])/, (first) => first.toLowerCase()).replace(/\.$/, "");
}

function storeAdvice({ code }: StoreError): string {
  switch (code) {
    case "unavailable":
      return "; is the disk full or read-only, or does the data belong to another user?";
    case "corrupt":
      return '; run "postern check"';
    case "newer-schema":
      return "; run the newer version again";
    default:
      return "";
  }
}
