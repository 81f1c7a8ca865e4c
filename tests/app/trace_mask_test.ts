import assert from "node:assert/strict";
import fc from "fast-check";
import { ImapMask, SmtpMask, type TraceMask } from "../../src/app/live/trace_mask.ts";
import { createRegistry } from "../../src/imap/mod.ts";

const COMMANDS = createRegistry().commands;
const bytes = (text: string) => new TextEncoder().encode(text);

/** A conversation: `< ` from the client, `> ` to it; what a trace of it shows, in the same form. */
function show(mask: TraceMask, conversation: readonly string[]): string[] {
  return conversation.flatMap((turn) => {
    const text = bytes(turn.slice(2));
    const lines = turn.startsWith("<") ? mask.received(text) : mask.sent(text);
    return lines.map((line) => turn.slice(0, 2) + line);
  });
}

Deno.test("a trace of IMAP shows commands and responses, and mail as its size", () => {
  assert.deepEqual(
    show(new ImapMask(COMMANDS), [
      "> * OK ready\r\n",
      "< a SELECT INBOX\r\nb UID FETCH 1 BODY[]\r\n",
      "> * 1 FETCH (UID 1 BODY[] {12}\r\nsecret mail\n FLAGS ())\r\nb OK done\r\n",
      '> * 2 FETCH (BODY[TEXT]<0> "secret \\" mail" BODY[] NIL PREVIEW "sec")\r\n',
      "< c APPEND INBOX (\\Seen) {6}\r\n",
      "> + go\r\n",
      "< secret\r\n",
      "< d IDLE\r\n",
      "> + idling\r\n",
      "< DONE\r\n",
    ]),
    [
      "> * OK ready",
      "< a SELECT INBOX",
      "< b UID FETCH 1 BODY[]",
      "> * 1 FETCH (UID 1 BODY[] {12} (12 octets)",
      ">  FLAGS ())",
      "> b OK done",
      "> * 2 FETCH (BODY[TEXT]<0> (14 octets) BODY[] NIL PREVIEW (3 octets))",
      "< c APPEND INBOX (\\Seen) {6} (6 octets)",
      "> + go",
      "< ",
      "< d IDLE",
      "> + idling",
      "< DONE",
    ],
  );
});

Deno.test("a trace of IMAP shows neither passwords nor what mechanisms say", () => {
  assert.deepEqual(
    show(new ImapMask(COMMANDS), [
      '< a login me "secret"\r\n',
      "< b LOGIN {2}\r\n",
      "> + go\r\n",
      "< me {6}\r\n",
      "> + go\r\n",
      "< secret\r\n",
      "> b OK in\r\n",
      "< c AUTHENTICATE PLAIN secret\r\n",
      "> c NO no\r\n",
      "< d AUTHENTICATE secret\r\n",
      "> + secret\r\n",
      "< secret\r\nx NOOP secret\r\n",
      "> d OK [CAPABILITY IMAP4rev1] in\r\n",
      "< e NOOP\r\n",
      "< f LOGINN me secret\r\n",
      "< secret\r\n",
    ]),
    [
      "< a LOGIN (masked)",
      "< b LOGIN (masked) (2 octets)",
      "> + go",
      "< (masked) (6 octets)",
      "> + go",
      "< (masked)",
      "> b OK in",
      "< c AUTHENTICATE PLAIN (masked)",
      "> c NO no",
      "< d AUTHENTICATE (masked)",
      "> + (masked)",
      "< (6 octets of a login)",
      "< (13 octets of a login)",
      "> d OK [CAPABILITY IMAP4rev1] in",
      "< e NOOP",
      "< (18 octets that are no command)",
      "< (6 octets that are no command)",
    ],
  );
});

Deno.test("a trace of IMAP shows no secret that the server took for a tag", () => {
  assert.deepEqual(
    show(new ImapMask(COMMANDS), [
      // Sent ahead, though the mechanism is none.
      "< a AUTHENTICATE FOO\r\nAHNlY3JldA==\r\nb NOOP\r\n",
      "> a NO no such mechanism\r\nAHNlY3JldA== BAD Unknown command\r\nb OK done\r\n",
      "< secret x\r\n",
      "> secret BAD Unknown command\r\n",
    ]).filter((line) => line.startsWith(">")),
    [
      "> a NO no such mechanism",
      "> (masked) BAD Unknown command",
      // It came before the login was over, and was not shown.
      "> (masked) OK done",
      "> (masked) BAD Unknown command",
    ],
  );
});

