import { logger, VERSION } from "../../base/mod.ts";
import type { Host, LiveConnection } from "../../web/mod.ts";
import { JsonLines } from "./json_lines.ts";
import {
  CLIENT_IDLE_MS,
  DEFAULT_CONNECTIONS,
  MAX_CLIENTS,
  MAX_REQUEST_BYTES,
  WRITE_TIMEOUT_MS,
} from "./limits.ts";
import { listenPrivately } from "./private_socket.ts";
import {
  type Answer,
  controlSocketPath,
  PROTOCOL_VERSION,
  REQUEST,
  type Request,
  type Results,
} from "./protocol.ts";
import { TraceSender, type TraceSource } from "./trace_sender.ts";

const log = logger("app");

/** What the control socket gives access to. */
export interface ControlServices extends TraceSource {
  readonly host: Host;
}

/** The control socket of a data directory; undefined, with a warning, where there cannot be one. */
export async function listenForCommands(
  dataDir: string,
  services: ControlServices,
): Promise<ControlServer | undefined> {
  const path = controlSocketPath(dataDir);
  try {
    return await ControlServer.open(path, services);
  } catch (error) {
    // Windows, or a path too long for a socket.
    log.warn('"postern status", "top" and "trace" cannot ask this server ({path}): {error}', {
      path,
      error,
    });
    return undefined;
  }
}

/** Answers commands on the same machine, of the same user, about a running server. */
export class ControlServer {
  readonly #path: string;
  readonly #services: ControlServices;
  readonly #listener: Deno.Listener<Deno.UnixConn>;
  readonly #clients = new Map<Deno.Conn, Promise<void>>();
  readonly #accepting: Promise<void>;

  private constructor(
    path: string,
    services: ControlServices,
    listener: Deno.Listener<Deno.UnixConn>,
  ) {
    this.#path = path;
    this.#services = services;
    this.#listener = listener;
    this.#accepting = this.#accept();
  }

  /**
   * Listens at `path`, mode 0600. Who calls this is the only server on its folder: what is there is
   * replaced.
   */
  static async open(path: string, services: ControlServices): Promise<ControlServer> {
    return new ControlServer(path, services, await listenPrivately(path));
  }

  /** Ends all clients and removes the socket. */
  async close(): Promise<void> {
    this.#listener.close();
    await Deno.remove(this.#path).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
    await this.#accepting;
    for (const client of this.#clients.keys()) close(client);
    await Promise.allSettled(this.#clients.values());
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      const served = this.#serve(connection)
        .catch((error) => log.debug("a control client failed: {error}", { error }))
        .finally(() => {
          close(connection);
          this.#clients.delete(connection);
        });
      this.#clients.set(connection, served);
    }
  }

  async #serve(connection: Deno.Conn): Promise<void> {
    const lines = new JsonLines(connection, MAX_REQUEST_BYTES);
    if (this.#clients.size >= MAX_CLIENTS) {
      return await lines.write(refusal("too many commands ask the server at once; end some"));
    }
    let timer = setTimeout(close, CLIENT_IDLE_MS, connection);
    const within = async (ms: number, work: Promise<void>) => {
      clearTimeout(timer);
      timer = setTimeout(close, ms, connection);
      await work;
    };
    try {
      for await (const value of lines.read()) {
        const request = parseRequest(value);
        if (typeof request === "string") return await lines.write(refusal(request));
        if (request.command === "trace") {
          clearTimeout(timer);
          await lines.write({ ok: true, result: {} } satisfies Answer);
          // Nothing more is asked: the client's end is what ends it.
          return await new TraceSender(lines, this.#services).run(request.account);
        }
        await within(WRITE_TIMEOUT_MS, lines.write(await this.#answer(request)));
        await within(CLIENT_IDLE_MS, Promise.resolve());
      }
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      await lines.write(refusal(`expected lines of JSON: ${error.message}`));
    } finally {
      clearTimeout(timer);
    }
  }

  async #answer(request: Exclude<Request, { command: "trace" }>): Promise<Answer> {
    try {
      return { ok: true, result: await this.#resultOf(request) };
    } catch (error) {
      log.error("the control command {command} failed: {error}", {
        command: request.command,
        error,
      });
      return refusal(error instanceof Error ? error.message : String(error));
    }
  }

  async #resultOf(
    request: Exclude<Request, { command: "trace" }>,
  ): Promise<Results[keyof Results]> {
    const { host } = this.#services;
    switch (request.command) {
      case "status":
        return { status: await host.status(), findings: await host.findings() };
      case "connections":
        return summarize(host.connections(), request.limit ?? DEFAULT_CONNECTIONS);
      case "end":
        return { isEnded: host.endConnection(request.connection) };
      case "setLogLevel":
        await host.setLogLevel(request.level ?? undefined, request.room);
        log.info("log level was set: {room} {level}", {
          room: request.room ?? "all",
          level: request.level ?? "as before",
        });
        return levelsOf(host);
      case "logLevels":
        return levelsOf(host);
    }
  }
}

function levelsOf(host: Host): Results["logLevels"] {
  const { level, rooms } = host.logLevels();
  return { level, rooms: Object.fromEntries(rooms) };
}

/** The liveliest connections, and numbers of all. */
function summarize(all: readonly LiveConnection[], limit: number): Results["connections"] {
  const rank = ({ activity }: LiveConnection) => activity === "" ? 2 : activity === "IDLE" ? 1 : 0;
  const sum = (count: (connection: LiveConnection) => number) =>
    all.reduce((total, connection) => total + count(connection), 0);
  return {
    connections: all.toSorted((a, b) => rank(a) - rank(b) || b.id - a.id).slice(0, limit),
    total: all.length,
    loggedIn: sum(({ account }) => account ? 1 : 0),
    idle: sum((connection) => rank(connection) === 1 ? 1 : 0),
    running: sum((connection) => rank(connection) === 0 ? 1 : 0),
    bytesIn: sum(({ bytesIn }) => bytesIn),
    bytesOut: sum(({ bytesOut }) => bytesOut),
  };
}

/** The request, or why it is none. */
function parseRequest(value: unknown): Request | string {
  const { protocol, ...rest } = typeof value === "object" && value !== null
    ? value as Record<string, unknown>
    : {};
  if (protocol !== PROTOCOL_VERSION) {
    return `the running server is postern ${VERSION}: use the command of the same version, or ` +
      "restart the server";
  }
  const parsed = REQUEST.safeParse(rest);
  return parsed.success ? parsed.data : "expected a command that this server knows";
}

function refusal(error: string): Answer {
  return { ok: false, error };
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // Closed already.
  }
}
