import { type Config } from "../config/config.ts";
import { Failure } from "../failure.ts";
import { JsonLines } from "./json_lines.ts";
import { MAX_ANSWER_BYTES } from "./limits.ts";
import {
  type Answer,
  controlSocketPath,
  PROTOCOL_VERSION,
  type Request,
  type RequestOf,
  type Results,
  type TraceMessage,
} from "./protocol.ts";

/** A command's line to the running server. */
export class ControlClient {
  readonly #lines: JsonLines;
  readonly #answers: AsyncGenerator<unknown>;

  constructor(connection: Deno.Conn) {
    this.#lines = new JsonLines(connection, MAX_ANSWER_BYTES);
    this.#answers = this.#lines.read();
  }

  /** Throws Failure with what the server says, or when it is gone. */
  async ask<Name extends Request["command"]>(request: RequestOf<Name>): Promise<Results[Name]> {
    const answer = await this.#next(request);
    if (answer === undefined) throw new Failure("the server ended before it answered");
    if (!answer.ok) throw new Failure(answer.error);
    return answer.result as Results[Name];
  }

  /** What the account says and hears from now on, until the server ends or `close` is called. */
  async *trace(account: number): AsyncGenerator<TraceMessage> {
    await this.ask<"trace">({ command: "trace", account });
    try {
      for await (const message of this.#answers) yield message as TraceMessage;
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  close(): void {
    this.#lines.close();
  }

  async #next(request: Request): Promise<Answer | undefined> {
    try {
      await this.#lines.write({ protocol: PROTOCOL_VERSION, ...request });
      const { value } = await this.#answers.next();
      return value as Answer | undefined;
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }
}

/** The server that runs on the configured data; undefined when none does. Throws Failure. */
export async function connectControl({ dataDir }: Config): Promise<ControlClient | undefined> {
  const path = controlSocketPath(dataDir);
  try {
    return new ControlClient(await Deno.connect({ transport: "unix", path }));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof Deno.errors.ConnectionRefused) return undefined;
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new Failure(`no permission for ${path}: run this as the user that the server runs as`);
    }
    if (error instanceof TypeError) {
      throw new Failure(`${path} is too long for a socket: choose a shorter data_dir`);
    }
    throw error;
  }
}

/** The server that runs. Throws Failure when none does. */
export async function requireControl(config: Config): Promise<ControlClient> {
  const client = await connectControl(config);
  if (client) return client;
  throw new Failure(
    `no server runs on ${config.dataDir}, or it cannot be asked: start it with "postern serve"`,
  );
}

function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted;
}
