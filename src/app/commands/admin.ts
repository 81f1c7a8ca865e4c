import type { Command } from "commander";
import { makeVerifier } from "../../auth/mod.ts";
import { withData } from "../data.ts";
import { addGroup, withExamples } from "./options.ts";
import {
  choosePassword,
  type PasswordOptions,
  tellPassword,
  withPasswordOptions,
} from "./password.ts";

/** `admin password`. */
export function addAdminCommands(program: Command): void {
  const admin = addGroup(program, "admin", "the admin of this host, who uses the web pages");
  withExamples(
    withPasswordOptions(
      admin.command("password")
        .description("set the password of the admin's pages; who is logged in there is logged out"),
    ),
    "postern admin password --generate",
    "postern admin password --stdin < password.txt",
  ).action(async (_options, command: Command) => {
    const options = command.optsWithGlobals<PasswordOptions>();
    const password = await choosePassword("New password for the admin's pages", options);
    const verifier = await makeVerifier(password.text);
    await withData(options.config, ({ directory }) => directory.setAdminVerifier(verifier));
    tellPassword({}, password, options);
  });
}
