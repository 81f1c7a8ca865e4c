import { createHash, createHmac } from "node:crypto";
import { type AccountId, type Bytes, encodeUtf8, randomBytes } from "../base/mod.ts";
import { type Directory, type PasswordVerifier, StoreError } from "../store/mod.ts";
import { MIN_PASSWORD_BYTES } from "./limits.ts";
import { preparePassword } from "./precis.ts";

/** Hash functions of the SCRAM family, by the name that crypto.subtle gives them. */
export type ScramHash = "SHA-1" | "SHA-256";
export const SCRAM_HASHES: readonly ScramHash[] = ["SHA-1", "SHA-256"];

/** PBKDF2 iterations of each thing that is stored of a password. */
export interface VerifierCosts {
  /** PBKDF2-HMAC-SHA-256, for PLAIN and LOGIN, computed by the server. */
  readonly slow: number;
  /** The counts that SCRAM clients are asked to compute. */
  readonly scram: Readonly<Record<ScramHash, number>>;
}

/**
 * SCRAM: the client computes it, on a phone and perhaps in an interpreted language, at each login;
 * Cyrus SASL (mutt, mbsync) refuses more than 65,536. SHA-256 gets what takes 2 ms here, four times
 * RFC 7677 3's minimum; SHA-1, which is quicker to guess, twice that.
 *
 * `slow`: some 12 ms of one core. Whoever steals the directory attacks the cheapest of the three, so
 * while SCRAM verifiers lie beside it more would add nothing to a password's strength; the SCRAM
 * counts are the strength. And after a restart thousands of phones that know only LOGIN come back
 * at once, each of which is hashed here: with the 600,000 that a slow hash alone would deserve they
 * would wait in line for minutes.
 */
export const DEFAULT_COSTS: VerifierCosts = {
  slow: 100_000,
  scram: { "SHA-1": 32_768, "SHA-256": 16_384 },
};

/** What SCRAM keeps of a password (RFC 5802 3): enough to verify, not enough to log in with. */
export interface ScramVerifier {
  readonly salt: Bytes;
  readonly iterations: number;
  readonly storedKey: Bytes;
  readonly serverKey: Bytes;
}

export interface SlowVerifier {
  readonly salt: Bytes;
  readonly iterations: number;
  readonly key: Bytes;
}

/** A stored `PasswordVerifier`, taken apart. */
export interface ParsedVerifier {
  readonly slow: SlowVerifier;
  readonly scram: Partial<Readonly<Record<ScramHash, ScramVerifier>>>;
}

/** A new password that cannot be used; `message` says why, and never holds the password. */
export class PasswordError extends Error {
  override readonly name = "PasswordError";
}

/**
 * What the directory keeps of a new password: JSON with a slow hash and a SCRAM verifier for each
 * hash function, each with its own random salt; `salted` gives a verifier whose SCRAM salts and
 * counts are used again, so that app passwords, which have the same, go on working. Throws
 * PasswordError when `preparePassword` refuses it or it is shorter than `MIN_PASSWORD_BYTES`.
 */
export async function makeVerifier(
  password: string,
  costs: VerifierCosts = DEFAULT_COSTS,
  salted?: PasswordVerifier,
): Promise<PasswordVerifier> {
  const prepared = preparePassword(password);
  if (prepared === undefined) {
    throw new PasswordError(
      "The password is empty, too long, or contains characters that cannot be used in a password.",
    );
  }
  if (encodeUtf8(prepared).length < MIN_PASSWORD_BYTES) {
    throw new PasswordError(`The password is shorter than ${MIN_PASSWORD_BYTES} characters.`);
  }
  const slowSalt = randomBytes(16);
  const slow = {
    salt: slowSalt,
    iterations: costs.slow,
    key: await deriveSlowKey(prepared, slowSalt, costs.slow),
  };
  const old = salted === undefined ? {} : parseVerifier(salted).scram;
  const scram: Record<string, ScramVerifier> = {};
  for (const hash of SCRAM_HASHES) {
    const { salt, iterations } = old[hash] ??
      { salt: randomBytes(16), iterations: costs.scram[hash] };
    scram[hash] = await makeScramVerifier(hash, prepared, salt, iterations);
  }
  return writeVerifierJson({ version: 1, slow, scram });
}

