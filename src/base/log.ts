import { getLogger, type Logger } from "@logtape/logtape";

export type { Logger };

/**
 * The logger of one room: `logger("session")`. Configured once by `app/`; silent until then.
 * Secrets, message content and (at level info and above) nothing that a user wrote goes in here.
 */
export function logger(room: string): Logger {
  return getLogger(["postern", room]);
}
