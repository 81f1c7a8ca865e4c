/** Mail for measurements: the same at every run, and of different words like real mail. */

/** A word in the subject and the body of every message. */
export const EVERYWHERE = "Regards";
/** A word in the subject and the body of each hundredth message. */
export const RARE = "quicksilver";
/** A word in no message. */
export const NOWHERE = "zyzzogeton";

/** Numbers from 0 up to 1 that repeat with the seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const SYLLABLES = "ba be bi bo bu da de di do du ka ke ki ko ku la le li lo lu ma me mi mo mu ra re"
  .concat(" ri ro ru sa se si so su ta te ti to tu va ve vi vo vu na ne ni no nu pa pe pi po pu")
  .split(" ");

const VOCABULARY = (() => {
  const random = randomOf(1);
  const syllable = () => SYLLABLES[Math.floor(random() * SYLLABLES.length)]!;
  return Array.from({ length: 20_000 }, () => {
    let word = syllable();
    while (random() < 0.7 && word.length < 14) word += syllable();
    return word;
  });
})();

/** Words, the first ones of the vocabulary much more often than the last ones. */
function words(random: () => number, count: number): string {
  const found: string[] = [];
  for (let i = 0; i < count; i++) {
    found.push(VOCABULARY[Math.floor(random() ** 3 * VOCABULARY.length)]!);
  }
  return found.join(" ");
}

function paragraph(random: () => number, bytes: number): string {
  let text = "";
  while (text.length < bytes) text += `${words(random, 11)}\r\n`;
  return text;
}

/** The message with this number, of about `bytes` octets; each third has an HTML form beside. */
export function makeMessage(number: number, bytes: number): Uint8Array {
  const random = randomOf(number + 1000);
  const rare = number % 100 === 7 ? ` ${RARE}` : "";
  const date = new Date(Date.UTC(2020, 0, 1) + number * 3_600_000).toUTCString();
  const header = `Return-Path: <sender${number % 97}@example.com>\r\n` +
    `Received: from mx.example.com (mx.example.com [192.0.2.1])\r\n` +
    `\tby mail.bench.example with ESMTPS id ${number};\r\n\t${date.replace("GMT", "+0000")}\r\n` +
    `Date: ${date.replace("GMT", "+0000")}\r\nFrom: ${words(random, 2)} <sender${
      number % 97
    }@example.com>\r\nTo: User <user@bench.example>\r\nCc: other@bench.example\r\n` +
    `Subject: ${words(random, 4)} ${EVERYWHERE}${rare}\r\n` +
    `Message-ID: <${number}.${Math.floor(random() * 1e9)}@example.com>\r\nMIME-Version: 1.0\r\n`;
  const ending = `\r\n${EVERYWHERE}${rare}\r\n`;
  if (number % 3 > 0) {
    const text = paragraph(random, bytes - header.length - 80) + ending;
    return encode(`${header}Content-Type: text/plain; charset=utf-8\r\n\r\n${text}`);
  }
  const text = paragraph(random, (bytes - header.length - 400) / 2) + ending;
  const html = `<html><body><p>${text.replaceAll("\r\n", "<br>\r\n")}</p></body></html>\r\n`;
  return encode(
    `${header}Content-Type: multipart/alternative; boundary="=_${number}"\r\n\r\n` +
      `--=_${number}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${text}\r\n` +
      `--=_${number}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n${html}\r\n` +
      `--=_${number}--\r\n`,
  );
}

/** A message with one attachment, base64 of what does not compress. */
export function makeLargeMessage(bytes: number): Uint8Array {
  const random = randomOf(5);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const header = encode(
    "From: sender@example.com\r\nSubject: large\r\nMIME-Version: 1.0\r\n" +
      "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n",
  );
  const message = new Uint8Array(bytes);
  message.set(header);
  for (let i = header.length; i < bytes; i++) {
    const column = (i - header.length) % 78;
    message[i] = column === 76
      ? 13
      : column === 77
      ? 10
      : alphabet.charCodeAt(Math.floor(random() * 64));
  }
  message.set([13, 10], bytes - 2);
  return message;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
