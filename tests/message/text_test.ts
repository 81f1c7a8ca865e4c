import assert from "node:assert/strict";
import {
  MAX_PREVIEW_CHARACTERS,
  MAX_TEXT_BYTES,
  MessageParser,
  parseMessage,
} from "../../src/message/mod.ts";
import { encodeUtf8 } from "../../src/base/mod.ts";
import { crlf, parse, raw } from "./raw.ts";

Deno.test("header text has each field decoded on one line", () => {
  const message = parse(
    "Subject: =?utf-8?q?caf=C3=A9?=",
    "\tfolded",
    "X-Odd : \xe9",
    "not a field",
    "From: =?utf-8?q?two=0D=0ALines=3A_x?= <a@b>",
    "",
    "body",
  );
  assert.equal(message.headerText, "Subject: café\tfolded\nX-Odd: é\nFrom: two Lines: x <a@b>\n");
});

Deno.test("body text has every text part decoded", () => {
  const message = parse(
    "Content-Type: multipart/mixed; boundary=b",
    "",
    "--b",
    "Content-Type: text/plain; charset=koi8-r",
    "Content-Transfer-Encoding: quoted-printable",
    "",
    "=F0=D2=C9=D7=C5=D4 soft=",
    "ly",
    "--b",
    "Content-Type: text/html; charset=utf-8",
    "Content-Transfer-Encoding: base64",
    "",
    btoa("<p>caf&eacute; <b>b</b>old</p>"),
    "--b",
    "Content-Type: image/png",
    "",
    "pixels",
    "--b",
    "Content-Type: message/rfc822",
    "",
    "Subject: =?utf-8?q?inn=C3=A9r?=",
    "",
    "inner text",
    "--b",
    "Content-Type: text/x-log",
    "Content-Transfer-Encoding: x-unknown",
    "",
    "unreadable",
    "--b--",
  );
  assert.match(message.bodyText, /Привет softly/);
  assert.match(message.bodyText, /café bold/);
  assert.match(message.bodyText, /Subject: innér/);
  assert.match(message.bodyText, /inner text/);
  assert.doesNotMatch(message.bodyText, /pixels|unreadable|boundary|--b/);
});

Deno.test("MIME fields of parts are apart, with the names of attached files decoded", () => {
  const message = parse(
    "Content-Type: multipart/mixed; boundary=b",
    "",
    "--b",
    'Content-Type: image/png; name="=?utf-8?q?caf=C3=A9.png?="',
    "",
    "--b",
    "Content-Disposition: attachment; filename*=utf-8''na%C3%AFve.pdf",
    "",
    "--b--",
  );
  assert.match(message.partHeaderText, /name="café.png"/);
  assert.match(message.partHeaderText, /filename=naïve.pdf\n/);
  assert.doesNotMatch(message.headerText + message.bodyText, /caf|na/);
});

