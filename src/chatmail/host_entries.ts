import { createHmac } from "node:crypto";
import { type Bytes, type Clock, decodeUtf8Strictly, encodeUtf8 } from "../base/mod.ts";
import { type Account, type Annotation, type PushStore, StoreError } from "../store/mod.ts";
import { MAX_TOKEN_BYTES, MAX_TOKENS, TOKEN_LIFE_SECONDS, TURN_LIFE_SECONDS } from "./limits.ts";

/** What a chatmail host says of itself to its clients through METADATA (RFC 5464). */
export interface HostFacts {
  /** Accounts of this domain are told; in lower case. */
  readonly domain: string;
  /** Whom to write to, as a URI. */
  readonly admin: string | undefined;
  /** A relay for connections between clients, as a URL. */
  readonly irohRelay: string | undefined;
  /** A TURN server that shares a secret with this host. */
  readonly turn:
    | { readonly host: string; readonly port: number; readonly secret: string }
    | undefined;
  /** Recipients of one message. */
  readonly maxRecipients: number;
  /** Versions of clients, as JSON on one line. */
  readonly appVersions: string | undefined;
}

const VENDOR = "/shared/vendor/deltachat";
const DEVICE_TOKEN = "/private/devicetoken";

/** METADATA of the host, and the tokens by which devices are woken up. */
export class HostEntries {
  readonly #facts: HostFacts;
  readonly #push: PushStore | undefined;
  readonly #clock: Clock;

  /** Without `push` nobody can be woken up, and tokens are kept like any other entry. */
  constructor(facts: HostFacts, push: PushStore | undefined, clock: Clock) {
    this.#facts = facts;
    this.#push = push;
    this.#clock = clock;
  }

  async list(account: Account): Promise<Annotation[]> {
    if (!this.#isMember(account)) return [];
    const { admin, irohRelay, turn, maxRecipients, appVersions } = this.#facts;
    const values: [entry: string, value: string | undefined][] = [
      ["/shared/admin", admin],
      [`${VENDOR}/irohrelay`, irohRelay],
      [`${VENDOR}/turn`, turn && this.#turnCredentials(turn)],
      [`${VENDOR}/maxsmtprecipients`, String(maxRecipients)],
      [`${VENDOR}/appversions`, appVersions],
    ];
    return values.flatMap(([entry, value]) =>
      value === undefined ? [] : [{ entry, value: encodeUtf8(value), isBinary: false }]
    );
  }

  capabilities(account: Account): string[] {
    if (!this.#isMember(account)) return [];
    return this.#push ? ["XDELTAPUSH", "XCHATMAIL"] : ["XCHATMAIL"];
  }

  /** `/private/devicetoken` of INBOX: each SET adds a token, GET gives all of them. */
  readonly kept = {
    has: (account: Account, mailbox: string, entry: string): boolean =>
      this.#push !== undefined && mailbox === "INBOX" && entry === DEVICE_TOKEN &&
      this.#isMember(account),

    list: async (account: Account, mailbox: string): Promise<Annotation[]> => {
      if (!this.kept.has(account, mailbox, DEVICE_TOKEN)) return [];
      const tokens = await this.#push?.listTokens(account.id, this.#now - TOKEN_LIFE_SECONDS) ?? [];
      if (tokens.length === 0) return [];
      return [{ entry: DEVICE_TOKEN, value: encodeUtf8(tokens.join(" ")), isBinary: false }];
    },

    set: async (account: Account, _mailbox: string, { value }: Annotation): Promise<void> => {
      if (value === undefined) return await this.#push?.removeTokens(account.id);
      await this.#push?.addToken(account.id, readToken(value), this.#now, MAX_TOKENS);
    },
  };

  /** The user name is the time at which they end, the password its MAC, as TURN servers have it. */
  #turnCredentials({ host, port, secret }: NonNullable<HostFacts["turn"]>): string {
    const username = String(this.#now + TURN_LIFE_SECONDS);
    const password = createHmac("sha1", secret).update(username).digest("base64");
    return `${host}:${port}:${username}:${password}`;
  }

  get #now(): number {
    return Math.floor(this.#clock.now() / 1000);
  }

  #isMember({ address }: Account): boolean {
    return address.endsWith(`@${this.#facts.domain}`);
  }
}

function readToken(value: Bytes): string {
  const token = decodeUtf8Strictly(value);
  if (token === undefined || !/^[!-~]+$/.test(token) || value.length > MAX_TOKEN_BYTES) {
    throw new StoreError(
      "limit",
      `A token has printable characters, no spaces, and at most ${MAX_TOKEN_BYTES} octets.`,
    );
  }
  return token;
}
