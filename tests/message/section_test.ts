import assert from "node:assert/strict";
import { encodeLatin1 } from "../../src/base/mod.ts";
import { headerFields, parseMessage, resolveSection } from "../../src/message/mod.ts";
import { crlf, parse, section, text } from "./raw.ts";

/** The message whose parts RFC 9051 6.4.5.1 (and RFC 3501 6.4.5) lists. */
const RFC_EXAMPLE = crlf(
  "From: a@example.org", //                     HEADER
  "Content-Type: multipart/mixed; boundary=outer",
  "",
  "preamble", //                                TEXT
  "--outer",
  "Content-Type: text/plain", //                1
  "",
  "one",
  "--outer",
  "Content-Type: application/octet-stream", //  2
  "",
  "two",
  "--outer",
  "Content-Type: message/rfc822", //            3
  "",
  "Subject: third", //                          3.HEADER
  "Content-Type: multipart/mixed; boundary=three",
  "",
  "--three", //                                 3.TEXT
  "",
  "three-one", //                               3.1
  "--three",
  "Content-Type: application/octet-stream", //  3.2
  "",
  "three-two",
  "--three--",
  "--outer",
  "Content-Type: multipart/mixed; boundary=four", // 4
  "",
  "--four",
  "Content-Type: image/gif", //                 4.1, 4.1.MIME
  "Content-ID: <gif@example.org>",
  "",
  "GIF89a",
  "--four",
  "Content-Type: message/rfc822", //            4.2
  "",
  "Subject: fourth", //                         4.2.HEADER
  "Content-Type: multipart/mixed; boundary=fourtwo",
  "",
  "--fourtwo", //                               4.2.TEXT
  "Content-Type: text/plain", //                4.2.1
  "",
  "four-two-one",
  "--fourtwo",
  "Content-Type: multipart/alternative; boundary=alt", // 4.2.2
  "",
  "--alt",
  "Content-Type: text/plain", //                4.2.2.1
  "",
  "plain",
  "--alt",
  "Content-Type: text/richtext", //             4.2.2.2
  "",
  "<bold>rich</bold>",
  "--alt--",
  "--fourtwo--",
  "--four--",
  "--outer--",
  "epilogue",
);

Deno.test("the parts of the RFC's example have the numbers that the RFC gives them", () => {
  const header = "From: a@example.org\r\nContent-Type: multipart/mixed; boundary=outer\r\n\r\n";
  assert.equal(section(RFC_EXAMPLE, ""), text(RFC_EXAMPLE));
  assert.equal(section(RFC_EXAMPLE, "HEADER"), header);
  assert.equal(section(RFC_EXAMPLE, "TEXT"), text(RFC_EXAMPLE).slice(header.length));
  assert.equal(section(RFC_EXAMPLE, "1"), "one");
  assert.equal(section(RFC_EXAMPLE, "1.MIME"), "Content-Type: text/plain\r\n\r\n");
  assert.equal(section(RFC_EXAMPLE, "2"), "two");
  const third = "Subject: third\r\nContent-Type: multipart/mixed; boundary=three\r\n\r\n";
  const thirdText = "--three\r\n\r\nthree-one\r\n--three\r\n" +
    "Content-Type: application/octet-stream\r\n\r\nthree-two\r\n--three--";
  assert.equal(section(RFC_EXAMPLE, "3"), third + thirdText);
  assert.equal(section(RFC_EXAMPLE, "3.HEADER"), third);
  assert.equal(section(RFC_EXAMPLE, "3.TEXT"), thirdText);
  assert.equal(section(RFC_EXAMPLE, "3.MIME"), "Content-Type: message/rfc822\r\n\r\n");
  assert.equal(section(RFC_EXAMPLE, "3.1"), "three-one");
  assert.equal(section(RFC_EXAMPLE, "3.1.MIME"), "\r\n");
  assert.equal(section(RFC_EXAMPLE, "3.2"), "three-two");
  assert.match(section(RFC_EXAMPLE, "4") ?? "", /^--four\r\n[^]*\r\n--four--$/);
  assert.equal(section(RFC_EXAMPLE, "4.1"), "GIF89a");
  assert.equal(
    section(RFC_EXAMPLE, "4.1.MIME"),
    "Content-Type: image/gif\r\nContent-ID: <gif@example.org>\r\n\r\n",
  );
  const fourth = "Subject: fourth\r\nContent-Type: multipart/mixed; boundary=fourtwo\r\n\r\n";
  assert.equal(section(RFC_EXAMPLE, "4.2.HEADER"), fourth);
  assert.match(section(RFC_EXAMPLE, "4.2.TEXT") ?? "", /^--fourtwo\r\n[^]*\r\n--fourtwo--$/);
  assert.equal(section(RFC_EXAMPLE, "4.2"), fourth + section(RFC_EXAMPLE, "4.2.TEXT"));
  assert.equal(section(RFC_EXAMPLE, "4.2.1"), "four-two-one");
  assert.match(section(RFC_EXAMPLE, "4.2.2") ?? "", /^--alt\r\n[^]*\r\n--alt--$/);
  assert.equal(section(RFC_EXAMPLE, "4.2.2.1"), "plain");
  assert.equal(section(RFC_EXAMPLE, "4.2.2.2"), "<bold>rich</bold>");
  assert.equal(section(RFC_EXAMPLE, "4.2.2.2.MIME"), "Content-Type: text/richtext\r\n\r\n");
});

