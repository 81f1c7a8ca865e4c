import { DELIMITER } from "../../store/mod.ts";
import { command, LOGGED_IN, noArguments } from "../command.ts";

/** `NAMESPACE`: one personal namespace without a prefix, nobody else's and nothing shared. */
export const namespaceCommand = command({
  name: "NAMESPACE",
  states: LOGGED_IN,
  rfc: "RFC 2342 5",
  catchUp: "all",
  parse: noArguments,
  run: (session) => session.out.untagged(`NAMESPACE (("" "${DELIMITER}")) NIL NIL`),
});
