import type { Account, PasswordVerifier } from "../store/mod.ts";
import type { Credential } from "./credential.ts";
import type { AdminVerdict, Refused, Verdict } from "./mechanism.ts";

/** How an attempt to log in ended, for the connection that asked. */
export type AuthOutcome = AuthSuccess | AuthFailure;

export interface AuthSuccess {
  readonly kind: "ok";
  readonly account: Account;
  /** The address that was given to log in with, normalised. */
  readonly address: string;
  /** SASL mechanism, LOGIN for the command, or CERTIFICATE. */
  readonly mechanism: string;
  /** What the session stands and falls with. */
  readonly credential: Credential;
}

/** How an attempt with the admin's password ended. */
export type AdminOutcome = AdminSuccess | AuthFailure;

export interface AdminSuccess {
  readonly kind: "ok";
  /** What the session stands and falls with: `Directory.adminVerifier()` as it is now. */
  readonly verifier: PasswordVerifier;
}

export interface AuthFailure {
  readonly kind: AuthFailureKind;
  /** One line for the client, which says nothing that it may not know. */
  readonly text: string;
}

export type AuthFailureKind =
  /** No such user, wrong password, wrong proof or wrong channel: never said which. */
  | "credentials"
  /** Right credentials of an account that may not log in; `text` is what its admin wrote. */
  | "disabled"
  /** Right credentials, but to act as somebody else. */
  | "authorization"
  /** The mechanism shows the password and the connection is not private. */
  | "privacy"
  /** No such mechanism, or not on this connection. */
  | "mechanism"
  /** The client's message makes no sense. */
  | "protocol"
  /** The client gave up. */
  | "aborted"
  /** No answer to the credentials: the store cannot be read, or too many logins wait. */
  | "unavailable";

/**
 * Delta Chat looks for these words to tell a wrong password from other trouble, in IMAP and in SMTP.
 */
const AUTHENTICATION_FAILED = "Authentication failed: ";

const WRONG_ADMIN_PASSWORD =
  'Wrong password, or none was set yet: "postern admin password" sets one.';

/** What the client is told of a verdict. */
export function outcomeOf(verdict: Verdict, mechanism: string): AuthOutcome {
  if (verdict.result !== "ok") return failureOf(verdict);
  const { account, address, credential } = verdict;
  return { kind: "ok", account, address, mechanism, credential };
}

/** What the admin is told. */
export function adminOutcomeOf(verdict: AdminVerdict): AdminOutcome {
  if (verdict.result === "ok") return { kind: "ok", verifier: verdict.verifier };
  const failure = failureOf(verdict);
  return failure.kind === "credentials" ? { ...failure, text: WRONG_ADMIN_PASSWORD } : failure;
}

function credentialsFailure(reason: string): AuthFailure {
  return { kind: "credentials", text: `${AUTHENTICATION_FAILED}${reason}` };
}

function failureOf(verdict: Refused): AuthFailure {
  switch (verdict.result) {
    case "baduser":
    case "badpassword":
    case "badcreds":
    case "badchanbind":
      return credentialsFailure(verdict.text ?? "wrong username or password.");
    case "badtoken":
      return credentialsFailure(verdict.text ?? "the token is not accepted.");
    case "badauthzid":
      return { kind: "authorization", text: "You may not act as that user." };
    case "logindisabled":
      return { kind: "disabled", text: verdict.text ?? "Login is disabled for this account." };
    case "unsupported":
      return { kind: "mechanism", text: verdict.text ?? "That is not supported." };
    case "badprotocol":
      return { kind: "protocol", text: verdict.text ?? "The message is not valid." };
    case "aborted":
      return { kind: "aborted", text: "Authentication was cancelled." };
    case "error":
      return { kind: "unavailable", text: verdict.text ?? "Login is not possible now; try later." };
  }
}
