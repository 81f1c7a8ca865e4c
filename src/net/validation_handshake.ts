/**
 * The handshake by which a certificate authority validates a name over TLS (RFC 8737 3), as TLS 1.3
 * has it: the server's side, with one cipher suite, two groups and one signature algorithm, and no
 * more than that takes. It is done here since the runtime's TLS refuses to present a certificate
 * with a critical extension that it does not know, which RFC 8737 demands. Nothing secret passes:
 * whoever broke this would learn a certificate that anybody may ask for.
 */
import {
  createCipheriv,
  createECDH,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import { type Bytes, concatBytes, encodeUtf8 } from "../base/mod.ts";
import type { CertificatePair } from "./certificates.ts";
import { gatherClientHello } from "./client_hello.ts";
import { Cursor } from "./cursor.ts";
import { NetError } from "./net_error.ts";
import { TlsAlert } from "./tls.ts";

/** The protocol's name in ALPN (RFC 8737 6.2). */
export const ACME_PROTOCOL = "acme-tls/1";

const AES_128_GCM_SHA256 = 0x1301;
const ECDSA_P256_SHA256 = 0x0403;
const X25519 = 0x001d;
const P256 = 0x0017;
const TLS_1_2 = 0x0303;
const TLS_1_3 = 0x0304;

const Extension = {
  signatureAlgorithms: 13,
  alpn: 16,
  supportedVersions: 43,
  keyShare: 51,
} as const;

const Message = {
  serverHello: 2,
  encryptedExtensions: 8,
  certificate: 11,
  certificateVerify: 15,
  finished: 20,
} as const;

/** Shows that a name's owner answers here. */
export class ValidationCertificate {
  readonly der: Bytes;
  readonly key: KeyObject;

  /** `pair` has a P-256 key. Throws NetError `certificate`. */
  constructor(pair: CertificatePair) {
    try {
      this.der = new Uint8Array(new X509Certificate(pair.certificate).raw);
      this.key = createPrivateKey(pair.privateKey);
    } catch (cause) {
      throw new NetError("certificate", "no certificate and key for validation", { cause });
    }
  }
}

/**
 * The server's whole answer to the ClientHello that `records` hold, up to Finished, or the alert
 * that refuses it. What the client says afterwards changes nothing.
 */
export function answerValidation(
  records: Bytes,
  certificate: ValidationCertificate,
): Bytes | TlsAlert {
  const gathered = gatherClientHello(records);
  if (gathered.kind !== "message") return TlsAlert.decodeError;
  const offer = parseOffer(gathered.message);
  if (offer === undefined) return TlsAlert.decodeError;
  if (!offer.versions.includes(TLS_1_3)) return TlsAlert.protocolVersion;
  const share = offer.shares.find(({ group }) => group === X25519 || group === P256);
  if (
    share === undefined || !offer.cipherSuites.includes(AES_128_GCM_SHA256) ||
    !offer.signatureAlgorithms.includes(ECDSA_P256_SHA256)
  ) {
    return TlsAlert.handshakeFailure;
  }
  const agreed = agree(share);
  if (agreed === undefined) return TlsAlert.illegalParameter;

  const transcript = new Transcript(gathered.message);
  const hello = transcript.add(writeServerHello(offer.sessionId, share.group, agreed.publicKey));
  const secret = handshakeSecret(agreed.secret, transcript.hash());
  const flight = [
    transcript.add(message(
      Message.encryptedExtensions,
      vector(2, extension(Extension.alpn, vector(2, vector(1, encodeUtf8(ACME_PROTOCOL))))),
    )),
    transcript.add(message(
      Message.certificate,
      vector(1),
      vector(3, vector(3, certificate.der), vector(2)),
    )),
  ];
  flight.push(transcript.add(message(
    Message.certificateVerify,
    number(2, ECDSA_P256_SHA256),
    vector(2, signTranscript(certificate.key, transcript.hash())),
  )));
  const finishedKey = expandLabel(secret, "finished", 32);
  flight.push(message(Message.finished, hmac(finishedKey, transcript.hash())));
  return concatBytes([
    record(22, hello),
    // Middleboxes expect it after a session id, which the hello had for their sake.
    ...(offer.sessionId.length > 0 ? [record(20, Uint8Array.of(1))] : []),
    encrypt(secret, concatBytes(flight)),
  ]);
}

/** What decides about the handshake. */
interface Offer {
  readonly sessionId: Bytes;
  readonly cipherSuites: readonly number[];
  readonly versions: readonly number[];
  readonly signatureAlgorithms: readonly number[];
  readonly shares: readonly Share[];
}

interface Share {
  readonly group: number;
  readonly publicKey: Bytes;
}

function parseOffer(hello: Bytes): Offer | undefined {
  const cursor = new Cursor(hello);
  cursor.skip(4 + 2 + 32); // type and length, legacy version, random
  const sessionId = cursor.vector(1);
  const cipherSuites = numbers(new Cursor(cursor.vector(2)));
  cursor.vector(1); // compression methods
  const extensions = new Cursor(cursor.vector(2));
  let versions: number[] = [];
  let signatureAlgorithms: number[] = [];
  const shares: Share[] = [];
  while (!extensions.failed && !extensions.isAtEnd) {
    const type = extensions.number(2);
    const data = new Cursor(extensions.vector(2));
    if (type === Extension.supportedVersions) versions = numbers(data.within(1));
    if (type === Extension.signatureAlgorithms) signatureAlgorithms = numbers(data.within(2));
    if (type === Extension.keyShare) {
      const list = data.within(2);
      while (!list.failed && !list.isAtEnd) {
        shares.push({ group: list.number(2), publicKey: list.vector(2) });
      }
      if (list.failed) return undefined;
    }
    if (data.failed) return undefined;
  }
  if (cursor.failed || extensions.failed) return undefined;
  return { sessionId, cipherSuites, versions, signatureAlgorithms, shares };
}

function numbers(cursor: Cursor): number[] {
  const found: number[] = [];
  while (!cursor.failed && !cursor.isAtEnd) found.push(cursor.number(2));
  return found;
}

/** A key of our own for the client's group, and the secret of both; undefined for a bad key. */
function agree({ group, publicKey }: Share): { publicKey: Bytes; secret: Bytes } | undefined {
  try {
    if (group === P256) {
      const own = createECDH("prime256v1");
      const ownKey = own.generateKeys();
      return { publicKey: ownKey, secret: own.computeSecret(publicKey) };
    }
    const own = generateKeyPairSync("x25519");
    const theirs = createPublicKey({
      key: { kty: "OKP", crv: "X25519", x: publicKey.toBase64({ alphabet: "base64url" }) },
      format: "jwk",
    });
    const { x } = own.publicKey.export({ format: "jwk" });
    return {
      publicKey: Uint8Array.fromBase64(x ?? "", { alphabet: "base64url" }),
      secret: diffieHellman({ privateKey: own.privateKey, publicKey: theirs }),
    };
  } catch {
    return undefined;
  }
}

/** The messages of a handshake, in their order. */
class Transcript {
  readonly #hash = createHash("sha256");

  constructor(hello: Bytes) {
    this.#hash.update(hello);
  }

  /** Adds a message and gives it back. */
  add(bytes: Bytes): Bytes {
    this.#hash.update(bytes);
    return bytes;
  }

  hash(): Bytes {
    return this.#hash.copy().digest();
  }
}

function writeServerHello(sessionId: Bytes, group: number, publicKey: Bytes): Bytes {
  return message(
    Message.serverHello,
    number(2, TLS_1_2),
    randomBytes(32),
    vector(1, sessionId),
    number(2, AES_128_GCM_SHA256),
    number(1, 0),
    vector(
      2,
      extension(Extension.supportedVersions, number(2, TLS_1_3)),
      extension(Extension.keyShare, number(2, group), vector(2, publicKey)),
    ),
  );
}

/** The server's secret for handshake traffic. `helloHash` is of both hellos. */
function handshakeSecret(shared: Bytes, helloHash: Bytes): Bytes {
  const zeros = new Uint8Array(32);
  const early = hmac(zeros, zeros);
  const derived = expandLabel(early, "derived", 32, createHash("sha256").digest());
  return expandLabel(hmac(derived, shared), "s hs traffic", 32, helloHash);
}

function signTranscript(key: KeyObject, hash: Bytes): Bytes {
  const content = [
    new Uint8Array(64).fill(0x20),
    encodeUtf8("TLS 1.3, server CertificateVerify\0"),
    hash,
  ];
  return sign("sha256", concatBytes(content), key);
}

/** HKDF-Expand-Label for up to 32 bytes: one round of HMAC. */
function expandLabel(
  secret: Bytes,
  label: string,
  length: number,
  context: Bytes = new Uint8Array(0),
): Bytes {
  const info = concatBytes([
    number(2, length),
    vector(1, encodeUtf8(`tls13 ${label}`)),
    vector(1, context),
    Uint8Array.of(1),
  ]);
  return hmac(secret, info).subarray(0, length);
}

function hmac(key: Bytes, content: Bytes): Bytes {
  return createHmac("sha256", key).update(content).digest();
}

/** The first encrypted record. Its nonce is the plain one, as it counts from zero. */
function encrypt(secret: Bytes, handshake: Bytes): Bytes {
  const content = concatBytes([handshake, Uint8Array.of(22)]);
  const header = concatBytes([
    Uint8Array.of(23),
    number(2, TLS_1_2),
    number(2, content.length + 16),
  ]);
  const cipher = createCipheriv(
    "aes-128-gcm",
    expandLabel(secret, "key", 16),
    expandLabel(secret, "iv", 12),
  );
  cipher.setAAD(header);
  return concatBytes([header, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
}

function record(type: number, content: Bytes): Bytes {
  return concatBytes([Uint8Array.of(type), number(2, TLS_1_2), vector(2, content)]);
}

function message(type: number, ...parts: readonly Bytes[]): Bytes {
  return concatBytes([Uint8Array.of(type), vector(3, ...parts)]);
}

function extension(type: number, ...parts: readonly Bytes[]): Bytes {
  return concatBytes([number(2, type), vector(2, ...parts)]);
}

/** The parts behind their length together, which takes `width` bytes. */
function vector(width: number, ...parts: readonly Bytes[]): Bytes {
  const content = concatBytes([...parts]);
  return concatBytes([number(width, content.length), content]);
}

function number(width: number, value: number): Bytes {
  const bytes = new Uint8Array(width);
  for (let i = 0; i < width; i++) bytes[i] = value >> 8 * (width - 1 - i) & 0xff;
  return bytes;
}
