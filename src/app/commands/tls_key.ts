import type { Command } from "commander";
import { ClientKeyError, type PresentedKey, readClientKey } from "../../auth/mod.ts";
import { type ClientKey, parseAddress } from "../../store/mod.ts";
import { requireAccount, withData } from "../data.ts";
import { Failure, UsageError } from "../failure.ts";
import { printJson, printLine, printTable } from "../terminal.ts";
import { checkName } from "./app_password.ts";
import { addGroup, type GlobalOptions, withExamples } from "./options.ts";

/** `tlskey add`, `list` and `remove`. */
export function addTlsKeyCommands(program: Command): void {
  const group = addGroup(program, "tlskey", "keys by which TLS clients log in without a password");

  withExamples(
    group.command("add <address> <file>")
      .description(
        "let the key of the certificate in FILE log in as ADDRESS; print its fingerprint",
      )
      .option("--name <name>", "what to call it (default: the certificate's common name)")
      .option("--no-preauth", "not at once, but by AUTHENTICATE EXTERNAL"),
    "openssl req -x509 -newkey ed25519 -nodes -keyout key.pem -out cert.pem -subj /CN=phone",
    "postern tlskey add alice@example.org cert.pem --name phone",
  ).action(
    async (
      address: string,
      file: string,
      { name, preauth }: { name?: string; preauth: boolean },
      command: Command,
    ) => {
      if (name !== undefined) checkName(name);
      const key = await readKeyFile(file);
      await withData(configOf(command), async ({ directory }) => {
        const account = await directory.resolveAddress(address);
        if (!account) {
          throw new Failure(`there is no account ${address}; "postern account list" shows all`);
        }
        await directory.credentials.addClientKey({
          ...key,
          name: name ?? key.name.replace(/\p{Cc}/gu, " ").slice(0, 100),
          accountId: account.id,
          address: parseAddress(address).display,
          allowsPreauth: preauth,
        });
      });
      if (isJson(command)) printJson({ fingerprint: key.fingerprint, type: key.keyType });
      else printLine(key.fingerprint);
    },
  );

  withExamples(
    group.command("list [address]").description("list the keys of an account, or of all"),
    "postern tlskey list",
  ).action(async (address: string | undefined, _options, command: Command) => {
    const keys = await withData(configOf(command), async ({ directory }) => {
      const account = address === undefined ? undefined : await requireAccount(directory, address);
      return await directory.credentials.listClientKeys(account?.id);
    });
    if (isJson(command)) return printJson(keys.map(keyFacts));
    printTable(
      ["FINGERPRINT", "ADDRESS", "NAME", "TYPE", "PREAUTH", "CREATED"],
      keys.map(keyFacts).map((key) => [
        ...[key.fingerprint, key.address, key.name, key.type, key.preauth ? "yes" : "no"],
        key.created.slice(0, 10),
      ]),
    );
  });

  withExamples(
    group.command("remove <fingerprint>")
      // One fingerprint in 64 begins like an option.
      .allowUnknownOption()
      .description("refuse the key from now on and end the sessions that it began"),
    "postern tlskey remove 0nG2C2dZ0mvxHbo1xdbSDhr3Zo8fXjcP1Y9Pm0LqXrs",
  ).action(async (fingerprint: string, _options, command: Command) => {
    await withData(configOf(command), async ({ directory, tellSecurity }) => {
      const { accountId } = await directory.credentials.removeClientKey(fingerprint);
      tellSecurity(accountId);
    });
  });
}

/** Reads the first certificate of a PEM file, or one in DER. Throws UsageError. */
async function readKeyFile(file: string): Promise<PresentedKey> {
  const bytes = await Deno.readFile(file);
  // A private key may stand in front.
  const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(
    new TextDecoder("latin1").decode(bytes),
  )?.[0];
  try {
    return readClientKey(pem ?? bytes);
  } catch (error) {
    if (!(error instanceof ClientKeyError)) throw error;
    throw new UsageError(`${file}: ${error.message}`);
  }
}

function keyFacts(key: ClientKey) {
  const { fingerprint, address, name, keyType, allowsPreauth, created } = key;
  return {
    fingerprint,
    address,
    name,
    type: keyType,
    preauth: allowsPreauth,
    created: new Date(created * 1000).toISOString(),
  };
}

function configOf(command: Command): string | undefined {
  return command.optsWithGlobals<GlobalOptions>().config;
}

function isJson(command: Command): boolean {
  return command.optsWithGlobals<GlobalOptions>().json ?? false;
}
