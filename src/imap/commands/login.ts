import { capabilityText } from "../capabilities.ts";
import { command } from "../command.ts";
import { no } from "../imap_error.ts";

/**
 * LOGIN (RFC 9051 6.2.3): `LOGIN userid password`, both astrings. Refused without TLS unless
 * configured, before the password is looked at.
 */
export const loginCommand = command({
  name: "LOGIN",
  states: ["notAuthenticated"],
  rfc: "RFC 9051 6.2.3",
  catchUp: "none",
  parse(reader) {
    reader.space();
    const username = reader.astring();
    reader.space();
    return { username, password: reader.astring() };
  },
  async run(session, { username, password }) {
    if (!session.facts.allowsPlaintext) throw no("Use TLS first", "PRIVACYREQUIRED");
    await session.logIn(username, password);
    return { code: capabilityText(session), text: "Logged in" };
  },
});
