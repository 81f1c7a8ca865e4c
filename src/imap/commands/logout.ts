import { ANY_STATE, command, noArguments } from "../command.ts";

/** `LOGOUT`: BYE, then the tagged OK, then the end of the connection. */
export const logoutCommand = command({
  name: "LOGOUT",
  states: ANY_STATE,
  rfc: "RFC 9051 6.1.3",
  catchUp: "none",
  parse: noArguments,
  run: (session) => {
    session.out.untagged("BYE Logging out");
    session.logOut();
  },
});
