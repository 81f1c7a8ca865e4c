import { DELIMITER } from "../store/mod.ts";
import { decodeModifiedUtf7, encodeModifiedUtf7 } from "../wire/mod.ts";

/** The file `subscriptions` of a Maildir, in Dovecot's version 2: levels with tabs between. */
export function writeSubscriptions(names: readonly string[]): string {
  const lines = names.map((name) =>
    name.split(DELIMITER).map((level) => encodeModifiedUtf7(level)).join("\t")
  );
  return `V\t2\n\n${lines.map((line) => `${line}\n`).join("")}`;
}

/** Names in the file, version 2 or the older one with a name as clients write it on each line. */
export function parseSubscriptions(text: string): string[] {
  const [, rest] = /^V\t2\n\n([^]*)$/.exec(text) ?? [];
  const lines = (rest ?? text).split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const levels = line.split(rest === undefined ? /[./]/ : "\t");
    return levels.map(decode).join(DELIMITER).normalize("NFC");
  });
}

function decode(level: string): string {
  try {
    return decodeModifiedUtf7(level);
  } catch {
    return level;
  }
}
