import assert from "node:assert/strict";
import { join } from "node:path";
import type { TestIdentity } from "./client.ts";

/** Kinds of key, as `openssl req -newkey` takes them. */
export const KEY_KINDS = {
  rsa: ["rsa:2048"],
  weakRsa: ["rsa:1024"],
  ecdsa: ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
  ed25519: ["ed25519"],
  ed448: ["ed448"],
} as const;

/** Has openssl make a key and a certificate for it that nobody signed; with `key`, another one. */
export async function makeIdentity(
  kind: keyof typeof KEY_KINDS,
  { name = "phone", key, days = 30 }: { name?: string; key?: string; days?: number } = {},
): Promise<TestIdentity> {
  const folder = await Deno.makeTempDir();
  const [keyFile, certFile] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  try {
    if (key !== undefined) await Deno.writeTextFile(keyFile, key);
    const source = key === undefined
      ? ["-newkey", ...KEY_KINDS[kind], "-nodes", "-keyout", keyFile]
      : ["-key", keyFile];
    const { success, stderr } = await new Deno.Command("openssl", {
      args: [
        "req",
        "-x509",
        ...source,
        "-out",
        certFile,
        "-subj",
        `/CN=${name}`,
        "-days",
        `${days}`,
      ],
      stdin: "null",
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    return { cert: await Deno.readTextFile(certFile), key: await Deno.readTextFile(keyFile) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
