import type { SMTPServer } from "smtp-server";

/**
 * Ends every connection of a server with 421 and `text`, after the messages that are under way, for
 * which there is `graceMs`. A message whose last reply is 421 may come twice, but is never lost.
 */
export async function closeConnections(
  smtp: SMTPServer,
  underWay: ReadonlySet<Promise<unknown>>,
  graceMs: number,
  text: string,
): Promise<void> {
  // From here on the next command of every connection is answered with 421.
  smtp.close();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const grace = new Promise<void>((resolve) => timer = setTimeout(resolve, graceMs));
  await Promise.race([Promise.allSettled(underWay), grace]);
  clearTimeout(timer);
  for (const connection of smtp.connections) connection.send(421, text);
}
