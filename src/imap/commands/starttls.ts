import { command, noArguments } from "../command.ts";
import { bad } from "../imap_error.ts";

/** STARTTLS (RFC 9051 6.2.1). The client must ask for capabilities anew after it. */
export const starttlsCommand = command({
  name: "STARTTLS",
  states: ["notAuthenticated"],
  rfc: "RFC 9051 6.2.1",
  catchUp: "none",
  parse: noArguments,
  run(session) {
    if (session.facts.isTls) throw bad("TLS is on already");
    if (!session.facts.canStartTls) throw bad("TLS is not available here");
    session.startTls();
    return { text: "Begin TLS now" };
  },
});
