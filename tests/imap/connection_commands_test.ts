import assert from "node:assert/strict";
import { VERSION } from "../../src/base/mod.ts";
import { MAX_ID_FIELD_BYTES, MAX_ID_PAIRS, MAX_ID_VALUE_BYTES } from "../../src/imap/limits.ts";
import { type FakeSession, openFakeSession } from "../support/fake_session.ts";

const ANSWER = `* ID ("name" "Postern" "version" "${VERSION}")`;

/** An ID command with `count` pairs, fields of `field` octets and values of `value` octets. */
function idCommand(count: number, field: number, value: number): string {
  const pairs = Array.from(
    { length: count },
    (_, i) => `"${`${i}`.padEnd(field, "x")}" "${"v".repeat(value)}"`,
  );
  return `ID (${pairs.join(" ")})`;
}

/** Switches capabilities off for the account. */
function disable(session: FakeSession, ...disabledCapabilities: string[]): void {
  const { login } = session;
  if (login) session.login = { ...login, account: { ...login.account, disabledCapabilities } };
}

Deno.test("ID says what runs here, but not to strangers", async () => {
  const session = await openFakeSession();
  assert.deepEqual(await session.run("ID NIL"), [ANSWER, "OK"]);
  assert.deepEqual(await session.run("id nil"), [ANSWER, "OK"]);
  assert.deepEqual(await session.run("ID ()"), [ANSWER, "OK"]);
  assert.deepEqual(await session.run('ID ("name" "sodr" "version" NIL)'), [ANSWER, "OK"]);
  assert.deepEqual(await session.run('ID ("name" ', ["sodr", ")"]), [ANSWER, "OK"]);
  session.login = undefined;
  assert.deepEqual(await session.run('ID ("name" "sodr")'), ["* ID NIL", "OK"]);
});

Deno.test("ID leaves what the client said of itself with the session, as it was said", async () => {
  const session = await openFakeSession();
  await session.run("ID NIL");
  assert.equal(session.userAgent, undefined);
  await session.run('ID ("Name" "So \\"dr" "version" NIL)');
  assert.equal(session.userAgent, 'name="So "dr" version=""');
});

Deno.test("ID takes as much as RFC 2971 allows and is BAD beyond", async () => {
  const session = await openFakeSession();
  const [most, field, value] = [MAX_ID_PAIRS, MAX_ID_FIELD_BYTES, MAX_ID_VALUE_BYTES];
  assert.deepEqual(await session.run(idCommand(most, field, value)), [ANSWER, "OK"]);
  assert.deepEqual(await session.run(idCommand(most + 1, field, value)), ["BAD"]);
  assert.deepEqual(await session.run(idCommand(1, field + 1, value)), ["BAD"]);
  assert.deepEqual(await session.run(idCommand(1, field, value + 1)), ["BAD"]);
});

Deno.test("ID is BAD when it is not pairs, or names a field twice", async () => {
  const session = await openFakeSession();
  for (
    const rest of [
      "",
      " ",
      ' "name" "x"',
      ' ("name")',
      ' ("name" "x" "version")',
      ' (NIL "x")',
      ' ("name" "x" "NAME" "y")',
      " NIL NIL",
    ]
  ) assert.deepEqual(await session.run(`ID${rest}`), ["BAD"], rest);
});

Deno.test("ENABLED lists what this command turned on, and nothing else", async () => {
  const session = await openFakeSession();
  assert.deepEqual(await session.run("ENABLE qresync SHINY ID QRESYNC"), [
    "* ENABLED QRESYNC",
    "OK",
  ]);
  assert.ok(session.modes.condstore);
  assert.deepEqual(await session.run("ENABLE QRESYNC CONDSTORE"), ["* ENABLED", "OK"]);
  assert.deepEqual(await session.run("ENABLE UTF8=ACCEPT IMAP4rev2"), [
    "* ENABLED UTF8=ACCEPT IMAP4REV2",
    "OK",
  ]);
});

Deno.test("ENABLED names what the client asked for even when another name implies it", async () => {
  const session = await openFakeSession();
  assert.deepEqual(await session.run("ENABLE QRESYNC CONDSTORE"), [
    "* ENABLED QRESYNC CONDSTORE",
    "OK",
  ]);
});

Deno.test("ENABLE ignores what was switched off for the account", async () => {
  const session = await openFakeSession();
  disable(session, "IMAP4REV2");
  assert.deepEqual(await session.run("ENABLE IMAP4rev2 CONDSTORE"), ["* ENABLED CONDSTORE", "OK"]);
  assert.ok(!session.modes.rev2);
  assert.doesNotMatch((await session.run("CAPABILITY"))[0] ?? "", /rev2/);
});

Deno.test("ENABLE without a name is BAD, and does not change CAPABILITY", async () => {
  const session = await openFakeSession();
  assert.deepEqual(await session.run("ENABLE"), ["BAD"]);
  assert.deepEqual(await session.run("ENABLE "), ["BAD"]);
  assert.deepEqual(await session.run("ENABLE (CONDSTORE)"), ["BAD"]);
  const before = await session.run("CAPABILITY");
  await session.run("ENABLE CONDSTORE IMAP4rev2");
  assert.deepEqual(await session.run("CAPABILITY"), before);
});

Deno.test("CAPABILITY before login shows only what matters then", async () => {
  const session = await openFakeSession();
  assert.deepEqual(await session.run("CAPABILITY"), [
    "* CAPABILITY IMAP4rev2 ENABLE ID CHILDREN NAMESPACE LIST-EXTENDED LIST-STATUS SPECIAL-USE " +
    "CREATE-SPECIAL-USE STATUS=SIZE APPENDLIMIT=50000000",
    "OK",
  ]);
  session.login = undefined;
  assert.deepEqual(await session.run("CAPABILITY"), [
    "* CAPABILITY IMAP4rev2 ENABLE ID AUTH=PLAIN",
    "OK",
  ]);
});

Deno.test("NAMESPACE names one personal namespace", async () => {
  const session = await openFakeSession();
  assert.deepEqual(await session.run("NAMESPACE"), ['* NAMESPACE (("" "/")) NIL NIL', "OK"]);
});

Deno.test("LOGOUT says BYE and ends the connection after its OK", async () => {
  const session = await openFakeSession();
  assert.match((await session.run("LOGOUT"))[0] ?? "", /^\* BYE /);
  assert.ok(session.hasLoggedOut);
});

Deno.test("commands without arguments take none", async () => {
  const session = await openFakeSession();
  for (const name of ["CAPABILITY", "NOOP", "LOGOUT", "CHECK", "NAMESPACE"]) {
    assert.deepEqual(await session.run(`${name} x`), ["BAD"], name);
    assert.deepEqual(await session.run(`${name} `), ["BAD"], name);
  }
  assert.ok(!session.hasLoggedOut);
  assert.deepEqual(await session.run("NOOP"), ["OK"]);
  assert.deepEqual(await session.run("CHECK"), ["OK"]);
});
