import { ANY_STATE, command, noArguments } from "../command.ts";

/** `NOOP`: all it does is let the client hear what others changed. */
export const noopCommand = command({
  name: "NOOP",
  states: ANY_STATE,
  rfc: "RFC 9051 6.1.2",
  catchUp: "all",
  parse: noArguments,
  run: () => {},
});