Deno.test("a section that the message does not have is undefined", () => {
  for (
    const spec of [
      "5",
      "0",
      "1.1",
      "2.1",
      "3.3",
      "4.1.1",
      "4.2.3",
      "4.2.1.1",
      "4.2.2.3",
      "1.HEADER",
      "1.TEXT",
      "4.HEADER",
      "4.1.TEXT",
      "4.2.2.HEADER",
      "5.MIME",
      "MIME",
    ]
  ) assert.equal(section(RFC_EXAMPLE, spec), undefined, spec);
});

Deno.test("a message that is no multipart has one part, its body", () => {
  const message = crlf("Subject: x", "", "body");
  assert.equal(section(message, "1"), "body\r\n");
  assert.equal(section(message, "TEXT"), "body\r\n");
  assert.equal(section(message, "1.MIME"), "Subject: x\r\n\r\n");
  for (const spec of ["2", "1.1", "1.HEADER", "1.TEXT"]) {
    assert.equal(section(message, spec), undefined, spec);
  }
});

Deno.test("messages inside messages are numbered two levels deep", () => {
  const inner = crlf("Subject: innermost", "", "deep");
  const message = crlf(
    "Content-Type: multipart/mixed; boundary=b",
    "",
    "--b",
    "",
    "cover",
    "--b",
    "Content-Type: message/rfc822",
    "",
    "Subject: outer",
    "Content-Type: message/rfc822",
    "",
    text(inner),
    "--b--",
  );
  assert.equal(
    section(message, "2.HEADER"),
    "Subject: outer\r\nContent-Type: message/rfc822\r\n\r\n",
  );
  assert.equal(section(message, "2.TEXT"), text(inner));
  // The embedded message is no multipart, so it has one part: the innermost message whole.
  assert.equal(section(message, "2.1"), text(inner));
  assert.equal(section(message, "2.1.HEADER"), "Subject: innermost\r\n\r\n");
  assert.equal(section(message, "2.1.TEXT"), "deep\r\n");
  assert.equal(section(message, "2.1.1"), "deep\r\n");
  assert.equal(section(message, "2.1.MIME"), section(message, "2.HEADER"));
  for (const spec of ["2.2", "2.1.2", "2.1.1.1", "2.1.1.HEADER"]) {
    assert.equal(section(message, spec), undefined, spec);
  }
});

Deno.test("a message whose whole body is a message has that as part 1", () => {
  const message = crlf("Content-Type: message/rfc822", "", "Subject: in", "", "text");
  assert.equal(section(message, "1"), "Subject: in\r\n\r\ntext\r\n");
  assert.equal(section(message, "1.HEADER"), "Subject: in\r\n\r\n");
  assert.equal(section(message, "1.TEXT"), "text\r\n");
  assert.equal(section(message, "1.1"), "text\r\n");
  assert.equal(section(message, "2"), undefined);
});

Deno.test("HEADER.FIELDS keeps order, folding and case, and ends with an empty line", () => {
  const header = crlf(
    "Received: one",
    "Subject: a",
    "\tfolded",
    "SUBJECT : second",
    "Subjects: other",
    "To: x",
    "",
  );
  assert.equal(
    text(headerFields(header, ["to", "subject"])),
    "Subject: a\r\n\tfolded\r\nSUBJECT : second\r\nTo: x\r\n\r\n",
  );
  assert.equal(
    text(headerFields(header, ["SUBJECT", "absent"], true)),
    "Received: one\r\nSubjects: other\r\nTo: x\r\n\r\n",
  );
  assert.equal(text(headerFields(header, ["absent"])), "\r\n");
  assert.equal(text(headerFields(encodeLatin1("To: cut"), ["to"])), "To: cut\r\n\r\n");
});

Deno.test("a header without empty line is all header, and the body is empty", () => {
  const bytes = encodeLatin1("Subject: x\r\nTo: y@z\r\n");
  const message = parseMessage(bytes);
  assert.equal(message.headerSize, bytes.length);
  assert.deepEqual(resolveSection(message.root, { part: [], text: "TEXT" }), {
    start: bytes.length,
    end: bytes.length,
  });
});

Deno.test("children of a digest are messages unless they say otherwise", () => {
  const { root } = parse(
    "Content-Type: multipart/digest; boundary=d",
    "",
    "--d",
    "",
    "Subject: one",
    "",
    "first",
    "--d",
    "Content-Type: text/plain",
    "",
    "second",
    "--d--",
  );
  assert.deepEqual(root.children.map((part) => part.mediaType), ["message/rfc822", "text/plain"]);
});
