import type { AuthFailure, AuthOutcome, AuthSuccess, ConnectionLogin } from "../auth/mod.ts";
import { type Bytes, EMPTY_BYTES } from "../base/mod.ts";
import { bad, ImapError, no } from "../imap/mod.ts";

/** Runs a SASL exchange over continuation requests (RFC 9051 6.2.2, RFC 4959 3). */
export async function runExchange(
  login: ConnectionLogin,
  mechanism: string,
  initial: string | undefined,
  ask: (challenge: string) => Promise<string>,
): Promise<AuthSuccess> {
  const exchange = login.begin(mechanism);
  // "=" is an initial response of no octets.
  let response = initial === undefined || initial === "=" ? initial && "" : initial;
  for (;;) {
    const bytes = response === undefined ? undefined : decodeBase64(response);
    if (bytes === "invalid") {
      exchange.abort();
      throw bad("That is not base64");
    }
    const step = await exchange.step(bytes);
    if (step.kind !== "challenge") return successOf(step);
    let line;
    try {
      line = await ask(step.challenge.toBase64());
    } catch (error) {
      // The client is gone: the attempt ends, and is recorded, all the same.
      exchange.abort();
      throw error;
    }
    if (line === "*") return successOf(exchange.abort());
    response = line;
  }
}

/** The success, or else throws the response that the failure becomes (RFC 5530 3). */
export function successOf(outcome: AuthOutcome): AuthSuccess {
  if (outcome.kind === "ok") return outcome;
  throw refusal(outcome);
}

function refusal({ kind, text }: AuthFailure): ImapError {
  switch (kind) {
    case "credentials":
      return no(text, "AUTHENTICATIONFAILED");
    case "authorization":
      return no(text, "AUTHORIZATIONFAILED");
    case "privacy":
      return no(text, "PRIVACYREQUIRED");
    case "unavailable":
      return no(text, "UNAVAILABLE");
    case "disabled":
    case "mechanism":
      return no(text);
    case "protocol":
    case "aborted":
      return bad(text);
  }
}

function decodeBase64(text: string): Bytes | "invalid" {
  if (text === "") return EMPTY_BYTES;
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
  } catch {
    return "invalid";
  }
}