Deno.test("a literal that the server did not want is not waited for, and what comes all the same is secret", () => {
  assert.deepEqual(
    show(new ImapMask(COMMANDS), [
      "< a LOGIN {2}\r\n",
      "> a NO [PRIVACYREQUIRED] no\r\n",
      "< b NOOP\r\n",
      "< c LOGIN {2}\r\n",
      "> c NO [PRIVACYREQUIRED] no\r\n",
      "< me {6}\r\nsecret\r\n",
    ]),
    [
      "< a LOGIN (masked) (2 octets)",
      "> a NO [PRIVACYREQUIRED] no",
      "< b NOOP",
      "< c LOGIN (masked) (2 octets)",
      "> c NO [PRIVACYREQUIRED] no",
      "< (6 octets that are no command) (6 octets)",
      "< (masked)",
    ],
  );
});

Deno.test("a trace of SMTP shows neither passwords nor messages", () => {
  assert.deepEqual(
    show(new SmtpMask(), [
      "> 220 mail ESMTP\r\n",
      "< EHLO me\r\nAUTH PLAIN secret\r\n",
      "> 250-mail\r\n250 AUTH PLAIN\r\n235 2.7.0 in\r\n",
      "< AUTH LOGIN\r\n",
      "> 334 secret\r\n",
      "< secret\r\n",
      "> 535 5.7.8 no\r\n",
      "< MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n",
      "> 250 ok\r\n250 ok\r\n354 go\r\n",
      "< secret\r\n\r\n..\r\n.\r\nBDAT 6 LAST\r\nsecretQUIT\r\n",
      "> 250 taken\r\n",
      "< secret mail\r\n",
    ]),
    [
      "> 220 mail ESMTP",
      "< EHLO me",
      "< AUTH PLAIN (masked)",
      "> 250-mail",
      "> 250 AUTH PLAIN",
      "> 235 2.7.0 in",
      "< AUTH LOGIN (masked)",
      "> 334 (masked)",
      "< (6 octets of a login)",
      "> 535 5.7.8 no",
      "< MAIL FROM:<a@x>",
      "< RCPT TO:<b@x>",
      "< DATA",
      "> 250 ok",
      "> 250 ok",
      "> 354 go",
      "< (14 octets of a message)",
      "< .",
      "< BDAT 6 LAST",
      "< (6 octets of a message)",
      "< QUIT",
      "> 250 taken",
      "< (11 octets that are no command)",
    ],
  );
});

Deno.test("however a conversation is cut into pieces, the same is shown, and no secret", () => {
  const conversation = "< a LOGIN {2}\r\nme {6+}\r\nsecret\r\n" +
    "b AUTHENTICATE PLAIN\r\nsecret\r\nsecret secret\r\nc FETCH {3+}\r\n1:* BODY\r\n";
  const whole = show(new ImapMask(COMMANDS), [conversation]);
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 2, max: conversation.length }), { maxLength: 8 }),
    (cuts) => {
      const at = [2, ...cuts.toSorted((a, b) => a - b), conversation.length];
      const pieces = at.slice(1).map((end, i) => `< ${conversation.slice(at[i], end)}`);
      assert.deepEqual(show(new ImapMask(COMMANDS), pieces), whole);
    },
  ));
  assert.ok(!whole.join("\n").includes("secret"));
});

Deno.test("a line that is very long is cut, and costs no more memory than is shown", () => {
  const mask = new ImapMask(COMMANDS);
  const [line] = show(mask, [`< a SEARCH TEXT "${"x".repeat(100_000)}"\r\n`]);
  assert.match(line ?? "", /^< a SEARCH TEXT "x+ \(99016 octets more\)$/);
  assert.equal(line?.length, 2 + 1_000 + " (99016 octets more)".length);
});