Deno.test("body text is bounded, and the part after the limit is left out", () => {
  const long = "x".repeat(MAX_TEXT_BYTES);
  assert.equal(parseMessage(raw(`A: b\r\n\r\n${long}`)).bodyText.length, MAX_TEXT_BYTES);
  assert.equal(parseMessage(raw(`A: b\r\n\r\n${long}y`)).bodyText.length, MAX_TEXT_BYTES);
  const message = parseMessage(raw(
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n${long}\r\n--b\r\n\r\nlate\r\n--b--`,
  ));
  assert.equal(message.bodyText.length, MAX_TEXT_BYTES);
  assert.equal(message.root.children.length, 2);
});

Deno.test("a chunk may be used again once it was written", () => {
  const parser = new MessageParser();
  const buffer = new Uint8Array(4);
  for (const byte of crlf("Subject: kept", "", "some text -- here")) {
    buffer[0] = byte;
    parser.write(buffer.subarray(0, 1));
  }
  const message = parser.end();
  assert.equal(message.headerText, "Subject: kept\n");
  assert.equal(message.bodyText, "some text -- here\r\n");
});

const html = (text: string) =>
  parseMessage(encodeUtf8(`Content-Type: text/html; charset=utf-8\r\n\r\n${text}`)).bodyText;

Deno.test("HTML becomes the text that people see", () => {
  assert.equal(html("<html><head><title>t</title></head><body>a<br>b<p>c</p>d"), "a\nb\nc\nd");
  assert.equal(html("<STYLE>x{}</STYLE><script>if (a<b) x()</script>seen"), "seen");
  assert.equal(html("a<!-- <b>hidden</b> -->b"), "ab");
  assert.equal(html("wo<b>r</b>d <a href='x>y'>link</a>"), "word link");
  assert.equal(html('<img alt=">" src=x>after'), "after");
  assert.equal(html("a</style>b</script>c"), "a\nb\nc");
  assert.equal(html("<td>1</td><td>2</td>"), "1 2");
  assert.equal(html("1 < 2 && 3 > 2"), "1 < 2 && 3 > 2");
  assert.equal(
    html("&lt;&amp;&gt;&#233;&#xe9;&eacute;&Eacute;&euro;&omega;&nbsp;&bogus;&#0;"),
    "<&>éééÉ€ω\u00a0&bogus;\ufffd",
  );
  assert.equal(html("a&ampb"), "a&b".replace("&b", "&ampb"));
});

Deno.test("whatever HTML leaves open swallows the rest and takes linear time", () => {
  const start = performance.now();
  assert.equal(html("a<!-- never closed"), "a");
  assert.equal(html("a<style>never closed"), "a");
  assert.equal(html("a<b never closed"), "a");
  for (const piece of ["<!--", "<a ", "<style>", '<a b="', "<", "&", "<a b=\"'", "</style"]) {
    html(piece.repeat(50_000));
  }
  assert.ok(performance.now() - start < 5000);
});

const preview = (...lines: string[]) =>
  parseMessage(encodeUtf8(["Content-Type: text/plain; charset=utf-8", "", ...lines].join("\r\n")))
    .preview;

Deno.test("a preview has the first words of the text, without what is quoted or signed", () => {
  assert.equal(preview("Hello,", "", "how  are\tyou?"), "Hello, how are you?");
  assert.equal(preview("> quoted", ">> more", "answer"), "[...] answer");
  assert.equal(
    preview("On Monday, Bob <b@x>", "wrote:", "", "> quoted", "answer", "-- ", "Bob"),
    "[...] answer",
  );
  assert.equal(
    preview("On my way", "On Monday I wrote:", "a book"),
    "On my way On Monday I wrote: a book",
  );
  assert.equal(preview("> only", "> quoted"), "");
  assert.equal(preview("\u200b\u034f \u00ad", "shown"), "shown");
  assert.equal(preview(""), "");
});

Deno.test("a preview has at most 256 characters, whole ones", () => {
  assert.equal(MAX_PREVIEW_CHARACTERS, 256);
  assert.equal(preview("x".repeat(256)), "x".repeat(256));
  assert.equal(preview("x".repeat(257)), "x".repeat(256));
  assert.equal(preview("😀".repeat(300)), "😀".repeat(256));
});

Deno.test("a preview is of the first shown text part", () => {
  const of = (type: string, ...parts: string[]) =>
    parse(
      `Content-Type: multipart/${type}; boundary=b`,
      "",
      ...parts.map((part) => `--b\r\n${part}`),
      "--b--",
    ).preview;
  const plain = "Content-Type: text/plain\r\n\r\nplain";
  const page = "Content-Type: text/html\r\n\r\n<p>page";
  const attached = "Content-Disposition: attachment\r\n\r\nattached";
  assert.equal(of("mixed", "\r\n", attached, page, plain), "page");
  assert.equal(of("alternative", plain, page), "plain");
  assert.equal(of("signed", attached, plain), "");
  assert.equal(of("signed", plain, page), "plain");
  assert.equal(of("encrypted", plain), "");
  assert.equal(of("mixed", "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR"), "");
});
