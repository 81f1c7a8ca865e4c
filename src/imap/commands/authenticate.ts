import { capabilityText } from "../capabilities.ts";
import { command } from "../command.ts";

/** AUTHENTICATE (RFC 9051 6.2.2) with an initial response (RFC 4959 3). */
export const authenticateCommand = command({
  name: "AUTHENTICATE",
  states: ["notAuthenticated"],
  rfc: "RFC 9051 6.2.2",
  catchUp: "none",
  parse(reader) {
    reader.space();
    const mechanism = reader.word();
    const initial = reader.trySpace() ? reader.until(" ") : undefined;
    return { mechanism, initial };
  },
  async run(session, { mechanism, initial }) {
    await session.authenticate(mechanism, initial);
    return { code: capabilityText(session), text: "Logged in" };
  },
});
