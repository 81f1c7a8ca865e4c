import assert from "node:assert/strict";
import { parseMessage } from "../../src/message/mod.ts";
import { crlf, parse, raw, text } from "./raw.ts";
import { readBody, readEnvelope } from "./wire_grammar.ts";

const envelope = (...lines: string[]) => text(parse(...lines, "").envelope);
const structure = (...lines: string[]) => text(parse(...lines).bodyStructure);

Deno.test("the envelope of the RFC's sample connection comes out as printed there", () => {
  // RFC 3501 8.
  const message = parse(
    "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)",
    "From: Terry Gray <gray@cac.washington.edu>",
    "Subject: IMAP4rev1 WG mtg summary and minutes",
    "To: imap@cac.washington.edu",
    "cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>",
    "Message-Id: <B27397-0100000@cac.washington.edu>",
    "MIME-Version: 1.0",
    "Content-Type: TEXT/PLAIN; CHARSET=US-ASCII",
    "",
    "body",
  );
  assert.equal(
    text(message.envelope),
    '("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev1 WG mtg summary and minutes" ' +
      '(("Terry Gray" NIL "gray" "cac.washington.edu")) ' +
      '(("Terry Gray" NIL "gray" "cac.washington.edu")) ' +
      '(("Terry Gray" NIL "gray" "cac.washington.edu")) ' +
      '((NIL NIL "imap" "cac.washington.edu")) ' +
      '((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) ' +
      'NIL NIL "<B27397-0100000@cac.washington.edu>")',
  );
  assert.equal(
    text(message.body),
    '("text" "plain" ("charset" "US-ASCII") NIL NIL "7bit" 6 1)',
  );
  assert.equal(
    text(message.bodyStructure),
    '("text" "plain" ("charset" "US-ASCII") NIL NIL "7bit" 6 1 NIL NIL NIL NIL)',
  );
});

