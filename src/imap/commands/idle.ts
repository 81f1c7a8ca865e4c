import { metrics } from "../../base/mod.ts";
import { bad } from "../imap_error.ts";
import { command, LOGGED_IN, noArguments } from "../command.ts";

/**
 * IDLE (RFC 9051 6.3.13, RFC 2177 3): tells changes as they happen until the client says DONE.
 * Works without a selected mailbox too. Now and then a sign of life goes out, since networks forget
 * connections on which nothing passes.
 */
export const idleCommand = command({
  name: "IDLE",
  states: LOGGED_IN,
  rfc: "RFC 9051 6.3.13",
  catchUp: "all",
  parse: noArguments,
  async run(session) {
    metrics.add("postern_idle_sessions");
    try {
      session.out.writer.raw("+ idling\r\n");
      const started = session.now();
      await session.catchUp({ expunge: true });
      for (;;) {
        await session.out.flush();
        const line = session.nextLine();
        if (line !== undefined) {
          if (line.toUpperCase() === "DONE") return { text: "IDLE completed" };
          throw bad("IDLE ends with DONE");
        }
        const cause = await session.waitForChange(session.keepAliveMs);
        if (cause === "closed") session.hangUp();
        if (cause === "timeout") {
          if (session.now() - started >= session.idleLimitMs) {
            session.hangUp("Inactive for too long");
          }
          session.out.untagged("OK Still here");
        }
        // Now and then without a nudge too: one may have been lost.
        if (cause !== "input") await session.catchUp({ expunge: true });
      }
    } finally {
      metrics.add("postern_idle_sessions", undefined, -1);
    }
  },
});
