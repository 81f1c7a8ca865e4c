/** Exit codes that scripts rely on (spec: commands). */
export const ExitCode = {
  done: 0,
  failed: 1,
  /** Wrong usage or configuration. */
  usage: 2,
  /** Try again later: sysexits.h EX_TEMPFAIL, as pipe transports of mail servers know it. */
  tryAgain: 75,
} as const;

/** Ends the command with one line on stderr that says why and what to do. */
export class Failure extends Error {
  override readonly name = "Failure";

  constructor(message: string, readonly exitCode: number = ExitCode.failed) {
    super(message);
  }
}

/** The same for wrong arguments. */
export class UsageError extends Failure {
  constructor(message: string) {
    super(message, ExitCode.usage);
  }
}
