import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";

/** Pieces that must be inside: own code, a migration, the engine's door, each kind of library. */
const EMBEDDED = [
  "CREATE TABLE mailbox (",
  "export const extensions",
  "This is a mail server, and it is up",
  "smtp-server/lib/smtp-connection.js",
  "@logtape/logtape",
  "smol-toml",
];

/**
 * Runs the compile task of deno.json as it stands, but for where the output goes, with Deno itself
 * in place of the runtime `denort`, which cannot be downloaded here.
 *
 * It proves that the task's flags are accepted, that compilation finds every module, and that code
 * and libraries are embedded. It does NOT prove that the binary runs: with this stand-in it is a
 * plain Deno with data behind it, and the permissions baked into it are never in force.
 */
Deno.test("deno task compile embeds the program and its libraries (that the binary runs is not proven here)", async () => {
  const root = join(import.meta.dirname ?? "", "..", "..");
  const config = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  const command: string = config.tasks.compile.command;
  assert.match(command, /^deno compile --no-prompt .*--output dist\/postern main\.ts$/);
  const folder = await Deno.makeTempDir({ prefix: "postern-compile-" });
  try {
    const output = join(folder, "postern");
    const args = command.split(" ").slice(1).map((arg) => arg === "dist/postern" ? output : arg);
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args,
      cwd: root,
      env: { DENORT_BIN: Deno.execPath() },
      stdout: "null",
      stderr: "piped",
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    const binary = Buffer.from(await Deno.readFile(output));
    const runtimeBytes = (await Deno.stat(Deno.execPath())).size;
    // Behind the runtime, since Deno holds library names of its own.
    const embedded = binary.subarray(runtimeBytes);
    for (const piece of EMBEDDED) assert.ok(embedded.includes(piece), `${piece} is embedded`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
