import { join } from "node:path";
import { writePrivateFile } from "../base/mod.ts";
import type { CertificatePair } from "../net/mod.ts";

/** How it went with a name since its last certificate. */
export interface Failures {
  /** In a row. */
  readonly count: number;
  /** Not to be tried again before, milliseconds since 1970. */
  readonly notBeforeMs: number;
}

/**
 * What is kept of one authority, in a folder of its own, so that changing from its test service to
 * the real one finds nothing of the other's: the account's key, a file with key and chain for each
 * name, and the failures.
 */
export class AcmeState {
  readonly #folder: string;
  #failures: Record<string, Failures> = {};

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Opens what is kept in `folder`, which is made when it is missing. */
  static async open(folder: string): Promise<AcmeState> {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    const state = new AcmeState(folder);
    state.#failures = readFailures(await readIfThere(state.#failuresFile));
    return state;
  }

  async readAccountKey(): Promise<string | undefined> {
    return await readIfThere(this.#accountFile);
  }

  async writeAccountKey(pem: string): Promise<void> {
    await writePrivateFile(this.#accountFile, pem);
  }

  /** Undefined when there is none, or none that was written whole. */
  async readPair(name: string): Promise<CertificatePair | undefined> {
    const text = await readIfThere(this.#pairFile(name));
    const [, privateKey, certificate] =
      /^(-+BEGIN [A-Z ]*PRIVATE KEY-+.*?-+END [A-Z ]*PRIVATE KEY-+\n)(.*)$/s.exec(text ?? "") ?? [];
    return privateKey && certificate ? { privateKey, certificate } : undefined;
  }

  /** Key and chain are one file, so that they always belong together. */
  async writePair(name: string, { privateKey, certificate }: CertificatePair): Promise<void> {
    await writePrivateFile(this.#pairFile(name), `${privateKey.trimEnd()}\n${certificate}`);
  }

  failuresOf(name: string): Failures | undefined {
    return this.#failures[name];
  }

  async setFailures(name: string, failures: Failures | undefined): Promise<void> {
    const { [name]: _, ...others } = this.#failures;
    this.#failures = failures === undefined ? others : { ...others, [name]: failures };
    await writePrivateFile(this.#failuresFile, JSON.stringify(this.#failures));
  }

  get #accountFile(): string {
    return join(this.#folder, "account.key.pem");
  }

  get #failuresFile(): string {
    return join(this.#folder, "failures.json");
  }

  #pairFile(name: string): string {
    return join(this.#folder, `${name}.pem`);
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Entries that are not as they should be count for nothing: the worst is one attempt too early. */
function readFailures(text: string | undefined): Record<string, Failures> {
  let data: unknown;
  try {
    data = JSON.parse(text ?? "{}");
  } catch {
    return {};
  }
  const isFailures = (value: unknown): value is Failures =>
    typeof value === "object" && value !== null &&
    "count" in value && Number.isSafeInteger(value.count) &&
    "notBeforeMs" in value && Number.isFinite(value.notBeforeMs);
  return Object.fromEntries(
    Object.entries(data ?? {}).filter((entry): entry is [string, Failures] => isFailures(entry[1])),
  );
}
