import { command, noArguments, SELECTED } from "../command.ts";

/** `CHECK`, of IMAP4rev1: nothing waits to be written here, so it is NOOP. */
export const checkCommand = command({
  name: "CHECK",
  states: SELECTED,
  rfc: "RFC 3501 6.4.1",
  catchUp: "all",
  parse: noArguments,
  run: () => {},
});
