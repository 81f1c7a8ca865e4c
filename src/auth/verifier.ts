import { createHash, createHmac } from "node:crypto";
import { type Bytes, encodeUtf8, randomBytes } from "../base/mod.ts";
import { type PasswordVerifier, StoreError } from "../store/mod.ts";
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
 * `slow`: 75 ms of one core, what is recommended for a password hash of this kind.
 * SCRAM: the client computes it, on a phone and perhaps in an interpreted language, at each login;
 * Cyrus SASL (mutt, mbsync) refuses more than 65,536. SHA-256 gets what takes 2 ms here, four times
 * RFC 7677 3's minimum; SHA-1, which is quicker to guess, twice that.
 *
 * Honestly: whoever steals the directory attacks the cheapest of the three, so while SCRAM
 * verifiers lie beside it the slow hash adds nothing to a password's strength; the SCRAM counts are
 * the strength. It is what remains when an account has no SCRAM verifiers.
 */
export const DEFAULT_COSTS: VerifierCosts = {
  slow: 600_000,
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
 * hash function, each with its own random salt. Throws PasswordError when `preparePassword` refuses
 * it or it is shorter than `MIN_PASSWORD_BYTES`.
 */
export async function makeVerifier(
  password: string,
  costs: VerifierCosts = DEFAULT_COSTS,
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
  const scram: Record<string, ScramVerifier> = {};
  for (const hash of SCRAM_HASHES) {
    scram[hash] = await makeScramVerifier(hash, prepared, randomBytes(16), costs.scram[hash]);
  }
  return JSON.stringify(
    { version: 1, slow, scram },
    (_, value) => value instanceof Uint8Array ? value.toBase64() : value,
  );
}

/** Takes a stored verifier apart. Throws StoreError "corrupt" when it is not one. */
export function parseVerifier(verifier: PasswordVerifier): ParsedVerifier {
  try {
    const stored = JSON.parse(
      verifier,
      (key, value) => BINARY_KEYS.has(key) ? Uint8Array.fromBase64(value) : value,
    );
    if (stored?.version === 1) return { slow: stored.slow, scram: stored.scram };
  } catch (cause) {
    throw new StoreError("corrupt", "A password verifier cannot be read.", { cause });
  }
  throw new StoreError("corrupt", "A password verifier is of a version that is not known.");
}

const BINARY_KEYS: ReadonlySet<string> = new Set(["salt", "key", "storedKey", "serverKey"]);

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
