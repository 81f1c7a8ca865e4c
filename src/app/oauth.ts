import type { OAuthOptions } from "../auth/mod.ts";
import type { Config } from "./config/config.ts";
import { whyUnreadable } from "./config/load.ts";
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
    ...(client
      ? {
        client: {
          id: client.id,
          secret: await readSecret("auth.oauth.client_secret_file", client.secretFile),
        },
      }
      : {}),
  };
}

/** The first line of the file that a key names, without its end. Throws Failure. */
export async function readSecret(key: string, file: string): Promise<string> {
  let text;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    throw new Failure(
      `${key}: cannot read ${file}: ${whyUnreadable(error)}; put the secret there, on one line, ` +
        "for the server's user to read",
    );
  }
  const secret = text.split(/\r?\n/)[0] ?? "";
  if (secret === "") {
    throw new Failure(`${key}: ${file} is empty; put the secret there, on its first line`);
  }
  return secret;
}
