import { timingSafeEqual } from "node:crypto";
import {
  type Bytes,
  concatBytes,
  decodeUtf8Strictly,
  EMPTY_BYTES,
  encodeUtf8,
} from "../base/mod.ts";
import { MAX_SASL_MESSAGE_BYTES, MIN_CLIENT_NONCE_LENGTH } from "./limits.ts";
import { digest, hmac, type ScramHash, type ScramVerifier } from "./verifier.ts";

/** The only channel binding that this server can give (RFC 5929 4). */
const BINDING_TYPE = "tls-server-end-point";

/** Values of the `e` attribute that this server uses (RFC 5802 7, `server-error-value`). */
export type ScramErrorValue =
  | "invalid-encoding"
  | "extensions-not-supported"
  | "invalid-proof"
  | "channel-bindings-dont-match"
  | "server-does-support-channel-binding"
  | "channel-binding-not-supported"
  | "unsupported-channel-binding-type"
  | "invalid-username-encoding"
  | "other-error";

/** A message that is malformed, or that cannot lead to success. */
export class ScramError extends Error {
  override readonly name = "ScramError";

  constructor(readonly value: ScramErrorValue, message: string) {
    super(message);
  }
}

/** The client-first-message, taken apart (RFC 5802 7). */
export interface ScramClientFirst {
  readonly username: string;
  /** "" when the client wants to be whom it authenticates as. */
  readonly authzid: string;
  readonly nonce: string;
  /** The GS2 header, which the `c` attribute repeats. */
  readonly gs2Header: string;
  readonly usesBinding: boolean;
  /** client-first-message-bare, which goes into the AuthMessage. */
  readonly bare: string;
}

/** What an exchange can be bound to. */
export interface ScramBinding {
  /** Channel binding data of this connection; undefined when there is none to be had. */
  readonly data: Bytes | undefined;
  /** Whether the client chose the PLUS variant of the mechanism. */
  readonly isPlus: boolean;
}

/**
 * Reads client-first-message and checks that its channel binding flag fits the connection
 * (RFC 5802 6): PLUS needs `p` with a type that we have, without PLUS it must not be `p`, and `y`
 * while we do offer PLUS means that somebody took it out of our list. Throws ScramError.
 */
export function parseClientFirst(message: Bytes, binding: ScramBinding): ScramClientFirst {
  const text = messageText(message);
  const header = /^(?:([ny])|p=([A-Za-z0-9.-]+)),(?:a=([^,\0]+))?,/.exec(text);
  if (header === null) {
    throw new ScramError("invalid-encoding", "The message has no valid GS2 header.");
  }
  const [gs2Header, flag, bindingType, authzid] = header;
  checkBindingFlag(flag, bindingType, binding);
  const bare = text.slice(gs2Header.length);
  if (bare.startsWith("m=")) {
    throw new ScramError("extensions-not-supported", "A mandatory extension is not supported.");
  }
  const fields = /^n=([^,\0]+),r=([!-+\--~]+)(,[A-Za-z]=[^,\0]+)*$/.exec(bare);
  const [, username, nonce] = fields ?? [];
  if (username === undefined || nonce === undefined) {
    throw new ScramError("invalid-encoding", "The message is not a valid client-first-message.");
  }
  if (nonce.length < MIN_CLIENT_NONCE_LENGTH) {
    throw new ScramError("other-error", "The client's nonce is too short.");
  }
  return {
    username: decodeSaslName(username),
    authzid: authzid === undefined ? "" : decodeSaslName(authzid),
    nonce,
    gs2Header,
    usesBinding: bindingType !== undefined,
    bare,
  };
}

function checkBindingFlag(
  flag: string | undefined,
  bindingType: string | undefined,
  binding: ScramBinding,
): void {
  if (binding.isPlus) {
    if (flag !== undefined) {
      throw new ScramError("other-error", "A PLUS mechanism needs channel binding.");
    }
    if (bindingType !== BINDING_TYPE || binding.data === undefined) {
      throw new ScramError(
        "unsupported-channel-binding-type",
        `The only channel binding that this server supports is ${BINDING_TYPE}.`,
      );
    }
  } else if (bindingType !== undefined) {
    throw new ScramError(
      "channel-binding-not-supported",
      "Channel binding needs the PLUS variant of the mechanism.",
    );
  } else if (flag === "y" && binding.data !== undefined) {
    throw new ScramError(
      "server-does-support-channel-binding",
      "This server does support channel binding.",
    );
  }
}

