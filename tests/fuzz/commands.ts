import { decodeLatin1, encodeUtf8 } from "../../src/base/mod.ts";
import { COMMAND_TABLE } from "../imap/command_table.ts";
import type { CommandText } from "../support/client.ts";
import { tokensOf } from "./mutate.ts";

/** Every use of every command, right or wrong, as the octets of a whole command. */
export const COMMAND_BYTES: readonly Uint8Array[] = Object.values(COMMAND_TABLE).flatMap((row) => {
  const uses: CommandText[] = [...row.wrong, ...(row.refused ?? []).map(([text]) => text)];
  for (const use of row.right) uses.push(typeof use === "object" && "run" in use ? use.text : use);
  return uses.map(bytesOf);
});

/** Words, names and shapes of the protocol. */
export const COMMAND_TOKENS: readonly Uint8Array[] = tokensOf(
  ...'( ) " \\ { } [ ] < > * % $ + - . , : ; ~ & NIL INBOX Box Other missing 0 1 1:* *:1'.split(
    " ",
  ),
  ..."4294967295 4294967296 9223372036854775807 \\Seen \\Deleted \\* \\Recent $Junk keyword".split(
    " ",
  ),
  ..."FLAGS BODY[] BODY.PEEK[1.MIME] BODY[HEADER.FIELDS BINARY[1] BINARY.SIZE[] ENVELOPE".split(
    " ",
  ),
  ..."BODYSTRUCTURE <0.10> MODSEQ PREVIEW (LAZY) EMAILID CHANGEDSINCE VANISHED UID ALL".split(" "),
  ..."OR NOT SEEN KEYWORD HEADER SUBJECT TEXT BODY SINCE 1-Feb-2026 LARGER CHARSET UTF-8".split(
    " ",
  ),
  ..."RETURN (MIN MAX COUNT SAVE PARTIAL 1:10 STATUS MESSAGES SUBSCRIBED CHILDREN USE".split(" "),
  ..."QRESYNC CONDSTORE IMAP4rev2 UTF8=ACCEPT UIDONLY DONE NOOP UNCHANGEDSINCE".split(" "),
  " ",
  "\r\n",
  "\n",
  "\r\n\r\n",
  "{3}\r\nabc",
  "{3+}\r\nabc",
  "~{2+}\r\n\0\0",
  "{0+}\r\n",
  "{100000000+}\r\n",
  "{5}\r\n",
  "DONE\r\n",
  "x IDLE\r\n",
  "\xc3\xa9",
  "\xff",
  "\0",
  '" 7-Feb-1994 21:52:25 -0800"',
  "((((((((((",
  "NOT ".repeat(60),
);

function bytesOf(text: CommandText): Uint8Array {
  const parts = typeof text === "string" ? [text] : text;
  let octets = "f ";
  for (const part of parts) {
    octets += typeof part === "string"
      ? decodeLatin1(encodeUtf8(part))
      : `${part.binary ? "~" : ""}{${part.literal.length}+}\r\n${decodeLatin1(part.literal)}`;
  }
  return tokensOf(`${octets}\r\n`)[0]!;
}
