/**
 * auth: who may come in. Laws: a name without an account looks and costs the same as a wrong
 * password, in every mechanism, unless the host lets it make itself one; nothing slow runs on the event loop, and one network's attempts
 * never make another's wait behind all of them; a password is neither kept, logged nor compared in
 * the clear; the stored verifier is opaque to every other room; each attempt ends in exactly one
 * verdict, which is recorded when it is known and not when the client has heard it.
 */
export { addAppPassword, APP_PASSWORD_SCOPES } from "./app_password.ts";
export { Authenticator, type AuthenticatorOptions } from "./authenticator.ts";
export { ClientKeyError, type PresentedKey, readClientKey } from "./client_key.ts";
export { type AuthStep, ConnectionLogin, type Exchange } from "./connection_login.ts";
export type { Credential } from "./credential.ts";
export { DEFAULT_GATE_LIMITS, Gate, type GateLimits, type GateRefusal } from "./gate.ts";
export { generatePassword } from "./generate_password.ts";
export { MAX_PASSWORD_BYTES, MAX_SASL_MESSAGE_BYTES, MIN_PASSWORD_BYTES } from "./limits.ts";
export type {
  AttemptResult,
  AuthTlsFacts,
  ConnectionFacts,
  LoginAttempt,
} from "./login_attempt.ts";
export { LoginRecorder } from "./login_recorder.ts";
export type { NewcomerPolicy } from "./newcomer.ts";
export type {
  AdminOutcome,
  AdminSuccess,
  AuthFailure,
  AuthFailureKind,
  AuthOutcome,
  AuthSuccess,
} from "./outcome.ts";
export { normaliseUsername, preparePassword } from "./precis.ts";
export {
  DEFAULT_COSTS,
  makeVerifier,
  PasswordError,
  setPassword,
  type VerifierCosts,
} from "./verifier.ts";
export type { OAuthOptions } from "./token_check.ts";
