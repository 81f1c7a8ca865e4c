/** Kills a server under load, again and again on the same data, and looks what is left each time. */
import assert from "node:assert/strict";
import { runPostern, type ServerProcess, startPostern } from "../app/postern_process.ts";
import { type Random, randomOf } from "./model.ts";
import { RelaySink } from "../delivery/relay_sink.ts";
import { RelayWatch, SENDER, SubmissionWorker } from "./submission_worker.ts";
import { ImapWorker, InboxWatch, LmtpWorker, logIn, PASSWORD, type Server } from "./workers.ts";

const ADDRESSES = ["ann@example.org", "bob@example.org"] as const;
/** Gets what users send, and nothing else. */
const CAROL = "carol@example.org";

/** Longest load before the kill. */
const MAX_LOAD_MS = 900;

export interface RoundReport {
  /** Commands and deliveries acknowledged so far. */
  readonly acknowledged: number;
  readonly loadMs: number;
  /** From the start of the process until it was ready. */
  readonly restartMs: number;
  /** Messages that the relay got so far, and how many of them more than once. */
  readonly relayed: number;
  readonly twice: number;
  /** What the queue said, each time that an attempt to relay had failed. */
  readonly putOff: readonly string[];
}

/** Rounds on one data directory. */
export class KillRounds {
  readonly #folder: string;
  readonly #config: string;
  readonly #random: Random;
  readonly #imap: readonly ImapWorker[];
  readonly #lmtp: readonly LmtpWorker[];
  readonly #inboxes = new Map(ADDRESSES.map((address) => [address, new InboxWatch(address)]));
  readonly #submission: readonly SubmissionWorker[];
  readonly #carol = new InboxWatch(CAROL);
  readonly #relay: RelayWatch;
  readonly #sink: RelaySink;
  #process: ServerProcess | undefined;

  private constructor(folder: string, seed: number, sink: RelaySink) {
    this.#folder = folder;
    this.#config = `${folder}/postern.toml`;
    this.#random = randomOf(seed);
    // Two connections share each account, and so each commit.
    this.#imap = ["w1", "w2", "w3", "w4"].map((name, i) =>
      new ImapWorker(name, ADDRESSES[i % 2] ?? "", randomOf(seed + i + 1))
    );
    this.#lmtp = ["l1", "l2"].map((name) => new LmtpWorker(name, ADDRESSES));
    this.#submission = ["s1", "s2"].map((name) => new SubmissionWorker(name, CAROL));
    this.#sink = sink;
    this.#relay = new RelayWatch(sink, randomOf(seed + 9));
  }

  static async open(seed: number): Promise<KillRounds> {
    const folder = await Deno.makeTempDir({ prefix: "postern-kill-" });
    const sink = await RelaySink.open();
    const { host, port, caCertificates = "" } = sink.options;
    await Deno.writeTextFile(`${folder}/relay.pem`, caCertificates);
    await Deno.writeTextFile(`${folder}/relay.password`, "relay-password\n");
    await Deno.writeTextFile(
      `${folder}/postern.toml`,
      `hostname = "mail.example.org"
data_dir = "data"
[auth]
allow_plaintext = true
[[listener]]
kind = "imap"
address = "127.0.0.1:0"
[[listener]]
kind = "lmtp"
address = "127.0.0.1:0"
[[listener]]
kind = "submission"
address = "127.0.0.1:0"
[limits]
messages_per_minute = 0
[relay]
host = "${host}"
port = ${port}
ca_file = "relay.pem"
username = "mailer"
password_file = "relay.password"
`,
    );
    const rounds = new KillRounds(folder, seed, sink);
    try {
      await rounds.#command("domain", "add", "example.org");
      for (const address of [...ADDRESSES, CAROL, SENDER]) await rounds.#addAccount(address);
      const server = await rounds.#start();
      for (const worker of rounds.#imap) await worker.prepare(server);
    } catch (error) {
      await rounds.close();
      throw error;
    }
    return rounds;
  }

  /** Load, kill, start, look. Throws when anything is not as it must be. */
  async round(): Promise<RoundReport> {
    const server = this.#server();
    const workers = this.#workers.map((worker) => worker.run(server));
    const loadMs = 50 + this.#random() * MAX_LOAD_MS;
    await Promise.race([Promise.all(workers), delay(loadMs)]);
    server.isKilled = true;
    await this.#kill();
    await Promise.all(workers);
    // Now and then it is killed again while it starts.
    if (this.#random() < 0.2) await this.#killAtStart();
    await this.#start();
    await this.#verify();
    return {
      acknowledged: this.#workers.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
      loadMs,
      restartMs: this.#process?.msUntilReady ?? 0,
      relayed: this.#relay.count,
      twice: this.#relay.twice,
      putOff: this.#relay.putOff.splice(0),
    };
  }

  get #workers(): (ImapWorker | LmtpWorker | SubmissionWorker)[] {
    return [...this.#imap, ...this.#lmtp, ...this.#submission];
  }

  async close(): Promise<void> {
    const ended = await this.#process?.stop("SIGTERM");
    await this.#sink[Symbol.asyncDispose]();
    if (ended) assert.equal(ended.code, 0, ended.stderr);
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #verify(): Promise<void> {
    const server = this.#server();
    for (const address of ADDRESSES) {
      const client = await logIn(server, address);
      for (const worker of this.#imap) {
        if (worker.address === address) await worker.verify(client);
      }
      await this.#inboxes.get(address)?.verify(client, this.#lmtp);
      await client.logout();
    }
    const client = await logIn(server, CAROL);
    await this.#carol.verify(client, this.#submission);
    await client.logout();
    await this.#relay.verify(this.#submission, (what) => this.#command("queue", what));
    // Beside the running server, as an admin does.
    assert.equal(await this.#command("check"), "every invariant holds\n");
  }

  #server(): Server {
    const port = (kind: string) => Number(this.#process?.address(kind).split(":").at(-1));
    return {
      imapPort: port("imap"),
      lmtpPort: port("lmtp"),
      submissionPort: port("submission"),
      isKilled: false,
    };
  }

  async #start(): Promise<Server> {
    this.#process = await startPostern(["--config", this.#config, "serve"]);
    return this.#server();
  }

  async #kill(): Promise<void> {
    await this.#process?.stop("SIGKILL");
    this.#process = undefined;
  }

  async #killAtStart(): Promise<void> {
    const process = await startPostern(["--config", this.#config, "serve"]);
    await process.stop("SIGKILL");
  }

  async #addAccount(address: string): Promise<void> {
    const { code, stderr } = await runPostern(
      ["--config", this.#config, "account", "add", address, "--stdin"],
      { stdin: `${PASSWORD}\n` },
    );
    assert.equal(code, 0, stderr);
  }

  async #command(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await runPostern(["--config", this.#config, ...args]);
    assert.equal(code, 0, `${args.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
