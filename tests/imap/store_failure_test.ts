import assert from "node:assert/strict";
import { ImapError, no } from "../../src/imap/imap_error.ts";
import { orTryCreate, storeFailure } from "../../src/imap/store_failure.ts";
import { StoreError, type StoreErrorCode } from "../../src/store/mod.ts";

const CODES: Record<StoreErrorCode, string> = {
  "mailbox-not-found": "NONEXISTENT",
  "message-not-found": "EXPUNGEISSUED",
  "already-exists": "ALREADYEXISTS",
  "has-children": "HASCHILDREN",
  "inbox": "CANNOT",
  "invalid-name": "CANNOT",
  "invalid-special-use": "USEATTR",
  "over-quota": "OVERQUOTA",
  "limit": "LIMIT",
  "too-many-annotations": "METADATA TOOMANY",
  "annotations-too-large": "METADATA MAXSIZE 1000000",
  "not-found": "UNAVAILABLE",
  "exhausted": "LIMIT",
  "unavailable": "UNAVAILABLE",
  "newer-schema": "UNAVAILABLE",
  "corrupt": "CORRUPTION",
};
/** Codes whose message is about what the client gave. */
const SPEAKING = ["invalid-name", "limit"];

Deno.test("each refusal of the store has its response code", () => {
  for (const [code, expected] of Object.entries(CODES)) {
    const failure = storeFailure(new StoreError(code as StoreErrorCode, "x"));
    assert.deepEqual([failure.status, failure.code], ["NO", expected], code);
  }
});

Deno.test("what the store says of files and schemas is not passed on", () => {
  for (const code of Object.keys(CODES) as StoreErrorCode[]) {
    const { message } = storeFailure(new StoreError(code, "/var/lib/postern/7.db is gone"));
    assert.equal(message.includes("/var"), SPEAKING.includes(code), code);
    assert.match(message, /^[ -~]+$/);
  }
});

Deno.test("a missing destination is TRYCREATE, and only that", async () => {
  const failing = (error: Error) => orTryCreate(() => Promise.reject(error));
  await assert.rejects(
    failing(new StoreError("mailbox-not-found", "x")),
    (error) => error instanceof ImapError && error.code === "TRYCREATE",
  );
  for (const error of [new StoreError("over-quota", "x"), no("x"), new Error("x")]) {
    await assert.rejects(failing(error), (got) => got === error);
  }
  assert.equal(await orTryCreate(() => Promise.resolve(7)), 7);
});
