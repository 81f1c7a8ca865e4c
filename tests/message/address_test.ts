import assert from "node:assert/strict";
import { parseAddresses } from "../../src/message/mod.ts";

/** Addresses as [name, route, mailbox, host], null for NIL. */
const list = (raw: string, limit = 100) =>
  parseAddresses(raw, limit).map(({ name, route, mailbox, host }) =>
    [name, route, mailbox, host].map((value) => value ?? null)
  );
const START = (name: string) => [null, null, name, null];
const END = [null, null, null, null];

Deno.test("mailboxes with and without display name are read", () => {
  assert.deepEqual(list("Pete <pete@silly.example>, mary@x.test"), [
    ["Pete", null, "pete", "silly.example"],
    [null, null, "mary", "x.test"],
  ]);
  assert.deepEqual(list('"Joe Q. Public" <john.q.public@example.com>, <boss@nil.test>'), [
    ["Joe Q. Public", null, "john.q.public", "example.com"],
    [null, null, "boss", "nil.test"],
  ]);
  assert.deepEqual(list('"Giant; \\"Big\\" Box" <sysservices@example.net>'), [
    ['Giant; "Big" Box', null, "sysservices", "example.net"],
  ]);
  assert.deepEqual(list('"Dr."Who <a@b>'), [["Dr.Who", null, "a", "b"]]);
  assert.deepEqual(list('Who?  "Mr.  X"  Esq <a@b>'), [["Who? Mr.  X Esq", null, "a", "b"]]);
});

Deno.test("groups have a start and an end marker", () => {
  // RFC 5322 A.1.3.
  assert.deepEqual(
    list("A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;, x@y"),
    [
      START("A Group"),
      ["Ed Jones", null, "c", "a.test"],
      [null, null, "joe", "where.test"],
      ["John", null, "jdoe", "one.test"],
      END,
      [null, null, "x", "y"],
    ],
  );
  assert.deepEqual(list("Undisclosed recipients:;"), [START("Undisclosed recipients"), END]);
  assert.deepEqual(list("open: a@b"), [START("open"), [null, null, "a", "b"], END]);
});

Deno.test("comments, white space and routes of RFC 5322 A.5 and A.6.1 are read", () => {
  assert.deepEqual(list("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>"), [
    ["Pete", null, "pete", "silly.test"],
  ]);
  assert.deepEqual(list("A Group(Some people)\t:Chris Jones <c@(Chris's host.)public.example>;"), [
    START("A Group"),
    ["Chris Jones", null, "c", "public.example"],
    END,
  ]);
  assert.deepEqual(list("Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example"), [
    ["Mary Smith", "@node.test", "mary", "example.net"],
    [null, null, "jdoe", "test.example"],
  ]);
  assert.deepEqual(list("X <@a,@b:c@d>"), [["X", "@a,@b", "c", "d"]]);
  assert.deepEqual(list("joe@x.test (Joe Doe)"), [["Joe Doe", null, "joe", "x.test"]]);
});

Deno.test("quoted local parts and domain literals lose only their quoting", () => {
  assert.deepEqual(list('"a b@c"@x.test, <"q\\"q"@[1.2.3.4]>, u@[IPv6:::1]'), [
    [null, null, "a b@c", "x.test"],
    [null, null, 'q"q', "[1.2.3.4]"],
    [null, null, "u", "[IPv6:::1]"],
  ]);
});

Deno.test("what is no address still gives something to show", () => {
  assert.deepEqual(list("root"), [[null, null, "root", ""]]);
  assert.deepEqual(list("<root>"), [[null, null, "root", ""]]);
  assert.deepEqual(list("John Smith"), [["John Smith", null, "", ""]]);
  assert.deepEqual(list("John <>"), [["John", null, "", ""]]);
  assert.deepEqual(list("joe@x.test <joe@x.test>"), [["joe@x.test", null, "joe", "x.test"]]);
  assert.deepEqual(list("a@b; c@d"), [[null, null, "a", "b"], [null, null, "c", "d"]]);
  assert.deepEqual(list('"open <a@b>, c@d').at(-1), [null, null, "c", "d"]);
  assert.deepEqual(list("A <a@b, C <c@d>"), [["A", null, "a", "b"], ["C", null, "c", "d"]]);
  assert.deepEqual(list("(only a comment)"), []);
  assert.deepEqual(list(" , ;, "), []);
  assert.deepEqual(list("=?utf-8?q?=C3=A9?= <a@b>"), [["=?utf-8?q?=C3=A9?=", null, "a", "b"]]);
});

Deno.test("no more addresses than the limit are read", () => {
  assert.equal(list("a@b,".repeat(11), 10).length, 10);
  assert.equal(list("a@b,".repeat(10), 10).length, 10);
});

Deno.test("hostile fields take linear time", () => {
  const start = performance.now();
  for (const piece of ['"', "(", "[", "<", "<,", "a ", "@", "<@:", ":", "\\", '"a"', "a@", ","]) {
    parseAddresses(piece.repeat(Math.ceil(200_000 / piece.length)), 1e9);
  }
  // A quadratic parser would need minutes.
  assert.ok(performance.now() - start < 5000);
});
