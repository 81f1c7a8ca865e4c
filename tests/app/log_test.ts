import assert from "node:assert/strict";
import { hideAddresses } from "../../src/app/log.ts";

Deno.test("a log without addresses names neither mailboxes nor networks, and keeps the rest", () => {
  const hidden: [text: string, left: string][] = [
    [
      'failed authentication: username="a.b+c@example.org" remote=192.0.2.1 protocol=imap',
      'failed authentication: username="(address)" remote=(address) protocol=imap',
    ],
    [
      "<x@[192.0.2.1]> from 2001:db8::1, ::1 and ::ffff:192.0.2.7",
      "<(address)> from (address), (address) and (address)",
    ],
    ["at fe80:0:0:0:1:2:3:4 2001:db8:1:2:3:4:5:6", "at (address) (address)"],
    ['{"remote":"2001:db8::7"}', '{"remote":"(address)"}'],
  ];
  for (const [text, left] of hidden) assert.equal(hideAddresses(text), left);
  const kept = [
    "2026-11-24T11:26:01.123Z info session: connection 12 ended after 3.5 s",
    "    at file:///src/app/log.ts:12:34",
    "version 0.1.0, Deno 2.9.6, SQLite 3.50.1",
    "account 17 was made: uid 3, abc:def",
  ];
  for (const text of kept) assert.equal(hideAddresses(text), text);
});
