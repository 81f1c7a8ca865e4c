import { createHash, timingSafeEqual } from "node:crypto";
import { type Bytes, encodeUtf8, randomLetters } from "../base/mod.ts";
import { type AppPassword, type Directory, StoreError } from "../store/mod.ts";
import {
  makeScramVerifier,
  parseVerifier,
  readVerifierJson,
  SCRAM_HASHES,
  type ScramHash,
  type ScramVerifier,
  writeVerifierJson,
} from "./verifier.ts";

/** Seven groups of four letters out of 31: 138 bits. */
const GROUPS = 7;
const GROUP_LETTERS = 4;
const FORM = /^[a-z2-9]{4}(?:-[a-z2-9]{4}){6}$/;

/** What may be a scope of an app password: the protocols that it is good for. */
export const APP_PASSWORD_SCOPES = ["imap", "submission"] as const;

/** A stored app password, taken apart. */
interface AppVerifier {
  /** SHA-256 of the password: with 138 random bits in it no slow hash could add anything. */
  readonly digest: Bytes;
  /** With the salt and count of the account's own password, so that one challenge serves both. */
  readonly scram: Partial<Readonly<Record<ScramHash, ScramVerifier>>>;
}

/**
 * Makes up a password for one program of the account, and gives it: it is not kept. Works with
 * LOGIN and PLAIN, and with SCRAM too, since clients choose that by themselves. Rejects with
 * StoreError.
 */
export async function addAppPassword(
  directory: Directory,
  { accountId, name, scopes }: Pick<AppPassword, "accountId" | "name" | "scopes">,
): Promise<string> {
  const own = await directory.passwordVerifier(accountId);
  if (own === undefined) throw new StoreError("not-found", "There is no such account.");
  const password = Array.from({ length: GROUPS }, () => randomLetters(GROUP_LETTERS)).join("-");
  const scram: Record<string, ScramVerifier> = {};
  for (const hash of SCRAM_HASHES) {
    const like = parseVerifier(own).scram[hash];
    if (like) scram[hash] = await makeScramVerifier(hash, password, like.salt, like.iterations);
  }
  const verifier = writeVerifierJson({ version: 1, digest: digestOf(password), scram });
  await directory.credentials.addAppPassword({ accountId, name, scopes, verifier });
  return password;
}

/** Whether the text can be an app password at all. */
export function isAppPassword(password: string): boolean {
  return FORM.test(password);
}

/** The one of `candidates` that `password` is. */
export function findAppPassword(
  candidates: readonly AppPassword[],
  password: string,
): AppPassword | undefined {
  const digest = digestOf(password);
  return candidates.find(({ verifier }) => timingSafeEqual(parse(verifier).digest, digest));
}

/** Its SCRAM verifier, when it goes with the challenge that `own` makes. */
export function appScramVerifier(
  { verifier }: AppPassword,
  hash: ScramHash,
  own: ScramVerifier,
): ScramVerifier | undefined {
  const scram = parse(verifier).scram[hash];
  if (scram?.iterations !== own.iterations || scram.salt.length !== own.salt.length) {
    return undefined;
  }
  return scram.salt.every((byte, i) => byte === own.salt[i]) ? scram : undefined;
}

/** Whether it may be used over that protocol. */
export function isInScope({ scopes }: AppPassword, protocol: string): boolean {
  return scopes.length === 0 || scopes.includes(protocol);
}

function digestOf(password: string): Bytes {
  return new Uint8Array(createHash("sha256").update(encodeUtf8(password)).digest());
}

function parse(verifier: string): AppVerifier {
  return readVerifierJson(verifier) as unknown as AppVerifier;
}
