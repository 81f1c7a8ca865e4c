import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { bundle, compile, FLAGS } from "../../scripts/compile.ts";
import { release } from "../../scripts/release.ts";
import project from "../../deno.json" with { type: "json" };
import { startPostern } from "./postern_process.ts";

/** Pieces that must be inside: own code, a migration, each kind of library. */
const EMBEDDED = [
  "CREATE TABLE mailbox (",
  "This is a mail server, and it is up",
  // A style sheet, which is a file of its own in the source.
  "--on-accent",
  // A library that goes to browsers as it is.
  "leeoniya/uPlot",
  "SMTPConnection",
  "Invalid TOML document",
];

const DATE = 1_700_000_000;

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "postern-compile-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Has Deno itself stand in for the runtime `denort`, which cannot be downloaded everywhere. */
async function withStandIn(run: () => Promise<void>): Promise<void> {
  const before = Deno.env.get("DENORT_BIN");
  Deno.env.set("DENORT_BIN", Deno.execPath());
  try {
    await run();
  } finally {
    if (before === undefined) Deno.env.delete("DENORT_BIN");
    else Deno.env.set("DENORT_BIN", before);
  }
}

Deno.test("the bundle that binaries are made of serves mail, with the binary's permissions", () =>
  withFolder(async (folder) => {
    const file = join(folder, "postern.js");
    await bundle(file, DATE);
    const text = await Deno.readTextFile(file);
    for (const piece of EMBEDDED) assert.ok(text.includes(piece), `${piece} is in it`);
    const server = await startPostern(
      ["demo", "--data", join(folder, "data"), "--ports", "0,0,0,0,0"],
      { program: { file, flags: [...FLAGS, "--no-config", "--unstable-net"] } },
    );
    try {
      const [hostname, port] = server.address("imap").split(":");
      const socket = await Deno.connect({ hostname: hostname ?? "", port: Number(port) });
      const bytes = new Uint8Array(1000);
      const count = await socket.read(bytes);
      assert.match(new TextDecoder().decode(bytes.subarray(0, count ?? 0)), /^\* OK /);
      socket.close();
    } finally {
      assert.equal((await server.stop("SIGTERM")).code, 0);
    }
  }));

Deno.test("a binary has the bundle, the permissions of the task postern and no others (with a stand-in for the runtime, so that it runs is not proven by this)", () =>
  withFolder((folder) =>
    withStandIn(async () => {
      await bundle(join(folder, "postern.js"), DATE);
      const output = join(folder, "postern");
      assert.equal(await compile(join(folder, "postern.js"), undefined, output), undefined);
      const binary = Buffer.from(await Deno.readFile(output));
      // Behind the runtime, since Deno holds library names of its own.
      const embedded = binary.subarray((await Deno.stat(Deno.execPath())).size);
      for (const piece of EMBEDDED) assert.ok(embedded.includes(piece), `${piece} is embedded`);
      const [metadata = ""] = /\{"argv":[^\n]*?"location"/.exec(embedded.toString("latin1")) ?? [];
      const permissions = JSON.parse(`${metadata.slice(0, -'"location"'.length - 1)}}`).permissions;
      assert.deepEqual(
        permissions.allow_env,
        /--allow-env=(\S+)/.exec(FLAGS.join(" "))?.[1]?.split(","),
      );
      for (const none of ["allow_run", "allow_ffi"]) assert.equal(permissions[none], null);
      assert.equal(permissions.prompt, false);
    })
  ));

Deno.test("a release has an archive for each target whose runtime is there, and says which are left out; twice the same", () =>
  withFolder((folder) =>
    withStandIn(async () => {
      const targets = ["x86_64-unknown-linux-gnu", "x86_64-pc-windows-msvc"] as const;
      const name = `postern-${project.version}-linux-x64`;
      const sums: string[] = [];
      for (const round of ["a", "b"]) {
        const { archives, skipped } = await release(targets, join(folder, round));
        assert.deepEqual(archives, [`${name}.tar.gz`]);
        // The stand-in is no program for Windows.
        assert.deepEqual([...skipped.keys()], ["x86_64-pc-windows-msvc"]);
        sums.push(await Deno.readTextFile(join(folder, round, "SHA256SUMS")));
      }
      assert.match(sums[0] ?? "", new RegExp(`^[0-9a-f]{64}  ${name}\\.tar\\.gz\\n$`));
      assert.equal(sums[0], sums[1]);
      const run = async (program: string, ...args: string[]) => {
        const { success, stdout, stderr } = await new Deno.Command(program, {
          args,
          cwd: join(folder, "a"),
        }).output();
        assert.ok(success, new TextDecoder().decode(stderr));
        return new TextDecoder().decode(stdout);
      };
      await run("sha256sum", "--check", "SHA256SUMS");
      const listing = await run("tar", "-tvzf", `${name}.tar.gz`);
      for (
        const file of ["postern", "README.md", "LICENSE", "postern.service", "postern.sysusers"]
      ) {
        assert.ok(listing.includes(` ${name}/${file}\n`), file);
      }
      assert.match(listing, /^-rwxr-xr-x root\/root/);
    })
  ));

const realRuntime = Deno.env.get("DENORT_BIN");

Deno.test({
  name: "the compiled binary serves mail" +
    (realRuntime ? "" : " (not run: $DENORT_BIN names no runtime, and this suite downloads none)"),
  ignore: !realRuntime,
  fn: () =>
    withFolder(async (folder) => {
      const file = join(folder, "postern.js");
      await bundle(file, DATE);
      const output = join(folder, "postern");
      assert.equal(await compile(file, undefined, output), undefined);
      const server = await startPostern(
        ["demo", "--data", join(folder, "data"), "--ports", "0,0,0,0,0"],
        { program: { file: output } },
      );
      assert.equal((await server.stop("SIGTERM")).code, 0);
    }),
});
