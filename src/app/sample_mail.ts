import { Buffer } from "node:buffer";
import { type Bytes, encodeUtf8 } from "../base/mod.ts";
import { SystemFlag } from "../store/mod.ts";

/** A message of the demo account. */
export interface SampleMessage {
  readonly mailbox: string;
  /** OR of `SystemFlag`. */
  readonly flags: number;
  /** Seconds since 1970. */
  readonly received: number;
  readonly raw: Bytes;
}

const DEMO = "Demo <demo@localhost>";
const HOUR = 3600;

/** Mail of several kinds, the newest an hour before `nowSeconds`. */
export function sampleMail(nowSeconds: number): SampleMessage[] {
  const { seen, flagged, answered } = SystemFlag;
  const at = (hoursAgo: number) => nowSeconds - hoursAgo * HOUR;
  return [
    message("INBOX", seen, at(200), {
      from: "Postern <postmaster@localhost>",
      subject: "Welcome",
      id: "welcome",
      body: text(
        "This mailbox lives in your own server, in the folder it was started in.\n\n" +
          "Try search, flags, folders, or leave two mail programs open side by side:\n" +
          "what you do in one shows up in the other at once.\n",
      ),
    }),
    message("INBOX", seen | answered, at(100), {
      from: "Ada Lovelace <ada@example.org>",
      subject: "Notes on the engine",
      id: "notes-1",
      body: text("Have you had time to look at my notes? I am most curious what you make of G.\n"),
    }),
    message("Sent", seen, at(98), {
      from: DEMO,
      to: "Ada Lovelace <ada@example.org>",
      subject: "Re: Notes on the engine",
      id: "notes-2",
      references: ["notes-1"],
      body: text("I have, and I believe note G is the best of them.\n"),
    }),
    message("INBOX", flagged, at(96), {
      from: "Ada Lovelace <ada@example.org>",
      subject: "Re: Notes on the engine",
      id: "notes-3",
      references: ["notes-1", "notes-2"],
      body: text("Then it goes to print.\n\n> I believe note G is the best of them.\n"),
    }),
    message("INBOX", 0, at(48), {
      from: "=?utf-8?b?5aSp5rCX5LqI5aCx?= <tenki@example.jp>",
      subject: "=?utf-8?b?5piO5pel44Gu5aSp5rCX77ya5pm044KMIOKYgO+4jw==?=",
      id: "weather",
      body: [
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: base64",
        "",
        base64Lines(encodeUtf8("明日は晴れ、最高気温は二十度でしょう。\r\n")),
      ],
    }),
    message("INBOX", seen, at(30), {
      from: "=?iso-8859-1?q?J=FCrgen_M=FCller?= <juergen@example.de>",
      subject: "=?iso-8859-1?q?Gr=FC=DFe_aus_M=FCnchen?=",
      id: "greetings",
      body: [
        "Content-Type: text/plain; charset=iso-8859-1",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "Viele Gr=FC=DFe! Das Wetter ist sch=F6n, das Bier k=FChl, und der Zug f=E4hrt =",
        "heute sogar p=FCnktlich.",
        "",
      ],
    }),
    message("INBOX", 0, at(5), {
      from: "The Gazette <news@example.com>",
      subject: "This week: a letter in two forms",
      id: "gazette",
      body: multipart("alternative", [
        text("The Gazette\n\nThis letter comes as text and as a page; your program chooses.\n"),
        [
          "Content-Type: text/html; charset=utf-8",
          "Content-Transfer-Encoding: 7bit",
          "",
          "<!doctype html><title>The Gazette</title><h1>The Gazette</h1>",
          "<p>This letter comes as text and as a <b>page</b>; your program chooses.</p>",
          "",
        ],
      ]),
    }),
    message("INBOX", 0, at(1), {
      from: "Ada Lovelace <ada@example.org>",
      subject: "The drawing",
      id: "drawing",
      body: multipart("mixed", [
        text("The drawing that I promised is attached.\n"),
        [
          'Content-Type: image/png; name="drawing.png"',
          'Content-Disposition: attachment; filename="drawing.png"',
          "Content-Transfer-Encoding: base64",
          "",
          DRAWING_PNG,
        ],
      ]),
    }),
  ];
}

/** Circles in circles, a PNG of 32 by 32 points. */
const DRAWING_PNG = [
  "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAjElEQVR42u2WwQ2AMAhF/zidyUkc",
  "whF77hzeK1Bq4UejCef3IGnho7WaWniEoGyHWAECDe3XYAXt0SCEbjgQRdcccNLrXrpyOjCkX9FD",
  "zYTApmsOWXCPPnSoAj9ddPSClfbtIRDSvjHEL/isIP6Zpn80xqpIX3aMdZ1+cBgnk3H0GbGFEbxI",
  "0fEF6foEqWYz2sEutB8AAAAASUVORK5CYII=",
].join("\r\n");

interface Parts {
  readonly from: string;
  readonly to?: string;
  readonly subject: string;
  /** Local part of the Message-ID. */
  readonly id: string;
  readonly references?: readonly string[];
  /** Lines of the MIME header and the body. */
  readonly body: readonly string[];
}

function message(mailbox: string, flags: number, received: number, parts: Parts): SampleMessage {
  const references = (parts.references ?? []).map(messageId);
  const last = references.at(-1);
  const lines = [
    `Date: ${new Date(received * 1000).toUTCString().replace("GMT", "+0000")}`,
    `From: ${parts.from}`,
    `To: ${parts.to ?? DEMO}`,
    `Subject: ${parts.subject}`,
    `Message-ID: ${messageId(parts.id)}`,
    ...(last ? [`In-Reply-To: ${last}`, `References: ${references.join(" ")}`] : []),
    "MIME-Version: 1.0",
    ...parts.body,
  ];
  return { mailbox, flags, received, raw: encodeUtf8(lines.join("\r\n")) };
}

function messageId(local: string): string {
  return `<${local}@sample.postern.invalid>`;
}

function text(content: string): string[] {
  return ["Content-Type: text/plain; charset=utf-8", "", ...content.split("\n")];
}

function multipart(subtype: string, parts: readonly (readonly string[])[]): string[] {
  const boundary = "part-of-the-sample";
  return [
    `Content-Type: multipart/${subtype}; boundary="${boundary}"`,
    "",
    ...parts.flatMap((part) => [`--${boundary}`, ...part]),
    `--${boundary}--`,
    "",
  ];
}

function base64Lines(bytes: Bytes): string {
  return (Buffer.from(bytes).toString("base64").match(/.{1,76}/g) ?? []).join("\r\n") + "\r\n";
}
