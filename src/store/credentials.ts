import type { AccountId } from "../base/mod.ts";
import type { PasswordVerifier } from "./directory.ts";

/** A public key that a TLS client certificate may prove the possession of. */
export interface ClientKey {
  /** SHA-256 over the SubjectPublicKeyInfo, in base64url without padding: 43 characters. */
  readonly fingerprint: string;
  readonly accountId: AccountId;
  /** The address that it logs in as, as given when it was added. */
  readonly address: string;
  /** For people: "phone". */
  readonly name: string;
  /** Such as "RSA 2048" or "Ed25519". */
  readonly keyType: string;
  /** Whether presenting it on implicit TLS logs in at once (PREAUTH). */
  readonly allowsPreauth: boolean;
  /** DER of the certificate that it was added with. */
  readonly certificate: Uint8Array;
  /** Seconds since 1970. */
  readonly created: number;
}

/** A password that the host made up for one program of an account. */
export interface AppPassword {
  /** Never used again after removal. */
  readonly id: number;
  readonly accountId: AccountId;
  /** For people, one of its kind within the account: "phone". */
  readonly name: string;
  /** The protocols that it is good for, such as "imap"; empty: all of them. */
  readonly scopes: readonly string[];
  /** What `auth/` checks it with. */
  readonly verifier: PasswordVerifier;
  /** Seconds since 1970. */
  readonly created: number;
  /** The same; undefined until its first use. Good to about an hour. */
  readonly lastUsed: number | undefined;
}

/**
 * What accounts may log in with beside their password; part of the directory, and gone with the
 * account. Every method is one durable transaction. Errors: StoreError with "already-exists",
 * "not-found", "limit".
 */
export interface Credentials {
  /** Keys of one account, or of all, oldest first. */
  listClientKeys(id?: AccountId): Promise<ClientKey[]>;
  findClientKey(fingerprint: string): Promise<ClientKey | undefined>;
  /** Refused with "already-exists" when the key belongs to any account. */
  addClientKey(key: Omit<ClientKey, "created">): Promise<void>;
  /** Changes what the account decides about its key. */
  changeClientKey(
    fingerprint: string,
    change: Pick<ClientKey, "name" | "allowsPreauth">,
  ): Promise<void>;
  /** Gives what was removed. */
  removeClientKey(fingerprint: string): Promise<ClientKey>;

  /** App passwords of the account, oldest first. */
  listAppPasswords(id: AccountId): Promise<AppPassword[]>;
  /** Refused with "already-exists" when the account has one of that name, "limit" when it has many. */
  addAppPassword(
    password: Pick<AppPassword, "accountId" | "name" | "scopes" | "verifier">,
  ): Promise<void>;
  removeAppPassword(id: AccountId, name: string): Promise<void>;
  /** Notes that it was used now; nothing when it is gone. */
  touchAppPassword(passwordId: number): Promise<void>;
}
