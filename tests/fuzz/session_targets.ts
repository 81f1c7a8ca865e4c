import assert from "node:assert/strict";
import { encodeLatin1 } from "../../src/base/mod.ts";
import { createRegistry, ImapError, type Session } from "../../src/imap/mod.ts";
import { serveConnection } from "../../src/session/mod.ts";
import { Modes } from "../../src/session/modes.ts";
import { readHeading } from "../../src/session/literals.ts";
import { StoreError } from "../../src/store/mod.ts";
import { Framer, WireError } from "../../src/wire/mod.ts";
import { literal } from "../support/client.ts";
import { memoryTransportPair } from "../support/memory_transport.ts";
import { NESTED, simpleMessage } from "../support/messages.ts";
import { PASSWORD, TestServer, USER } from "../support/server.ts";
import { COMMAND_BYTES, COMMAND_TOKENS } from "./commands.ts";
import { collect, CONVERSATION_MS } from "./conversation.ts";
import type { FaultLog } from "./fault_log.ts";
import { mutate, type Random } from "./mutate.ts";
import { allows, type Target } from "./target.ts";

const registry = createRegistry();
const ENABLES = [...registry.enables.keys()];

/** The arguments of every command, SEARCH programs and FETCH items among them, without running. */
const parsing: Target = {
  name: "commands",
  corpus: COMMAND_BYTES,
  tokens: COMMAND_TOKENS,
  maxMs: 500,
  run(input, random) {
    const modes = new Modes(registry);
    for (const name of ENABLES) if (random.below(4) === 0) modes.enable(name);
    const session = {
      registry,
      modes,
      limits: { maxMessageBytes: 1_000_000 },
      now: () => 0,
      facts: { isTls: true, mechanisms: [] },
    } as unknown as Session;
    const framer = new Framer();
    framer.push(input.slice());
    for (let event; (event = framer.next());) {
      if (event.kind === "literal") {
        if (event.literal.size > 1_000_000) framer.skipLiteral();
        else framer.holdLiteral();
        continue;
      }
      const { frame } = event;
      const isRefusal = (error: unknown) =>
        error instanceof WireError || error instanceof ImapError || error instanceof StoreError;
      allows(isRefusal, () => {
        const { spec, reader } = readHeading(frame, registry, modes.nameMode);
        spec?.parse(reader, session);
      });
    }
  },
};

/** Whole sessions over transports in memory, on a store that goes from one to the next. */
class SessionTarget implements Target {
  readonly name = "sessions";
  readonly corpus = COMMAND_BYTES;
  readonly tokens = COMMAND_TOKENS;
  readonly maxMs = CONVERSATION_MS;
  readonly #server: TestServer;
  readonly #faults: FaultLog;
  #cases = 0;

  private constructor(server: TestServer, faults: FaultLog) {
    this.#server = server;
    this.#faults = faults;
  }

  static async open(faults: FaultLog): Promise<SessionTarget> {
    const server = await TestServer.start({ limits: { maxMessageBytes: 100_000 } });
    const target = new SessionTarget(server, faults);
    await target.#fill();
    return target;
  }

  /** Puts mail where the commands of the corpus look for it. */
  async #fill(): Promise<void> {
    const helper = await this.#server.login();
    for (const name of ["Box", "Other"]) {
      if ((await helper.ok(`LIST "" ${name}`)).untagged.length === 0) {
        await helper.ok(`CREATE ${name}`);
      }
    }
    for (const name of ["INBOX", "Box"]) {
      for (const text of [NESTED, simpleMessage("one"), "\0\xff no mail\n"]) {
        await helper.ok([`APPEND ${name} `, literal(encodeLatin1(text), { binary: true })]);
      }
    }
    helper.close();
  }

  async run(input: Uint8Array, random: Random): Promise<void> {
    // The store grows, and what is expunged is gone.
    if (++this.#cases % 200 === 0) await this.#fill();
    const { server: transport, client } = memoryTransportPair();
    const started = serveConnection(transport, {
      ...this.#server.services,
      times: { ...this.#server.services.times, inCommandMs: 500, writeMs: 500 },
    });
    const level = random.below(6);
    if (level > 0) client.write(encodeLatin1(`l LOGIN ${USER} "${PASSWORD}"\r\n`));
    if (level > 1 && random.below(2) === 0) {
      client.write(encodeLatin1(`e ENABLE ${random.pick(ENABLES)} ${random.pick(ENABLES)}\r\n`));
    }
    if (level > 2) client.write(encodeLatin1(`s SELECT ${random.pick(["INBOX", "Box"])}\r\n`));
    if (level > 3) client.write(encodeLatin1("i SEARCH RETURN (SAVE) ALL\r\n"));
    client.write(input);
    for (let more = random.below(10); more > 0; more--) {
      client.write(mutate(random, COMMAND_BYTES, COMMAND_TOKENS, 1));
    }
    client.endOutput();
    const output = await collect(client, started);
    checkOutput(output);
    this.#faults.check();
    assert.ok(!output.includes("SERVERBUG"), "an internal error");
  }

  async close(): Promise<void> {
    await this.#server.stop();
  }
}

/** Responses that a client can take apart: lines, with literals in them, each with its prefix. */
function checkOutput(output: string): void {
  let isPlain = true;
  for (let at = 0; at < output.length && isPlain;) {
    const start = at;
    for (;;) {
      const end = output.indexOf("\r\n", at);
      assert.ok(end >= 0, `a line without end: ${JSON.stringify(output.slice(at, at + 200))}`);
      const line = output.slice(at, end);
      assert.doesNotMatch(line, /[\0\r\n]/, `a control character: ${JSON.stringify(line)}`);
      const header = /\{(\d+)\}$/.exec(line);
      at = end + 2;
      if (!header) break;
      at += Number(header[1]);
      assert.ok(at <= output.length, "a literal that is cut short");
    }
    const first = output.slice(start, start + 300);
    assert.match(first, /^(?:\* |\+ |[^\0-\x20\x7f-\xff(){%*"\\+]{1,200} (?:OK|NO|BAD)[ \r])/);
    // What follows is compressed, or a handshake of TLS that this transport does not have.
    isPlain = !/^\S+ OK (Compression begins|Begin TLS)/.test(first);
  }
}

export async function openSessionTargets(faults: FaultLog): Promise<readonly Target[]> {
  return [parsing, await SessionTarget.open(faults)];
}
