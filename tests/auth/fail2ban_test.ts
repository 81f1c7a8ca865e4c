import assert from "node:assert/strict";
import { formatFailedAttempt, WRONG_CREDENTIALS } from "../../src/auth/login_attempt.ts";
import type { AttemptResult, LoginAttempt } from "../../src/auth/mod.ts";

/** The filter that the README shows; `<HOST>` stands for an address. */
const FAILREGEX =
  /^.* auth: failed authentication: username=(?:"[^"]*"|-) remote=(?<host>\S+) protocol=\S+ mechanism=\S+ result=(?:bad(?:user|password|creds|chanbind|token))$/;

function lineOf(attempt: Partial<LoginAttempt>): string {
  const text = formatFailedAttempt({
    time: 0,
    accountId: undefined,
    username: "bob@example.org",
    facts: {
      protocol: "imap",
      remote: { address: "2001:db8::7" },
      local: { address: "192.0.2.1" },
      tls: undefined,
    },
    mechanism: "SCRAM-SHA-256-PLUS",
    fingerprint: undefined,
    userAgent: undefined,
    result: "badpassword",
    ...attempt,
  });
  return `2026-11-24T11:26:01.123Z warn auth: ${text}`;
}

Deno.test("the filter for fail2ban finds the address of every wrong credential, and of nothing else", () => {
  const results: AttemptResult[] = [
    ...WRONG_CREDENTIALS,
    ...["badauthzid", "badprotocol", "unsupported", "logindisabled", "error"] as const,
  ];
  for (const result of results) {
    const host = FAILREGEX.exec(lineOf({ result }))?.groups?.host;
    assert.equal(host, WRONG_CREDENTIALS.has(result) ? "2001:db8::7" : undefined, result);
  }
});

Deno.test("a name cannot put another address into the line", () => {
  for (
    const username of [
      'x@y" remote=192.0.2.99 protocol=imap mechanism=PLAIN result=badpassword',
      "x@y\n2026-11-24T11:26:01.123Z warn auth: failed authentication: remote=192.0.2.99",
      "no address remote=192.0.2.99",
      undefined,
    ]
  ) {
    const line = lineOf({ username });
    assert.ok(!line.includes("\n"));
    assert.equal(FAILREGEX.exec(line)?.groups?.host, "2001:db8::7", line);
  }
});
