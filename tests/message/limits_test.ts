import assert from "node:assert/strict";
import { makePreview } from "../../src/message/preview.ts";
import { baseSubject } from "../../src/message/subject.ts";

Deno.test("a base subject is taken of 2,000 characters (MAX_SUBJECT_LENGTH)", () => {
  assert.equal(baseSubject("x".repeat(2_000)).base.length, 2_000);
  assert.equal(baseSubject("x".repeat(2_001)).base.length, 2_000);
  assert.equal(baseSubject(`${"x".repeat(1_995)}(fwd)`).isReply, true);
  assert.equal(baseSubject(`${"x".repeat(1_996)}(fwd)`).isReply, false);
});

Deno.test("a preview is looked for in 1 MiB of text (MAX_PREVIEW_SOURCE)", () => {
  assert.equal(makePreview(`${"\n".repeat(1024 * 1024 - 1)}x`), "x");
  assert.equal(makePreview(`${"\n".repeat(1024 * 1024)}x`), "");
});