/** Sets the password of an account. Rejects with PasswordError or StoreError. */
export async function setPassword(
  directory: Directory,
  id: AccountId,
  password: string,
  costs: VerifierCosts = DEFAULT_COSTS,
): Promise<void> {
  const hasOthers = (await directory.credentials.listAppPasswords(id)).length > 0;
  const salted = hasOthers ? await directory.passwordVerifier(id) : undefined;
  await directory.setPasswordVerifier(id, await makeVerifier(password, costs, salted));
}

/** Takes a stored verifier apart. Throws StoreError "corrupt" when it is not one. */
export function parseVerifier(verifier: PasswordVerifier): ParsedVerifier {
  return readVerifierJson(verifier) as unknown as ParsedVerifier;
}

/** JSON with octets as base64. */
export function writeVerifierJson(
  verifier: { readonly version: 1; readonly [name: string]: unknown },
): PasswordVerifier {
  return JSON.stringify(
    verifier,
    (_, value) => value instanceof Uint8Array ? value.toBase64() : value,
  );
}

/** What `writeVerifierJson` wrote. Throws StoreError "corrupt". */
export function readVerifierJson(verifier: PasswordVerifier): { readonly version: 1 } {
  let stored;
  try {
    stored = JSON.parse(
      verifier,
      (key, value) => BINARY_KEYS.has(key) ? Uint8Array.fromBase64(value) : value,
    );
  } catch (cause) {
    throw new StoreError("corrupt", "A password verifier cannot be read.", { cause });
  }
  if (stored?.version === 1) return stored;
  throw new StoreError("corrupt", "A password verifier is of a version that is not known.");
}

const BINARY_KEYS: ReadonlySet<string> = new Set([
  "salt",
  "key",
  "digest",
  "storedKey",
  "serverKey",
]);

/** PBKDF2-HMAC-SHA-256 of a prepared password, 32 octets, off the event loop. */
export function deriveSlowKey(password: string, salt: Bytes, iterations: number): Promise<Bytes> {
  return pbkdf2("SHA-256", password, salt, iterations);
}

/** The verifier of one SCRAM mechanism (RFC 5802 3); `password` is prepared already. */
export async function makeScramVerifier(
  hash: ScramHash,
  password: string,
  salt: Bytes,
  iterations: number,
): Promise<ScramVerifier> {
  const saltedPassword = await pbkdf2(hash, password, salt, iterations);
  const clientKey = hmac(hash, saltedPassword, "Client Key");
  return {
    salt,
    iterations,
    storedKey: digest(hash, clientKey),
    serverKey: hmac(hash, saltedPassword, "Server Key"),
  };
}

/** HMAC with the hash function of a SCRAM mechanism; a plain array, since Buffer has its own JSON. */
export function hmac(hash: ScramHash, key: Bytes, message: Bytes | string): Bytes {
  return new Uint8Array(createHmac(nodeName(hash), key).update(message).digest());
}

/** H() of RFC 5802 2.2. */
export function digest(hash: ScramHash, message: Bytes): Bytes {
  return new Uint8Array(createHash(nodeName(hash)).update(message).digest());
}

function nodeName(hash: ScramHash): string {
  return hash === "SHA-1" ? "sha1" : "sha256";
}

async function pbkdf2(
  hash: ScramHash,
  password: string,
  salt: Bytes,
  iterations: number,
): Promise<Bytes> {
  // crypto.subtle works on its own threads and is twice as quick as node:crypto here.
  const key = await crypto.subtle.importKey("raw", encodeUtf8(password), "PBKDF2", false, [
    "deriveBits",
  ]);
  const parameters = { name: "PBKDF2", hash, salt: new Uint8Array(salt), iterations };
  const bits = hash === "SHA-1" ? 160 : 256;
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, bits));
}
