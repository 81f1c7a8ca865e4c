import { join } from "node:path";
import { type AccountId, type Bytes, logger, randomHex } from "../../base/mod.ts";
import { type AccountStore, StoreError } from "../../store/mod.ts";
import {
  importFolder,
  importMbox,
  mailboxOfMbox,
  type MailboxResult,
  TransferError,
  TransferStopped,
  unpackZip,
} from "../../transfer/mod.ts";
import {
  MAX_FORM_BYTES,
  MAX_IMPORTS,
  MAX_UNPACKED_RATIO,
  MAX_UPLOAD_BYTES,
  MIN_FREE_BYTES,
  ROOM_INTERVAL_MS,
} from "../limits.ts";
import { MultipartError, readUpload } from "../multipart.ts";
import type { SiteServices } from "../services.ts";

const log = logger("web");

/** How far an import is, or how it ended. */
export interface ImportState {
  readonly phase: "receiving" | "unpacking" | "importing" | "done" | "failed" | "aborted";
  /** The file as the browser called it; "" while that is not known. */
  readonly fileName: string;
  /** What is being imported, "" while nothing is. */
  readonly mailbox: string;
  /** How far this phase or mailbox is: `done` of `total`, 0 of 0 while that is not known. */
  readonly done: number;
  readonly total: number;
  /** Mailboxes that have come over. */
  readonly finished: readonly string[];
  readonly results: readonly MailboxResult[];
  /** Why it failed. */
  readonly problem: string;
}

const BEGINNING: ImportState = {
  phase: "receiving",
  fileName: "",
  mailbox: "",
  done: 0,
  total: 0,
  finished: [],
  results: [],
  problem: "",
};

/** Whether nothing more will happen to it. */
export function isOver({ phase }: ImportState): boolean {
  return phase === "done" || phase === "failed" || phase === "aborted";
}

/** Why no import was begun, in words, with the status of the answer. */
export class ImportRefusal extends Error {
  override readonly name = "ImportRefusal";

  constructor(readonly status: 409 | 413 | 422 | 503, message: string) {
    super(message);
  }
}

interface Running {
  state: ImportState;
  readonly stop: AbortController;
  work: Promise<void>;
}

type Services = Pick<SiteServices, "host" | "store" | "uploads">;

/** Imports of mail that browsers sent: one at a time for each account, a few for the host. */
export class Imports {
  readonly #services: Services;
  readonly #maxBytes: number;
  readonly #imports = new Map<AccountId, Running>();
  #isClosed = false;

  private constructor(services: Services) {
    this.#services = services;
    this.#maxBytes = services.uploads.maxBytes ?? MAX_UPLOAD_BYTES;
  }

