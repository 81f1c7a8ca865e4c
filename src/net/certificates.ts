import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import type { Bytes } from "../base/mod.ts";
import { lookUpName } from "./names.ts";
import { NetError } from "./net_error.ts";

/** A certificate chain and its private key, both in PEM; the server's own certificate comes first. */
export interface CertificatePair {
  readonly certificate: string;
  readonly privateKey: string;
}

export type TlsVersion = "1.2" | "1.3";

export interface CertificateStoreOptions {
  /** Oldest TLS version spoken; 1.2 unless given (RFC 9325 3.1.1). */
  readonly minVersion?: TlsVersion;
  /** Whether a name without a certificate gets the first one (true unless given), or a refusal. */
  readonly fallback?: boolean;
}

/** A certificate ready for use. */
export class Certificate {
  /** Host names it is for, in lower case, wildcards as `*.example.org`. */
  readonly names: readonly string[];
  /** Milliseconds since 1970 before which clients refuse it. */
  readonly notBeforeMs: number;
  /** Milliseconds since 1970 after which clients refuse it. */
  readonly notAfterMs: number;
  readonly der: Bytes;
  readonly context: SecureContext;
  readonly #signatureAlgorithm: string | undefined;
  #endPoint: Bytes | undefined;

  /** Throws NetError `certificate` when the pair does not read or does not belong together. */
  constructor(pair: CertificatePair, minVersion: TlsVersion) {
    const x509 = readPair(pair);
    this.names = namesOf(x509);
    this.notBeforeMs = Date.parse(x509.validFrom);
    this.notAfterMs = Date.parse(x509.validTo);
    this.der = new Uint8Array(x509.raw);
    // Node and Deno have it; the type declarations do not yet.
    this.#signatureAlgorithm =
      (x509 as X509Certificate & { readonly signatureAlgorithm?: string }).signatureAlgorithm;
    this.context = createSecureContext({
      cert: pair.certificate,
      key: pair.privateKey,
      minVersion: `TLSv${minVersion}`,
    });
  }

  /**
   * Channel binding data `tls-server-end-point` (RFC 5929 4.1); undefined for signatures that have
   * no single hash, for which it is not defined.
   */
  get endPoint(): Bytes | undefined {
    return this.#endPoint ??= endPointOf(this.der, this.#signatureAlgorithm);
  }
}

function readPair(pair: CertificatePair): X509Certificate {
  let x509: X509Certificate;
  try {
    x509 = new X509Certificate(pair.certificate);
  } catch (cause) {
    throw new NetError("certificate", "the certificate is not a PEM certificate", { cause });
  }
  let matches: boolean;
  try {
    matches = x509.checkPrivateKey(createPrivateKey(pair.privateKey));
  } catch (cause) {
    throw new NetError("certificate", "the private key is not an unencrypted PEM private key", {
      cause,
    });
  }
  if (!matches) {
    throw new NetError(
      "certificate",
      "the private key does not belong to the first certificate of the file",
    );
  }
  return x509;
}

/** DNS names of the subject alternative name; without any, the subject's common name. */
function namesOf(x509: X509Certificate): string[] {
  const names = [...(x509.subjectAltName ?? "").matchAll(/(?:^|, )DNS:([^,"]+)/g)]
    .map((match) => match[1]!.toLowerCase());
  if (names.length > 0) return names;
  const commonName = /(?:^|\n)CN=(.+)/.exec(x509.subject)?.[1];
  return commonName === undefined ? [] : [commonName.toLowerCase()];
}

function endPointOf(der: Bytes, signatureAlgorithm: string | undefined): Bytes | undefined {
  const hash = /(md5|sha-?\d+)/i.exec(signatureAlgorithm ?? "")?.[1]?.toLowerCase().replace(
    "-",
    "",
  );
  if (hash === undefined) return undefined;
  // RFC 5929 4.1: where the certificate was signed with MD5 or SHA-1, SHA-256 stands in.
  const algorithm = hash === "md5" || hash === "sha1" ? "sha256" : hash;
  return new Uint8Array(createHash(algorithm).update(der).digest());
}

/**
 * The certificates that a server presents, chosen by the name that the client asks for. `replace`
 * changes them for new handshakes and leaves open connections as they are.
 */
export class CertificateStore {
  readonly #minVersion: TlsVersion;
  readonly #fallback: boolean;
  #certificates: readonly Certificate[] = [];
  #byName: ReadonlyMap<string, Certificate> = new Map();

  /** Throws NetError `certificate`. */
  constructor(pairs: readonly CertificatePair[], options: CertificateStoreOptions = {}) {
    this.#minVersion = options.minVersion ?? "1.2";
    this.#fallback = options.fallback ?? true;
    this.replace(pairs);
  }

  /** The present certificates; the first is the default. */
  get certificates(): readonly Certificate[] {
    return this.#certificates;
  }

  /**
   * Takes other certificates into use. Where two are for one name, the earlier wins. Throws
   * NetError `certificate`, and then keeps those that it had.
   */
  replace(pairs: readonly CertificatePair[]): void {
    const certificates = pairs.map((pair) => new Certificate(pair, this.#minVersion));
    const byName = new Map<string, Certificate>();
    for (const certificate of certificates) {
      for (const name of certificate.names) {
        if (!byName.has(name)) byName.set(name, certificate);
      }
    }
    this.#certificates = certificates;
    this.#byName = byName;
  }

  /** The certificate for a name asked for by SNI, or for a client that asks for none. */
  forName(sni: string | undefined): Certificate | undefined {
    const found = sni === undefined ? undefined : lookUpName(this.#byName, sni);
    return found ?? (this.#fallback ? this.#certificates[0] : undefined);
  }
}
