import { makeVerifier, type NewcomerPolicy } from "../auth/mod.ts";
import { type Clock, logger, metrics, randomBytes } from "../base/mod.ts";
import { type Account, type Directory, StoreError } from "../store/mod.ts";
import { RESOURCES_FRESH_MS } from "./limits.ts";
import type { InviteList } from "./invite_list.ts";

export interface RegistrationRules {
  /** In lower case. */
  readonly domain: string;
  /** "open": by logging in; "invite": by a token, over the web; "closed": by the admin alone. */
  readonly registration: "open" | "invite" | "closed";
  /** Characters. */
  readonly usernameMinLength: number;
  readonly usernameMaxLength: number;
  readonly passwordMinLength: number;
  /** With less than this no new accounts are made. */
  readonly minAvailableMemoryBytes: number;
  readonly minFreeDiskBytes: number;
}

/** What is free on the machine, in octets. */
export interface Resources {
  availableMemoryBytes(): number;
  freeDiskBytes(): number;
}

/** A name and password that nobody has. */
export interface Credentials {
  readonly email: string;
  readonly password: string;
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
/** Letters, digits and punctuation: printable ASCII without the space. */
const PASSWORD_CHARACTERS = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i))
  .join("");
const PASSWORD_LENGTH = 12;

const log = logger("chatmail");

/** Who may have an account of the domain. Refusals hold for newcomers alone. */
export class Registration implements NewcomerPolicy {
  readonly #rules: RegistrationRules;
  readonly #directory: Directory;
  readonly #resources: Resources;
  readonly #invites: InviteList | undefined;
  readonly #clock: Clock;
  #look: { readonly until: number; readonly shortOf: string | undefined } | undefined;

  constructor(
    rules: RegistrationRules,
    services: {
      readonly directory: Directory;
      readonly resources: Resources;
      readonly invites: InviteList | undefined;
      readonly clock: Clock;
    },
  ) {
    this.#rules = rules;
    this.#directory = services.directory;
    this.#resources = services.resources;
    this.#invites = services.invites;
    this.#clock = services.clock;
  }

  get rules(): RegistrationRules {
    return this.#rules;
  }

  async mayJoin(address: string, password: string): Promise<"yes" | "no" | "later"> {
    const local = this.#localPart(address);
    if (local === undefined) return "no";
    const { usernameMinLength, usernameMaxLength, passwordMinLength, registration } = this.#rules;
    if (registration !== "open") return this.#refuse("closed", "no");
    const isName = /^[a-z0-9._-]+$/.test(local) && local.length >= usernameMinLength &&
      local.length <= usernameMaxLength;
    if (!isName) return this.#refuse("username", "no");
    if ([...password].length < passwordMinLength) return this.#refuse("password", "no");
    const shortOf = this.#shortOf();
    return shortOf === undefined ? "yes" : this.#refuse(shortOf, "later");
  }

  joined({ id }: Account): void {
    metrics.add("postern_chatmail_accounts_created_total");
    log.info("account {id} was made", { id });
  }

  /**
   * A name and password for somebody who asks: free to be used at the first login or, by
   * invitation, an account already. Undefined when the token is not right, or when there are no
   * new accounts; "later": not now.
   */
  async offer(token: string | undefined): Promise<Credentials | "later" | undefined> {
    const { registration } = this.#rules;
    if (registration === "closed") return this.#refuse("closed", undefined);
    const isInvited = registration === "open" ||
      (token !== undefined && await this.#invites?.has(token));
    if (!isInvited) return this.#refuse("token", undefined);
    const shortOf = this.#shortOf();
    if (shortOf !== undefined) return this.#refuse(shortOf, "later");
    for (;;) {
      const credentials = this.#invent();
      if (registration === "open") return credentials;
      try {
        const verifier = await makeVerifier(credentials.password);
        this.joined(await this.#directory.addAccount(credentials.email, verifier));
        return credentials;
      } catch (error) {
        // Somebody has that name: there are others.
        if (!(error instanceof StoreError && error.code === "already-exists")) throw error;
      }
    }
  }

  #invent(): Credentials {
    const { domain, usernameMinLength, usernameMaxLength, passwordMinLength } = this.#rules;
    const length = Math.min(Math.max(9, usernameMinLength), usernameMaxLength);
    return {
      email: `${pick(LETTERS, length)}@${domain}`,
      password: pick(PASSWORD_CHARACTERS, Math.max(PASSWORD_LENGTH, passwordMinLength)),
    };
  }

  /** What stands before the @ when the address is of the domain. */
  #localPart(address: string): string | undefined {
    const at = address.lastIndexOf("@");
    return address.slice(at + 1).toLowerCase() === this.#rules.domain
      ? address.slice(0, at)
      : undefined;
  }

  /** What there is too little of for more accounts. */
  #shortOf(): string | undefined {
    const now = this.#clock.now();
    if (this.#look === undefined || this.#look.until <= now) {
      const { minAvailableMemoryBytes: memory, minFreeDiskBytes: disk } = this.#rules;
      const shortOf = memory > 0 && this.#resources.availableMemoryBytes() < memory
        ? "memory"
        : disk > 0 && this.#resources.freeDiskBytes() < disk
        ? "disk"
        : undefined;
      this.#look = { until: now + RESOURCES_FRESH_MS, shortOf };
    }
    return this.#look.shortOf;
  }

  #refuse<Answer>(reason: string, answer: Answer): Answer {
    metrics.add("postern_chatmail_registrations_refused_total", { reason });
    log.info("no new account: {reason}", { reason });
    return answer;
  }
}

/** Random characters of `alphabet`, each as likely as any other. */
function pick(alphabet: string, length: number): string {
  let text = "";
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte >= 256 - 256 % alphabet.length || text.length === length) continue;
      text += alphabet[byte % alphabet.length];
    }
  }
  return text;
}
