import {
  type Bytes,
  decodeUtf8Strictly,
  EMPTY_BYTES,
  encodeUtf8,
  randomBytes,
} from "../base/mod.ts";
import { MAX_SASL_MESSAGE_BYTES } from "./limits.ts";
import type { Mechanism, MechanismRun, Verdict } from "./mechanism.ts";
import { parseClientFirst, type ScramClientFirst, ScramError, ScramServer } from "./scram.ts";
import type { ScramHash } from "./verifier.ts";

/** PLAIN (RFC 4616): authorization identity, username and password, with NUL between them. */
export const plain: Mechanism = {
  name: "PLAIN",
  isClear: true,
  isAvailable: () => true,
  async *run(attempt, initial): MechanismRun {
    const fields = messageText(initial ?? (yield { challenge: EMPTY_BYTES }))?.split("\0");
    const [authzid, username, password] = fields ?? [];
    if (
      fields?.length !== 3 || authzid === undefined || username === undefined ||
      password === undefined || username === "" || password === ""
    ) {
      return { result: "badprotocol", text: "That is not a PLAIN message." };
    }
    return await attempt.authorise(await attempt.verifyPassword(username, password), authzid);
  },
};

/** LOGIN: two questions; obsolete, never standardised, and all that some SMTP clients know. */
export const login: Mechanism = {
  name: "LOGIN",
  isClear: true,
  isAvailable: (facts) => facts.protocol === "submission",
  async *run(attempt, initial): MechanismRun {
    const username = messageText(initial ?? (yield { challenge: encodeUtf8("Username:") }));
    const password = messageText(yield { challenge: encodeUtf8("Password:") });
    if (!username || !password) {
      return { result: "badprotocol", text: "Username or password is missing." };
    }
    return await attempt.verifyPassword(username, password);
  },
};

/** SCRAM with one hash function (RFC 5802, RFC 7677), with or without channel binding. */
export function scram(hash: ScramHash, options: { plus: boolean }): Mechanism {
  return {
    name: `SCRAM-${hash}${options.plus ? "-PLUS" : ""}`,
    isClear: false,
    isAvailable: (facts) => !options.plus || facts.tls?.serverEndPoint !== undefined,
    async *run(attempt, initial): MechanismRun {
      const binding = { data: attempt.facts.tls?.serverEndPoint, isPlus: options.plus };
      let client: ScramClientFirst;
      try {
        client = parseClientFirst(initial ?? (yield { challenge: EMPTY_BYTES }), binding);
      } catch (error) {
        return verdictOf(scramError(error));
      }
      const candidate = await attempt.findScram(client.username, hash);
      const { account, address, verifiers } = candidate;
      // 18 octets are 24 characters of base64, none of them a comma.
      const server = new ScramServer(hash, client, randomBytes(18).toBase64(), verifiers, binding);
      const final = yield { challenge: server.challenge };
      await attempt.holdBack();
      let verdict: Verdict = { result: "badcreds" };
      let answer = encodeUtf8("e=other-error");
      try {
        const serverFinal = server.finish(final);
        if (account !== undefined && server.match) {
          verdict = await attempt.admit(account, address, candidate.credentialOf(server.match));
          verdict = await attempt.authorise(verdict, client.authzid);
          if (verdict.result === "ok") {
            // Neither IMAP nor SMTP has success with data: it is one more challenge (RFC 4422 5).
            yield { challenge: serverFinal };
            return verdict;
          }
        }
      } catch (error) {
        const refusal = scramError(error);
        verdict = verdictOf(refusal);
        answer = encodeUtf8(`e=${refusal.value}`);
      }
      // The client reads why, answers anything, and is then refused.
      yield { challenge: answer, verdict };
      return verdict;
    },
  };
}

/**
 * EXTERNAL (RFC 4422 A): the client's key, which TLS has proven, and whom it wants to be: "" for the
 * address that the key is registered with.
 */
export const external: Mechanism = {
  name: "EXTERNAL",
  isClear: false,
  isAvailable: (facts) => facts.tls?.clientCertificate !== undefined,
  async *run(attempt, initial): MechanismRun {
    const authzid = messageText(initial ?? (yield { challenge: EMPTY_BYTES }));
    if (authzid === undefined || authzid.includes("\0")) {
      return { result: "badprotocol", text: "That is not an authorization identity." };
    }
    const owner = await attempt.findKey();
    if (owner === undefined) return { result: "badcreds", text: UNKNOWN_KEY };
    const { account, address, credential } = owner;
    return await attempt.authorise(await attempt.admit(account, address, credential), authzid);
  },
};

/** What is said of a key that belongs to nobody. */
export const UNKNOWN_KEY = "The key of your certificate is not registered here.";

/** All mechanisms, in the order in which they are announced: the best first. */
export const MECHANISMS: readonly Mechanism[] = [
  external,
  scram("SHA-256", { plus: true }),
  scram("SHA-256", { plus: false }),
  scram("SHA-1", { plus: true }),
  scram("SHA-1", { plus: false }),
  plain,
  login,
];

function messageText(message: Bytes): string | undefined {
  return message.length > MAX_SASL_MESSAGE_BYTES ? undefined : decodeUtf8Strictly(message);
}

function scramError(error: unknown): ScramError {
  if (error instanceof ScramError) return error;
  throw error;
}

function verdictOf(error: ScramError): Verdict {
  switch (error.value) {
    case "invalid-proof":
      return { result: "badcreds" };
    case "channel-bindings-dont-match":
    case "server-does-support-channel-binding":
      return { result: "badchanbind", text: `${error.message} Somebody may be in the middle.` };
    case "unsupported-channel-binding-type":
    case "channel-binding-not-supported":
    case "extensions-not-supported":
      return { result: "unsupported", text: error.message };
    default:
      return { result: "badprotocol", text: error.message };
  }
}
