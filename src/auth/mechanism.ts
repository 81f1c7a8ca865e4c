import type { Bytes } from "../base/mod.ts";
import type { Account, PasswordVerifier } from "../store/mod.ts";
import type { Credential } from "./credential.ts";
import type { AttemptResult, ConnectionFacts } from "./login_attempt.ts";
import type { ScramHash, ScramVerifier } from "./verifier.ts";

/** Proven credentials of an account that may log in. */
export interface Verified {
  readonly result: "ok";
  readonly account: Account;
  /** The address that was given to log in with, normalised. */
  readonly address: string;
  readonly credential: Credential;
}

/** `text` is for the client, where there is more to say than usual. */
export interface Refused {
  readonly result: Exclude<AttemptResult, "ok">;
  readonly text?: string;
}

/** What a mechanism found out. */
export type Verdict = Verified | Refused;

/** What came of the admin's password; with the verifier that it was right by. */
export type AdminVerdict = { readonly result: "ok"; readonly verifier: PasswordVerifier } | Refused;

/** An account, or nobody, with what SCRAM needs to go on in either case. */
export interface ScramCandidate {
  readonly account: Account | undefined;
  readonly address: string;
  readonly verifiers: readonly [ScramVerifier, ...ScramVerifier[]];
  /** What a login by one of the verifiers rests on. */
  credentialOf(verifier: ScramVerifier): Credential;
}

/** A key that the client has proven to hold and that belongs to an account. */
export interface KeyOwner {
  readonly account: Account;
  readonly address: string;
  readonly allowsPreauth: boolean;
  readonly credential: Credential;
}

/** What came of a token; with what the client is to be told about a refusal. */
export interface TokenVerdict {
  readonly verdict: Verdict;
  readonly explanation?: Readonly<Record<string, string>>;
}

/** What a mechanism may ask of the authenticator during one attempt. */
export interface Attempt {
  readonly facts: ConnectionFacts;
  /** Checks a clear password, held back as earlier failures demand. */
  verifyPassword(username: string, password: string): Promise<Verdict>;
  /** The verifier of an account, or one that nothing matches and that looks the same. */
  findScram(username: string, hash: ScramHash): Promise<ScramCandidate>;
  /** Waits as earlier failures demand; before an answer from which right or wrong can be told. */
  holdBack(): Promise<void>;
  /** Whose key the TLS client has, if it is anybody's. */
  findKey(): Promise<KeyOwner | undefined>;
  /** Checks an access token, and whether it lets the client be `authzid`. */
  verifyToken(token: string, authzid: string): Promise<TokenVerdict>;
  /** Refuses a token without a look at it. */
  refuseToken(problem: "invalid_request"): TokenVerdict;
  /** Whether an account whose credentials are proven may log in, and as it is now. */
  admit(account: Account, address: string, credential: Credential): Promise<Verdict>;
  /** Whether it may act as `authzid`: only as itself, by any of its addresses; "" is itself. */
  authorise(verdict: Verdict, authzid: string): Promise<Verdict>;
}

/** A challenge to the client; with the verdict when that is settled and only to be told. */
export interface Challenge {
  readonly challenge: Bytes;
  readonly verdict?: Verdict;
}

/** Yields challenges, is sent responses, and ends in a verdict (RFC 4422 3). */
export type MechanismRun = AsyncGenerator<Challenge, Verdict, Bytes>;

/** A SASL mechanism. The table of them is open: one more is one object more. */
export interface Mechanism {
  /** As registered, in capitals. */
  readonly name: string;
  /** Whether it shows the password to whoever listens, and so needs a private connection. */
  readonly isClear: boolean;
  /** Whether it can work on this connection at all; it is announced where it can. */
  isAvailable(facts: ConnectionFacts): boolean;
  /** Starts an attempt; `initial` is the initial response (RFC 4422 3.3), if there is one. */
  run(attempt: Attempt, initial: Bytes | undefined): MechanismRun;
}