/** `saslname` of RFC 5802 7: "," and "=" are written "=2C" and "=3D", any other "=" is an error. */
function decodeSaslName(name: string): string {
  if (/=(?!2C|3D)/.test(name)) {
    throw new ScramError("invalid-username-encoding", 'The name has an "=" without 2C or 3D.');
  }
  return name.replaceAll("=2C", ",").replaceAll("=3D", "=");
}

/**
 * The server's side of one exchange, from a client-first-message that was accepted. Pure: nonce,
 * verifiers and binding are given to it. For a user who does not exist it is given a verifier that
 * nothing matches, and behaves exactly the same. An account with several passwords has a verifier
 * for each, all with the same salt and count, since the client hears of only one.
 */
export class ScramServer {
  /** The server-first-message. */
  readonly challenge: Bytes;
  #hash: ScramHash;
  #client: ScramClientFirst;
  #verifiers: readonly ScramVerifier[];
  #match: ScramVerifier | undefined;
  #binding: ScramBinding;
  #nonce: string;
  #serverFirst: string;

  constructor(
    hash: ScramHash,
    client: ScramClientFirst,
    serverNonce: string,
    verifiers: readonly [ScramVerifier, ...ScramVerifier[]],
    binding: ScramBinding,
  ) {
    this.#hash = hash;
    this.#client = client;
    this.#verifiers = verifiers;
    this.#binding = binding;
    this.#nonce = client.nonce + serverNonce;
    const [{ salt, iterations }] = verifiers;
    this.#serverFirst = `r=${this.#nonce},s=${new Uint8Array(salt).toBase64()},i=${iterations}`;
    this.challenge = encodeUtf8(this.#serverFirst);
  }

  /** The verifier that the client's proof fits, once `finish` accepted it. */
  get match(): ScramVerifier | undefined {
    return this.#match;
  }

  /**
   * The server-final-message with our signature, once client-final-message proved that the client
   * knows the password. Throws ScramError when it does not: "invalid-proof",
   * "channel-bindings-dont-match", or something about the message itself.
   */
  finish(message: Bytes): Bytes {
    const text = messageText(message);
    const fields =
      /^(c=([A-Za-z0-9+/=]+),r=([!-+\--~]+)((?:,[A-Za-z]=[^,\0]+)*)),p=([A-Za-z0-9+/=]+)$/.exec(
        text,
      );
    const [, withoutProof = "", c = "", nonce = "", extensions = "", p = ""] = fields ?? [];
    if (fields === null) {
      throw new ScramError("invalid-encoding", "The message is not a valid client-final-message.");
    }
    if (/^,m=/.test(extensions)) {
      throw new ScramError("extensions-not-supported", "A mandatory extension is not supported.");
    }
    const proof = decodeBase64(p);
    const bindingInput = decodeBase64(c);
    if (!isEqual(encodeUtf8(nonce), encodeUtf8(this.#nonce))) {
      throw new ScramError("other-error", "The nonce is not that of this exchange.");
    }
    if (!isEqual(bindingInput, this.#expectedBindingInput())) {
      throw new ScramError("channel-bindings-dont-match", "The channel binding does not match.");
    }
    const authMessage = `${this.#client.bare},${this.#serverFirst},${withoutProof}`;
    for (const verifier of this.#verifiers) {
      if (!this.#proves(proof, verifier, authMessage)) continue;
      this.#match = verifier;
      const signature = hmac(this.#hash, verifier.serverKey, authMessage);
      return encodeUtf8(`v=${new Uint8Array(signature).toBase64()}`);
    }
    throw new ScramError("invalid-proof", "The password is wrong.");
  }

  #proves(proof: Bytes, { storedKey }: ScramVerifier, authMessage: string): boolean {
    const signature = hmac(this.#hash, storedKey, authMessage);
    const clientKey = signature.map((byte, i) => byte ^ (proof[i] ?? 0));
    return proof.length === signature.length && isEqual(digest(this.#hash, clientKey), storedKey);
  }

  #expectedBindingInput(): Bytes {
    const data = this.#client.usesBinding ? this.#binding.data : undefined;
    return concatBytes([encodeUtf8(this.#client.gs2Header), data ?? EMPTY_BYTES]);
  }
}

function messageText(message: Bytes): string {
  const text = message.length > MAX_SASL_MESSAGE_BYTES ? undefined : decodeUtf8Strictly(message);
  if (text === undefined) {
    throw new ScramError("invalid-encoding", "The message is too long or not UTF-8.");
  }
  return text;
}

function decodeBase64(text: string): Bytes {
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
  } catch {
    throw new ScramError("invalid-encoding", "An attribute is not valid base64.");
  }
}

function isEqual(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
