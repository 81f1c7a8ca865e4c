import { capabilityText } from "../capabilities.ts";
import { ANY_STATE, command, noArguments } from "../command.ts";

/** `CAPABILITY` */
export const capabilityCommand = command({
  name: "CAPABILITY",
  states: ANY_STATE,
  rfc: "RFC 9051 6.1.1",
  catchUp: "all",
  parse: noArguments,
  run: (session) => session.out.untagged(capabilityText(session)),
});
