import assert from "node:assert/strict";
import plugin from "../../scripts/lint_rules.ts";

/** What the plugin says about `source` as `/repo/<path>`. */
function complaints(path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, `/repo/${path}`, source).map(({ message }) => message);
}

function assertClean(path: string, source: string): void {
  assert.deepEqual(complaints(path, source), [], `${path}: ${source}`);
}

function assertRefused(path: string, source: string, why: RegExp): void {
  const [message, ...more] = complaints(path, source);
  assert.match(message ?? "nothing was refused", why, `${path}: ${source}`);
  assert.deepEqual(more, []);
}

Deno.test("a room imports the rooms below it by their front doors", () => {
  assertClean("src/session/state.ts", `import { x } from "../imap/mod.ts";`);
  assertClean("src/store/types.ts", `import type { X } from "../message/mod.ts";`);
  assertClean("src/imap/commands/fetch.ts", `export { x } from "../../wire/mod.ts";`);
  assertClean("src/app/serve.ts", `import { x } from "../session/mod.ts";`);
});

Deno.test("a room does not import rooms above or beside it, in whatever form", () => {
  assertRefused(
    "src/store/a.ts",
    `import { x } from "../auth/mod.ts";`,
    /store does not import auth/,
  );
  assertRefused("src/base/a.ts", `import "../wire/mod.ts";`, /base does not import wire.*nothing/);
  assertRefused("src/wire/a.ts", `import type { X } from "../store/mod.ts";`, /wire does not/);
  assertRefused("src/imap/commands/a.ts", `export * from "../../session/mod.ts";`, /imap does not/);
  assertRefused("src/net/a.ts", `export { x } from "../notify/mod.ts";`, /net does not/);
  assertRefused("src/auth/a.ts", `const x = await import("../imap/mod.ts");`, /auth does not/);
});

Deno.test("a room that the arrows do not know imports nothing", () => {
  assertRefused("src/plugins/a.ts", `import "../base/mod.ts";`, /not a room/);
});

Deno.test("other rooms come in by the front door", () => {
  assertRefused("src/imap/a.ts", `import "../store/directory.ts";`, /front door/);
  assertRefused("src/imap/a.ts", `import "../imap2/mod.ts";`, /does not import/);
  assertRefused("src/app/a.ts", `import "../net/tls.ts";`, /front door/);
  assertClean("src/imap/format/a.ts", `import "../fetch_items.ts";`);
});

Deno.test("only app imports an engine, and by its engine.ts", () => {
  assertClean("src/app/serve.ts", `import { o } from "../store/sqlite/engine.ts";`);
  assertClean("src/store/sqlite/a.ts", `import "../account_store.ts"; import "./b.ts";`);
  assertRefused("src/app/a.ts", `import "../store/sqlite/schema.ts";`, /front door/);
  assertRefused("src/auth/a.ts", `import "../store/sqlite/engine.ts";`, /only app/);
  assertRefused("src/store/a.ts", `import "./sqlite/engine.ts";`, /contract of store/);
  assertRefused("src/store/postgres/a.ts", `import "../sqlite/engine.ts";`, /contract of store/);
});

Deno.test("sockets, TLS, compression and SQLite have their rooms", () => {
  assertClean("src/net/a.ts", `import "node:net"; import "node:tls"; import "node:zlib";`);
  assertClean("src/store/sqlite/a.ts", `import "node:sqlite"; import "node:zlib";`);
  assertClean("src/transfer/a.ts", `import "node:zlib";`);
  assertRefused(
    "src/session/a.ts",
    `import net from "node:net";`,
    /node:net is imported by net only/,
  );
  assertRefused("src/delivery/a.ts", `import "node:tls";`, /net only/);
  assertRefused("src/app/a.ts", `import { D } from "node:sqlite";`, /store only/);
  assertRefused("src/imap/a.ts", `import "node:zlib";`, /net and store and transfer only/);
  assertClean("tests/net/a.ts", `import "node:net";`);
});

Deno.test("main.ts and rooms import nothing of tests and scripts; tests look everywhere", () => {
  assertClean("main.ts", `import { run } from "./src/app/mod.ts";`);
  assertRefused("main.ts", `import "./src/net/mod.ts";`, /main.ts imports app only/);
  assertRefused("src/app/a.ts", `import "../../tests/support/a.ts";`, /outside src/);
  assertRefused("src/net/a.ts", `import "../../deno.json";`, /outside src/);
  assertClean("src/base/a.ts", `import "../../deno.json";`);
  assertClean("tests/app/a_test.ts", `import "../../src/store/sqlite/schema.ts";`);
});

Deno.test("pure rooms have no clock, no timer, no I/O", () => {
  for (const path of ["src/wire/a.ts", "src/message/a.ts", "src/session/view.ts"]) {
    assertRefused(path, `export const f = () => Date.now();`, /no Date.now/);
    assertRefused(path, `export const f = () => new Date();`, /without a time/);
    assertRefused(path, `export const f = () => setTimeout(g, 1);`, /no setTimeout/);
    assertRefused(path, `export const f = () => Deno.cwd();`, /no Deno/);
    assertRefused(path, `import { readFileSync } from "node:fs";`, /no node:fs/);
    assertClean(path, `import { Buffer } from "node:buffer"; export const f = () => new Date(0);`);
  }
  assertClean("src/session/connection.ts", `export const f = () => Date.now();`);
});

Deno.test("a module does no work when it is imported", () => {
  assertRefused("src/imap/a.ts", `register("FETCH");`, /no work/);
  assertRefused("src/imap/a.ts", `for (const x of xs) f(x);`, /no work/);
  assertRefused("src/imap/a.ts", `await f();`, /no work/);
  assertClean("src/imap/a.ts", `const table = new Map([["a", 1]]); export function f() { g(); }`);
  assertClean("main.ts", `Deno.exit(await run(Deno.args));`);
});
