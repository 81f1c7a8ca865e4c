import { decodeUtf8Strictly, EMPTY_BYTES, encodeUtf8 } from "../base/mod.ts";
import type { Bytes } from "../base/mod.ts";
import { MAX_TOKEN_MESSAGE_BYTES } from "./limits.ts";
import type { Mechanism, MechanismRun } from "./mechanism.ts";

/** What a client says with a token. */
interface TokenMessage {
  readonly token: string;
  /** Whom it wants to be; "": whom the token is for. */
  readonly authzid: string;
  /** The host that it believes to talk to. */
  readonly host: string | undefined;
}

/** OAUTHBEARER (RFC 7628) with a bearer token. */
export const oauthBearer: Mechanism = tokenMechanism("OAUTHBEARER", parseBearerMessage);

/** XOAUTH2: what Google had before there was a standard, and what many clients know. */
export const xoauth2: Mechanism = tokenMechanism("XOAUTH2", parseXoauth2Message);

function tokenMechanism(
  name: string,
  parse: (text: string) => TokenMessage | undefined,
): Mechanism {
  return {
    name,
    isClear: true,
    isAvailable: () => true,
    async *run(attempt, initial): MechanismRun {
      const text = messageText(initial ?? (yield { challenge: EMPTY_BYTES }));
      const message = text === undefined ? undefined : parse(text);
      if (message === undefined) {
        return { result: "badprotocol", text: `That is not a message of ${name}.` };
      }
      const { token, authzid, host } = message;
      const sni = attempt.facts.tls?.sni;
      // RFC 7628 3.2: what the client says and what is known must agree.
      const { verdict, explanation } =
        host !== undefined && sni !== undefined && host.toLowerCase() !== sni.toLowerCase()
          ? attempt.refuseToken("invalid_request")
          : await attempt.verifyToken(token, authzid);
      if (explanation !== undefined) {
        // The client reads why, answers anything, and is then refused (RFC 7628 3.2.3).
        yield { challenge: encodeUtf8(JSON.stringify(explanation)), verdict };
      }
      return verdict;
    },
  };
}

/** `gs2-header kvsep *kvpair kvsep` (RFC 7628 3.1). */
function parseBearerMessage(text: string): TokenMessage | undefined {
  const [, authzid = "", pairs] = /^[ny],(?:a=([^,]*))?,\x01((?:[^\x01]+\x01)*)\x01$/.exec(text) ??
    [];
  if (pairs === undefined || /=(?!2C|3D)/.test(authzid)) return undefined;
  const values = parsePairs(pairs);
  const token = tokenOf(values.get("auth"));
  return token === undefined ? undefined : {
    token,
    authzid: authzid.replaceAll("=2C", ",").replaceAll("=3D", "="),
    host: values.get("host"),
  };
}

/** `user=`, address, ^A, `auth=Bearer `, token, ^A, ^A. */
function parseXoauth2Message(text: string): TokenMessage | undefined {
  const [, pairs] = /^((?:[^\x01]+\x01)*)\x01$/.exec(text) ?? [];
  const values = parsePairs(pairs ?? "");
  const token = tokenOf(values.get("auth"));
  const authzid = values.get("user");
  return token === undefined || !authzid ? undefined : { token, authzid, host: undefined };
}

function parsePairs(text: string): Map<string, string> {
  return new Map(
    text.split("\x01").map((pair) => {
      const equals = pair.indexOf("=");
      return [pair.slice(0, Math.max(0, equals)).toLowerCase(), pair.slice(equals + 1)] as const;
    }),
  );
}

/** The token68 of RFC 6750 behind the scheme, whose case does not matter. */
function tokenOf(auth: string | undefined): string | undefined {
  return /^Bearer +([\w.~+/-]+=*) *$/i.exec(auth ?? "")?.[1];
}

function messageText(message: Bytes): string | undefined {
  return message.length > MAX_TOKEN_MESSAGE_BYTES ? undefined : decodeUtf8Strictly(message);
}
