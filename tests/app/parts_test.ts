import assert from "node:assert/strict";
import { writeJsonRecord, writeTextRecord } from "../../src/app/log.ts";
import { generatePassword } from "../../src/auth/mod.ts";
import { sampleMail } from "../../src/app/sample_mail.ts";
import { printable } from "../../src/app/terminal.ts";
import { handleWebRequest } from "../../src/web/mod.ts";

function record(level: "info" | "warning" | "error", values: Record<string, unknown>) {
  return {
    category: ["postern", "auth"],
    level,
    timestamp: Date.UTC(2026, 10, 24, 12, 0, 0, 5),
    message: ["name ", values["name"], " failed: ", values["error"], ""],
    rawMessage: "name {name} failed: {error}",
    properties: values,
  };
}

Deno.test("a log line in text has time, level, room and message, and no way to forge a second", () => {
  const text = writeTextRecord(record("warning", { name: "a\r\nb\u001b[2J", error: 7 }));
  assert.equal(
    text,
    "2026-11-24T12:00:00.005Z warn auth: name a\\x0d\\x0ab\\x1b[2J failed: 7",
  );
});

Deno.test("an error that is logged as one has its stack below, indented", () => {
  const error = new Error("boom");
  const [first, ...stack] = writeTextRecord(record("error", { name: "x", error })).split("\n");
  assert.match(first ?? "", /error auth: name x failed: boom$/);
  assert.ok(stack.length > 1 && stack.every((line) => line.startsWith("    ")));
  assert.equal(writeTextRecord(record("info", { name: "x", error })).split("\n").length, 1);
});

Deno.test("a log line in JSON has the record's properties, errors with their stack", () => {
  const line = writeJsonRecord(record("error", { name: "a\nb", error: new Error("boom") }));
  assert.ok(!line.includes("\n"));
  const { time, level, room, message, name, error } = JSON.parse(line);
  assert.deepEqual([time, level, room, name], [
    ...["2026-11-24T12:00:00.005Z", "error", "auth", "a\nb"],
  ]);
  assert.equal(message, "name a\nb failed: boom");
  assert.equal(error.message, "boom");
  assert.match(error.stack, /boom/);
});

Deno.test("control characters are shown, not sent, and other text stays", () => {
  assert.equal(printable("Grüße \u0007\u009b31m 明日"), "Grüße \\x07\\x9b31m 明日");
});

Deno.test("generated passwords differ, are long, and use letters that nobody mistakes", () => {
  const made = new Set(Array.from({ length: 500 }, generatePassword));
  assert.equal(made.size, 500);
  for (const password of made) {
    assert.match(password, /^[a-hjkmnp-z2-9]{5}(-[a-hjkmnp-z2-9]{5}){3}$/);
  }
});

Deno.test("the status page is read only, has one address, and escapes the host name", async () => {
  const get = (path: string, method = "GET") =>
    handleWebRequest(new Request(`http://localhost${path}`, { method }), { hostname: "<b>&" });
  const page = get("/");
  assert.equal(page.status, 200);
  const html = await page.text();
  assert.ok(html.includes("&lt;b&gt;&amp;") && !html.includes("<b>"));
  assert.equal(get("/admin").status, 404);
  assert.equal(get("/", "POST").status, 405);
  assert.equal(get("/", "POST").headers.get("allow"), "GET, HEAD");
});

Deno.test("sample mail is well-formed: CRLF, ASCII headers, parents before replies", () => {
  const seen = new Set<string>();
  const messages = sampleMail(1_800_000_000);
  for (const { raw, received } of messages) {
    const text = new TextDecoder("latin1").decode(raw);
    assert.doesNotMatch(text, /[^\r]\n|\r[^\n]/);
    assert.match(text.split("\r\n\r\n")[0] ?? "", /^[\x20-\x7e\r\n]+$/);
    assert.ok(received < 1_800_000_000);
    const id = /^Message-ID: (.*)$/m.exec(text)?.[1] ?? "";
    assert.ok(id && !seen.has(id));
    seen.add(id);
    for (const parent of /^References: (.*)$/m.exec(text)?.[1]?.trim().split(" ") ?? []) {
      assert.ok(seen.has(parent), parent);
    }
  }
  assert.ok(messages.length >= 8);
});
