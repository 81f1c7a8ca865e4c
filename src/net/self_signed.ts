import { isIP } from "node:net";
import type { CertificatePair } from "./certificates.ts";

/**
 * How long a self-signed certificate holds. Apple's clients refuse a server certificate made for
 * more than 825 days even where the user has trusted it by hand.
 */
export const SELF_SIGNED_DAYS = 820;

const DAY_MS = 86_400_000;

/**
 * Makes a P-256 key and a certificate for `hosts`, names and IP addresses, the first of them its
 * subject; valid from a day before `nowMs`, for clients whose clocks are late.
 */
export async function makeSelfSigned(
  hosts: readonly [string, ...string[]],
  nowMs: number,
): Promise<CertificatePair> {
  // Loaded only here: it is needed once in an installation's life and takes 40 ms to start.
  const { generate } = await import("selfsigned");
  const made = await generate([{ name: "commonName", value: hosts[0] }], {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    notBeforeDate: new Date(nowMs - DAY_MS),
    notAfterDate: new Date(nowMs - DAY_MS + SELF_SIGNED_DAYS * DAY_MS),
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: hosts.map((host) =>
          isIP(host) === 0 ? { type: 2, value: host } : { type: 7, ip: host }
        ),
      },
    ],
  });
  return { certificate: made.cert, privateKey: made.private };
}
