import { createHash, X509Certificate } from "node:crypto";
import { MIN_RSA_BITS } from "./limits.ts";

/** What counts of a client's certificate: its key. Issuer, dates, names and constraints do not. */
export interface PresentedKey {
  /** SHA-256 over the SubjectPublicKeyInfo, in base64url without padding. */
  readonly fingerprint: string;
  /** Such as "RSA 2048", "ECDSA prime256v1" or "Ed25519". */
  readonly keyType: string;
  /** The certificate's common name, else its serial number: to tell keys apart by. */
  readonly name: string;
  /** DER of the certificate. */
  readonly certificate: Uint8Array;
}

/** A certificate that no key can be taken from, or whose key is not accepted; `message` says why. */
export class ClientKeyError extends Error {
  override readonly name = "ClientKeyError";
}

/** Reads a certificate in PEM or DER. Throws ClientKeyError. */
export function readClientKey(certificate: string | Uint8Array): PresentedKey {
  let x509: X509Certificate;
  try {
    x509 = new X509Certificate(certificate);
  } catch (cause) {
    throw new ClientKeyError("This is not a certificate.", { cause });
  }
  const { publicKey } = x509;
  const commonName = /(?:^|\n)CN=(.+)/.exec(x509.subject)?.[1];
  return {
    fingerprint: createHash("sha256")
      .update(publicKey.export({ type: "spki", format: "der" }))
      .digest("base64url"),
    keyType: keyTypeOf(publicKey),
    name: commonName ?? x509.serialNumber,
    certificate: new Uint8Array(x509.raw),
  };
}

function keyTypeOf({ asymmetricKeyType, asymmetricKeyDetails }: X509Certificate["publicKey"]) {
  switch (asymmetricKeyType) {
    case "rsa": {
      const bits = asymmetricKeyDetails?.modulusLength ?? 0;
      if (bits >= MIN_RSA_BITS) return `RSA ${bits}`;
      throw new ClientKeyError(`An RSA key needs ${MIN_RSA_BITS} bits; this one has ${bits}.`);
    }
    case "ec":
      return `ECDSA ${asymmetricKeyDetails?.namedCurve ?? ""}`.trim();
    case "ed25519":
      return "Ed25519";
    default:
      throw new ClientKeyError(
        `Keys of type ${asymmetricKeyType} are not accepted: RSA, ECDSA and Ed25519 are.`,
      );
  }
}

/** The fingerprint of what a TLS client presented; undefined when it cannot be any accepted key. */
export function fingerprintOf(certificate: Uint8Array): string | undefined {
  try {
    return readClientKey(certificate).fingerprint;
  } catch {
    // Whatever a stranger sends: a parser's own exceptions too.
    return undefined;
  }
}
