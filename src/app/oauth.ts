import type { OAuthOptions } from "../auth/mod.ts";
import type { Config } from "./config/config.ts";
import { isSystemError } from "./describe_error.ts";
import { Failure } from "./failure.ts";

/** The issuer of the configuration with its secret read. Throws Failure, which names the file. */
export async function readOAuth({ oauth }: Config): Promise<OAuthOptions | undefined> {
  if (!oauth) return undefined;
  const { issuer, audience, usernameClaim, scope, client } = oauth;
  return {
    issuer,
    audience,
    usernameClaim,
    ...(scope === undefined ? {} : { scope }),
    ...(client ? { client: { id: client.id, secret: await readSecret(client.secretFile) } } : {}),
  };
}

/** The first line of the file, without its end. */
async function readSecret(file: string): Promise<string> {
  let text;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new Failure(`auth.oauth.client_secret_file: cannot read ${file}: ${error.message}`);
  }
  const secret = text.split(/\r?\n/)[0] ?? "";
  if (secret === "") throw new Failure(`auth.oauth.client_secret_file: ${file} is empty`);
  return secret;
}
