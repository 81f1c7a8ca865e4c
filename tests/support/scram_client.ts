import { createHash, createHmac } from "node:crypto";
import { Buffer } from "node:buffer";

/** How a `ScramClient` behaves; everything left out is as an ordinary client does it. */
export interface ScramClientOptions {
  readonly hash: "SHA-1" | "SHA-256";
  readonly username: string;
  readonly password: string;
  readonly nonce?: string;
  readonly authzid?: string;
  /** The GS2 channel binding flag: `n`, `y` or `p=type`. */
  readonly flag?: string;
  /** Optional extensions for both messages, such as `,x=1`. */
  readonly extensions?: string;
  /** Channel binding data that the client sees. */
  readonly bindingData?: Uint8Array;
}

/** The client's side of SCRAM (RFC 5802), made for tests and independent of the server's code. */
export class ScramClient {
  readonly first: string;
  serverSignature = "";
  #options: ScramClientOptions;
  #nonce: string;
  #header: string;
  #bare: string;

  constructor(options: ScramClientOptions) {
    const quote = (name: string) => name.replaceAll("=", "=3D").replaceAll(",", "=2C");
    this.#options = options;
    this.#nonce = options.nonce ?? crypto.randomUUID();
    const authzid = options.authzid === undefined ? "" : `a=${quote(options.authzid)}`;
    this.#header = `${options.flag ?? "n"},${authzid},`;
    this.#bare = `n=${quote(options.username)},r=${this.#nonce}${options.extensions ?? ""}`;
    this.first = this.#header + this.#bare;
  }

  /** The client-final-message for a server-first-message. Throws when that is not acceptable. */
  async final(serverFirst: string): Promise<string> {
    const { hash, password, bindingData, extensions = "" } = this.#options;
    const [, nonce = "", salt = "", iterations = ""] =
      /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst) ?? [];
    if (!nonce.startsWith(this.#nonce) || nonce.length <= this.#nonce.length) {
      throw new Error(`The server's nonce is not ours with more behind it: ${serverFirst}`);
    }
    const salted = await this.#saltedPassword(password, Buffer.from(salt, "base64"), +iterations);
    const clientKey = this.#hmac(salted, "Client Key");
    const storedKey = createHash(nodeName(hash)).update(clientKey).digest();
    const binding = Buffer.concat([Buffer.from(this.#header), bindingData ?? Buffer.alloc(0)]);
    const withoutProof = `c=${binding.toString("base64")},r=${nonce}${extensions}`;
    const authMessage = `${this.#bare},${serverFirst},${withoutProof}`;
    const signature = this.#hmac(storedKey, authMessage);
    const proof = clientKey.map((byte, i) => byte ^ signature[i]!);
    const serverKey = this.#hmac(salted, "Server Key");
    this.serverSignature = this.#hmac(serverKey, authMessage).toString("base64");
    return `${withoutProof},p=${Buffer.from(proof).toString("base64")}`;
  }

  /** Whether a server-final-message proves that the server knows the verifier. */
  accepts(serverFinal: string): boolean {
    return serverFinal === `v=${this.serverSignature}`;
  }

  #hmac(key: Uint8Array, message: string): Buffer {
    return createHmac(nodeName(this.#options.hash), key).update(message).digest();
  }

  async #saltedPassword(password: string, salt: Uint8Array, iterations: number): Promise<Buffer> {
    const { hash } = this.#options;
    const raw = new TextEncoder().encode(password.normalize("NFC"));
    const key = await crypto.subtle.importKey("raw", raw, "PBKDF2", false, ["deriveBits"]);
    const parameters = { name: "PBKDF2", hash, salt: new Uint8Array(salt), iterations };
    return Buffer.from(
      await crypto.subtle.deriveBits(parameters, key, hash === "SHA-1" ? 160 : 256),
    );
  }
}

function nodeName(hash: string): string {
  return hash === "SHA-1" ? "sha1" : "sha256";
}
