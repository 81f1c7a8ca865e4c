import type { Modes as ModesContract, Registry } from "../imap/mod.ts";
import type { NameMode } from "../wire/mod.ts";

/** What a client turned on. Starts as plain IMAP4rev1; nothing turns off again (RFC 5161 3.1). */
export class Modes implements ModesContract {
  #enabled = new Set<string>();
  rev2 = false;
  utf8 = false;
  condstore = false;
  qresync = false;
  uidOnly = false;

  constructor(private readonly registry: Registry) {}

  get enabled(): ReadonlySet<string> {
    return this.#enabled;
  }

  get nameMode(): NameMode {
    return this.utf8 || this.rev2 ? "utf8" : "utf7";
  }

  enable(name: string): void {
    if (this.#enabled.has(name)) return;
    this.#enabled.add(name);
    this.rev2 = this.#enabled.has("IMAP4REV2");
    this.utf8 = this.#enabled.has("UTF8=ACCEPT");
    this.condstore = this.#enabled.has("CONDSTORE");
    this.qresync = this.#enabled.has("QRESYNC");
    this.uidOnly = this.#enabled.has("UIDONLY");
    for (const implied of this.registry.enables.get(name)?.implies ?? []) this.enable(implied);
  }
}
