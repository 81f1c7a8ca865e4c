/** Messages for conversations, small enough to be read in full beside the expectations. */

/** Joins lines with CRLF, and ends the last one. */
export function lines(...text: string[]): string {
  return text.map((line) => `${line}\r\n`).join("");
}

/** A message with a few headers and one line of text. */
export function simpleMessage(subject = "Hello", text = "Hello, world."): string {
  return lines(
    "Date: Mon, 7 Feb 1994 21:52:25 -0800",
    "From: Fred Foobar <foobar@Blurdybloop.example>",
    `Subject: ${subject}`,
    "To: mooch@owatagu.siam.edu.example",
    "Message-Id: <B27397-0100000@Blurdybloop.example>",
    "MIME-Version: 1.0",
    "Content-Type: TEXT/PLAIN; CHARSET=US-ASCII",
    "",
    text,
  );
}

/** The pieces of `NESTED`, so that expectations can be written without counting octets. */
export const nestedPieces = {
  header: lines(
    "Subject: outer",
    "MIME-Version: 1.0",
    'Content-Type: multipart/mixed; boundary="a"',
    "",
  ),
  text1: "first part",
  mime1: lines("Content-Type: text/plain", ""),
  mime2: lines("Content-Type: message/rfc822", "Content-Description: forwarded", ""),
  inner: {
    header: lines(
      "Subject: inner",
      "From: inner@example.org",
      'Content-Type: multipart/alternative; boundary="b"',
      "",
    ),
    mime1: lines("Content-Type: text/plain; charset=utf-8", ""),
    text1: "inner plain",
    mime2: lines("Content-Type: text/html", ""),
    text2: "<p>inner html</p>",
  },
  mime3: lines("Content-Type: message/rfc822", ""),
  second: {
    header: lines("Subject: second", "Content-Type: text/plain", ""),
    text: "second text\r\n",
  },
};

const { header, text1, mime1, mime2, inner, mime3, second } = nestedPieces;

/** The embedded message of part 2. */
export const INNER_TEXT =
  `--b\r\n${inner.mime1}${inner.text1}\r\n--b\r\n${inner.mime2}${inner.text2}\r\n--b--`;
export const INNER = `${inner.header}${INNER_TEXT}`;

/**
 * multipart/mixed: 1 text, 2 message/rfc822 holding multipart/alternative (2.1, 2.2), 3
 * message/rfc822 holding one text (3.1).
 */
export const NESTED_TEXT = `--a\r\n${mime1}${text1}\r\n--a\r\n${mime2}${INNER}\r\n` +
  `--a\r\n${mime3}${second.header}${second.text}\r\n--a--\r\n`;
export const NESTED = `${header}${NESTED_TEXT}`;
