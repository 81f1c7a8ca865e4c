import { DELIMITER } from "../store/mod.ts";

/** The ending of a file that is a mailbox. */
export const MBOX_ENDING = ".mbox";

/**
 * Where a mailbox is in a folder of mbox files: `Lists/Deno.mbox`. A level that would look like such
 * a file, and "%", are escaped as in URLs.
 */
export function mboxPath(mailbox: string): string {
  const levels = mailbox.split(DELIMITER).map((level) => level.replaceAll("%", "%25"));
  const folders = levels.slice(0, -1).map((level) =>
    level.endsWith(MBOX_ENDING) ? `${level.slice(0, -MBOX_ENDING.length)}%2Embox` : level
  );
  return [...folders, levels.at(-1) + MBOX_ENDING].join("/");
}

/** The mailbox of a file below the folder; files without the ending are named after themselves. */
export function mailboxOfMbox(path: string): string {
  const name = path.endsWith(MBOX_ENDING) ? path.slice(0, -MBOX_ENDING.length) : path;
  return name.replaceAll("%2E", ".").replaceAll("%25", "%").normalize("NFC");
}
