import assert from "node:assert/strict";
import { aloneIn, countTests } from "../../scripts/test.ts";

Deno.test("the counts of a test run are those of its last line, colours or not", () => {
  const counts = { passed: 11, failed: 2, ignored: 3 };
  const line = "FAILED | 11 passed (3 steps) | 2 failed | 3 ignored (2 steps) (31ms)";
  assert.deepEqual(
    countTests(`ok | 1 passed | 0 failed (1ms)\n\n${line}\n\nerror: x\n`, 1),
    counts,
  );
  const coloured = line.replace("FAILED", "\x1b[0m\x1b[31mFAILED\x1b[0m");
  assert.deepEqual(countTests(`${coloured}\n`, 1), counts);
  assert.deepEqual(countTests("ok | 5 passed | 0 failed (2s)\n", 0), {
    ...{ passed: 5, failed: 0, ignored: 0 },
  });
});

Deno.test("a test run that ends without counting, or fails without a failed test, counts as one failure", () => {
  assert.deepEqual(countTests("running 3 tests\na ... ok\n", 139), {
    ...{ passed: 0, failed: 1, ignored: 0 },
  });
  assert.deepEqual(countTests("ok | 5 passed | 0 failed (2s)\n", 1), {
    ...{ passed: 5, failed: 1, ignored: 0 },
  });
  // Whatever the code says, a run that counted nothing proved nothing.
  assert.equal(countTests("", 0).failed, 1);
});

Deno.test("tests that measure are run alone, also when a folder or they themselves are named", () => {
  assert.ok(aloneIn("tests/").includes("tests/load/"));
  assert.deepEqual(aloneIn("./tests/app"), ["tests/app/latency_test.ts"]);
  assert.deepEqual(aloneIn("tests/load"), ["tests/load"]);
  assert.deepEqual(aloneIn("tests/load/memory_test.ts"), ["tests/load/memory_test.ts"]);
  assert.deepEqual(aloneIn("tests/app/latency_test.ts"), ["tests/app/latency_test.ts"]);
  assert.deepEqual(aloneIn("tests/wire"), []);
});
