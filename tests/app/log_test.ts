import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import { hideAddresses, LogControl } from "../../src/app/log.ts";

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

Deno.test("a room may have a level of its own, below or above the common one, until it is taken back", async () => {
  const config = { level: "info", format: "text", addresses: true } as const;
  const control = await LogControl.open(config);
  const isEnabled = (room: string, level: "debug" | "info" | "error") =>
    getLogger(["postern", room]).isEnabledFor(level);
  await control.setLevel("debug", "imap");
  await control.setLevel("error", "net");
  assert.deepEqual([...control.levels.rooms], [["imap", "debug"], ["net", "error"]]);
  assert.deepEqual(
    [isEnabled("imap", "debug"), isEnabled("store", "debug"), isEnabled("net", "info")],
    [true, false, false],
  );
  await control.setLevel("debug");
  await control.setLevel(undefined, "net");
  assert.deepEqual([isEnabled("store", "debug"), isEnabled("net", "debug")], [true, true]);
  await control.setLevel(undefined);
  assert.equal(control.levels.level, "info");
  assert.deepEqual([isEnabled("store", "debug"), isEnabled("imap", "debug")], [false, true]);
  await control.reload(config);
  assert.equal(isEnabled("imap", "debug"), false);
});
