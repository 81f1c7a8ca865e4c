import { command, LOGGED_IN, noArguments } from "../command.ts";
import { type Extension, isDisabledFor } from "../extension.ts";
import { bad } from "../imap_error.ts";

/**
 * UNAUTHENTICATE (RFC 8437 3): back to before login. Everything that the session had is forgotten,
 * compression included; TLS stays, and with it the client's certificate. Never answered with NO,
 * since clients send the next AUTHENTICATE right behind it. Looser than the RFC in nothing.
 */
const unauthenticateCommand = command({
  name: "UNAUTHENTICATE",
  states: LOGGED_IN,
  rfc: "RFC 8437 3",
  catchUp: "none",
  parse: noArguments,
  run(session) {
    // RFC 8437 8: who does not need it can be without it.
    if (isDisabledFor(session.account.account, "UNAUTHENTICATE")) {
      throw bad("UNAUTHENTICATE is not available");
    }
    session.unauthenticate();
    return { text: "Not logged in any more" };
  },
});

export const unauthenticate: Extension = {
  rfc: [8437],
  title: "UNAUTHENTICATE: log out and stay connected",
  capabilities: [{ name: "UNAUTHENTICATE", when: "afterLogin" }],
  commands: [unauthenticateCommand],
};