  /** Removes what a server that was killed left behind. */
  static async open(services: Services): Promise<Imports> {
    await remove(services.uploads.folder);
    return new Imports(services);
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** The account's import that goes on, or the last one, until `forget`. */
  stateOf(account: AccountId): ImportState | undefined {
    return this.#imports.get(account)?.state;
  }

  /** Ends the account's import; the mailbox under way is left as it was. */
  async abort(account: AccountId): Promise<void> {
    const running = this.#imports.get(account);
    running?.stop.abort();
    await running?.work;
  }

  /** Forgets how an import ended. */
  forget(account: AccountId): void {
    const running = this.#imports.get(account);
    if (running && isOver(running.state)) this.#imports.delete(account);
  }

  /** Ends all imports. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const running = [...this.#imports.values()];
    for (const { stop } of running) stop.abort(new TransferStopped());
    await Promise.all(running.map(({ work }) => work));
  }

  /**
   * Takes the file of a form, and begins to import it: resolves when all of it was sent. Rejects
   * with ImportRefusal.
   */
  async receive(account: AccountId, request: Request): Promise<void> {
    const length = Number(request.headers.get("content-length") ?? 0);
    // The form has a little more in it than its file.
    if (length > this.#maxBytes + MAX_FORM_BYTES) throw this.#tooLarge();
    const others = [...this.#imports].filter(([, { state }]) => !isOver(state));
    if (others.some(([id]) => id === account)) {
      throw new ImportRefusal(409, "An import goes on already.");
    }
    if (this.#isClosed) throw new ImportRefusal(503, "The server is stopping: try again soon.");
    if (others.length >= MAX_IMPORTS) {
      throw new ImportRefusal(503, "Others import mail at present: try again in a while.");
    }
    const stop = new AbortController();
    const received = Promise.withResolvers<void>();
    const running: Running = { state: BEGINNING, stop, work: Promise.resolve() };
    this.#imports.set(account, running);
    running.work = this.#run(account, request, running, received);
    await received.promise;
  }

  /** All of an import. Never rejects; tells `received` how receiving went. */
  async #run(
    account: AccountId,
    request: Request,
    running: Running,
    received: PromiseWithResolvers<void>,
  ): Promise<void> {
    const folder = join(this.#services.uploads.folder, randomHex(8));
    let isReceived = false;
    let end: Partial<ImportState>;
    let refusal: ImportRefusal | undefined;
    const room = setInterval(() => {
      this.#needRoom(0).catch((error) => running.stop.abort(error));
    }, ROOM_INTERVAL_MS);
    try {
      await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
      const mailbox = await this.#save(request, join(folder, "file"), running);
      isReceived = true;
      received.resolve();
      end = { phase: "done", results: await this.#import(account, folder, mailbox, running) };
    } catch (error) {
      refusal = refusalOf(error);
      end = running.stop.signal.aborted && !(error instanceof ImportRefusal)
        ? { phase: "aborted" }
        : { phase: "failed", problem: problemOf(error).replaceAll(`${folder}/`, "") };
    } finally {
      clearInterval(room);
    }
    await remove(folder)
      .catch((error) => log.error("{folder} was not removed: {error}", { folder, error }));
    running.state = { ...running.state, ...end };
    if (isReceived || refusal === undefined) return;
    // Nothing was begun, so who sent it is told at once, and there is nothing to report later.
    if (this.#imports.get(account) === running) this.#imports.delete(account);
    received.reject(refusal);
  }

  /** Writes the file to disk; gives the mailbox that was asked for. */
  async #save(request: Request, path: string, running: Running): Promise<string | undefined> {
    const form = await readUpload(
      request.headers.get("content-type") ?? "",
      // Stopping does not wait for a sender who has stopped, too.
      (request.body ?? ReadableStream.from([])).pipeThrough(new TransformStream(), {
        signal: running.stop.signal,
      }),
    );
    // Some browsers give a path.
    const fileName = (form.fileName ?? "").split(/[/\\]/).at(-1) ?? "";
    if (fileName === "") throw new ImportRefusal(422, "Choose a file to import.");
    running.state = { ...running.state, fileName };
    await this.#needRoom(Number(request.headers.get("content-length") ?? 0));
    using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    let size = 0;
    for await (const piece of form.file) {
      running.stop.signal.throwIfAborted();
      size += piece.length;
      if (size > this.#maxBytes) throw this.#tooLarge();
      for (let done = 0; done < piece.length;) done += await file.write(piece.subarray(done));
    }
    return form.fields.get("mailbox")?.trim() || undefined;
  }

  async #import(
    account: AccountId,
    folder: string,
    mailbox: string | undefined,
    running: Running,
  ): Promise<MailboxResult[]> {
    const file = join(folder, "file");
    const { signal } = running.stop;
    const mail = await this.#services.store.openAccount(account);
    const onProgress = (name: string, done: number, total: number) => {
      signal.throwIfAborted();
      const { mailbox, finished } = running.state;
      running.state = {
        ...running.state,
        phase: "importing",
        mailbox: name,
        done,
        total,
        finished: mailbox === "" || mailbox === name ? finished : [...finished, mailbox],
      };
    };
    if (await isZip(file)) {
      const unpacked = join(folder, "mail");
      await Deno.mkdir(unpacked, { mode: 0o700 });
      const maxBytes = Math.min(
        this.#maxBytes * MAX_UNPACKED_RATIO,
        await this.#freeBytes() - MIN_FREE_BYTES,
      );
      running.state = { ...running.state, phase: "unpacking" };
      await unpackZip(file, unpacked, maxBytes, (done, total) => {
        signal.throwIfAborted();
        running.state = { ...running.state, done, total };
      });
      return await importFolder(mail, unpacked, mailbox, onProgress);
    }
    const name = mailbox ?? mailboxOfMbox(running.state.fileName);
    return await importFile(mail, file, name, onProgress);
  }

  async #needRoom(bytes: number): Promise<void> {
    if (await this.#freeBytes() - bytes >= MIN_FREE_BYTES) return;
    throw new ImportRefusal(503, "There is not enough room on this server for the file.");
  }

  async #freeBytes(): Promise<number> {
    return (await this.#services.host.status()).disk?.freeBytes ?? Infinity;
  }

  #tooLarge(): ImportRefusal {
    const gib = this.#maxBytes / 1024 ** 3;
    const limit = gib >= 1 ? `${Math.floor(gib)} GiB` : `${this.#maxBytes} octets`;
    return new ImportRefusal(
      413,
      `The file is larger than ${limit}: import it in parts, or ask whoever runs this server.`,
    );
  }
}

async function importFile(
  mail: AccountStore,
  file: string,
  mailbox: string,
  onProgress: Parameters<typeof importMbox>[3],
): Promise<MailboxResult[]> {
  if (!await beginsWith(file, "From ")) {
    throw new TransferError("this is neither a zip nor a file in mbox format");
  }
  return await importMbox(mail, file, mailbox, onProgress);
}

async function isZip(file: string): Promise<boolean> {
  return await beginsWith(file, "PK\x03\x04") || await beginsWith(file, "PK\x05\x06");
}

async function beginsWith(path: string, text: string): Promise<boolean> {
  using file = await Deno.open(path);
  const bytes: Bytes = new Uint8Array(text.length);
  const count = await file.read(bytes) ?? 0;
  return new TextDecoder("latin1").decode(bytes.subarray(0, count)) === text;
}

async function remove(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

/** What the sender is told when the file did not come through. */
function refusalOf(error: unknown): ImportRefusal {
  if (error instanceof ImportRefusal) return error;
  if (error instanceof MultipartError) return new ImportRefusal(422, error.message);
  return new ImportRefusal(422, "The file did not come through: try again.");
}

function problemOf(error: unknown): string {
  if (error instanceof TransferError) return sentence(error.message);
  if (error instanceof StoreError && error.code !== "corrupt") return error.message;
  if (error instanceof ImportRefusal) return error.message;
  log.error("an import failed: {error}", { error });
  return "This did not work, and it is not your fault. Try again later.";
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}