Deno.test("an absent field is NIL and an empty one is the empty string", () => {
  assert.equal(envelope("X: y"), "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
  assert.equal(
    envelope("Date:", "Subject: ", "From:", "To: ", "In-Reply-To:", "Message-ID:"),
    '("" "" NIL NIL NIL NIL NIL NIL "" "")',
  );
});

Deno.test("sender and reply-to default to from, also when they are empty", () => {
  const from = '((NIL NIL "a" "x"))';
  assert.equal(
    envelope("From: a@x", "Sender:", "Reply-To: b@x"),
    `(NIL NIL ${from} ${from} ((NIL NIL "b" "x")) NIL NIL NIL NIL NIL)`,
  );
});

Deno.test("values are unfolded, and quoted or literal as their bytes allow", () => {
  const subject = (value: string) => {
    const wire = envelope(`Subject: ${value}`);
    return wire.slice("(NIL ".length, wire.length - " NIL".repeat(8).length - 1);
  };
  assert.equal(subject('say "hi" \\ now'), '"say \\"hi\\" \\\\ now"');
  assert.equal(subject("caf\xc3\xa9"), "{5}\r\ncaf\xc3\xa9");
  assert.equal(subject("=?utf-8?q?caf=C3=A9?="), '"=?utf-8?q?caf=C3=A9?="');
  assert.equal(subject("one\r\n two\r\n\tthree"), '"one two\tthree"');
  assert.equal(subject("nul\0s\0"), '"nuls"');
  assert.equal(subject("bare\rreturn"), '"barereturn"');
  // A0 ends the UTF-8 form of "à": JavaScript's trim would take it away.
  assert.equal(subject("voil\xc3\xa0"), "{6}\r\nvoil\xc3\xa0");
});

Deno.test("the first of repeated fields counts, but all recipients do", () => {
  // RFC 5322 4.5.3.
  assert.equal(
    envelope("Subject: a", "Subject: b", "From: a@x", "From: b@x", "To: c@x", "To: d@x"),
    '(NIL "a" ((NIL NIL "a" "x")) ((NIL NIL "a" "x")) ((NIL NIL "a" "x")) ' +
      '((NIL NIL "c" "x")(NIL NIL "d" "x")) NIL NIL NIL NIL)',
  );
});

Deno.test("a two-part message has the structure that the RFC prints", () => {
  // RFC 9051 7.5.2, with smaller parts.
  const message = parse(
    "Content-Type: multipart/mixed; boundary=x",
    "",
    "--x",
    'Content-Type: TEXT/PLAIN; CHARSET="US-ASCII"',
    "",
    "one",
    "two",
    "--x",
    "Content-Type: TEXT/PLAIN; CHARSET=US-ASCII; NAME=cc.diff",
    "Content-ID: <960723163407.20117h@cac.washington.edu>",
    "Content-Description: Compiler diff",
    "Content-Transfer-Encoding: BASE64",
    "",
    "YQo=",
    "",
    "--x--",
  );
  assert.equal(
    text(message.body),
    '(("text" "plain" ("charset" "US-ASCII") NIL NIL "7bit" 8 1)' +
      '("text" "plain" ("charset" "US-ASCII" "name" "cc.diff") ' +
      '"<960723163407.20117h@cac.washington.edu>" "Compiler diff" "base64" 6 1) "mixed")',
  );
  assert.equal(
    text(message.bodyStructure),
    '(("text" "plain" ("charset" "US-ASCII") NIL NIL "7bit" 8 1 NIL NIL NIL NIL)' +
      '("text" "plain" ("charset" "US-ASCII" "name" "cc.diff") ' +
      '"<960723163407.20117h@cac.washington.edu>" "Compiler diff" "base64" 6 1 NIL NIL NIL NIL) ' +
      '"mixed" ("boundary" "x") NIL NIL NIL)',
  );
});

Deno.test("every extension field is given", () => {
  assert.equal(
    structure(
      "Content-Type: application/pdf",
      "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==",
      'Content-Disposition: ATTACHMENT; filename="a b.pdf"; size=3',
      "Content-Language: da, en",
      "Content-Location: http://example.org/",
      " long",
      "Content-Transfer-Encoding: base64 (comment)",
      "",
      "AAAA",
    ),
    '("application" "pdf" NIL NIL NIL "base64" 6 "Q2hlY2sgSW50ZWdyaXR5IQ==" ' +
      '("attachment" ("filename" "a b.pdf" "size" "3")) ("da" "en") "http://example.org/long")',
  );
  assert.equal(
    structure("Content-Disposition: inline", "Content-Language: en", "", "x"),
    '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3 1 NIL ("inline" NIL) "en" NIL)',
  );
  assert.equal(
    structure(
      "Content-Type: multipart/mixed; boundary=b",
      "Content-Disposition: inline; x=y",
      "Content-Language: de",
      "Content-Location: u",
      "",
      "--b",
      "",
      "--b--",
    ),
    '(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL) "mixed" ' +
      '("boundary" "b") ("inline" ("x" "y")) "de" "u")',
  );
});

Deno.test("an embedded message carries its size, envelope, structure and lines", () => {
  const inner = crlf("Subject: in", "", "1", "2");
  assert.equal(
    structure(
      "Content-Type: multipart/mixed; boundary=b",
      "",
      "--b",
      "Content-Type: message/rfc822",
      "",
      `${text(inner)}--b--`,
    ),
    `(("message" "rfc822" NIL NIL NIL "7bit" ${inner.length - 2} ` +
      '(NIL "in" NIL NIL NIL NIL NIL NIL NIL NIL) ' +
      '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 4 1 NIL NIL NIL NIL) 3 ' +
      'NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL)',
  );
});

Deno.test("a multipart that cannot be one still has a valid structure", () => {
  const plain = '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 7 1 NIL NIL NIL NIL)';
  assert.equal(structure("Content-Type: multipart/mixed", "", "hello"), plain);
  assert.equal(structure('Content-Type: multipart/mixed; boundary=""', "", "hello"), plain);
  // No delimiter ever comes: an empty part stands in, because the grammar asks for one.
  assert.equal(
    structure("Content-Type: multipart/mixed; boundary=b", "", "hello"),
    '(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL) "mixed" ' +
      '("boundary" "b") NIL NIL NIL)',
  );
});

Deno.test("a type that makes no sense is plain text", () => {
  // RFC 2045 5.2.
  for (const type of ["", "nonsense", "a/b/c", "text/", "/plain", "text/pl@in", ";;;"]) {
    assert.match(
      structure(`Content-Type: ${type}`, "", "x"),
      /^\("text" "plain" \("charset" "us-ascii"\) /,
      type,
    );
  }
  assert.match(
    structure("Content-Type: text; charset=x", "", "x"),
    /^\("text" "plain" \("charset" "x"\) /,
  );
  assert.match(structure("Content-Type: text/html", "", "x"), /^\("text" "html" NIL /);
});

Deno.test("continued and extended parameters are joined", () => {
  const parameters = (...fields: string[]) =>
    /^\("a" "b" (.*) NIL NIL "7bit" 0 NIL NIL NIL NIL\)$/s.exec(
      structure(`Content-Type: a/b; ${fields.join("; ")}`, ""),
    )?.[1];
  // RFC 2231 3, 4 and 4.1.
  assert.equal(
    parameters('URL*0="ftp://"', 'URL*1="cs.utk.edu/pub"'),
    '("url" "ftp://cs.utk.edu/pub")',
  );
  assert.equal(
    parameters("title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A"),
    `("title*" "UTF-8'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A")`,
  );
  assert.equal(
    parameters("t*0*=us-ascii'en'This%20is%20", 't*2="isn\'t it!"', "t*1*=%2A%2Afun%20"),
    `("t*" "UTF-8'en'This%20is%20%2A%2Afun%20isn%27t%20it!")`,
  );
  assert.equal(parameters("f*=iso-8859-1''na%EFve"), `("f*" "UTF-8''na%C3%AFve")`);
  assert.equal(
    parameters("a=1", "A=2", "b", "=c", 'd = "x;\\"y"', "e=f g (c)"),
    '("a" "1" "d" "x;\\"y" "e" "f g")',
  );
  assert.equal(parameters("n*1=late", "n*3=x"), "NIL");
});

Deno.test("what is written is valid by the grammar and reads back", () => {
  const message = parseMessage(raw('Subject: \xff"\\\r\nFrom: "\xe9" <a@b>\r\n\r\n'));
  assert.deepEqual(readEnvelope(message.envelope), [
    null,
    '\xff"\\',
    [["\xe9", null, "a", "b"]],
    [["\xe9", null, "a", "b"]],
    [["\xe9", null, "a", "b"]],
    null,
    null,
    null,
    null,
    null,
  ]);
  readBody(message.body, false);
  readBody(message.bodyStructure, true);
});
