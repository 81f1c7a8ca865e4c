import assert from "node:assert/strict";
import { toConfig } from "../../src/app/config/config.ts";
import { parseConfig } from "../../src/app/config/load.ts";
import { isInstalled } from "../interop/programs.ts";
import { runHere } from "./postern_here.ts";
import { startPostern, withFolder } from "./postern_process.ts";

const README = await Deno.readTextFile(new URL("../../README.md", import.meta.url));

Deno.test("the README opens with the two commands that a fresh machine needs", () => {
  const [first = ""] = /```sh\n([^`]*)```/.exec(README)?.slice(1) ?? [];
  assert.deepEqual(first.split("\n").map((line) => line.split("#")[0]?.trim()), [
    ...["npx -y deno@2.9.6 task start", "npx -y deno@2.9.6 task test", ""],
  ]);
  assert.ok(README.indexOf("```sh") < 40);
});

Deno.test({
  name: "the README's lines with curl and Python do what it says",
  ignore: !isInstalled("curl") || !isInstalled("python3"),
  fn: () =>
    withFolder(async ({ path }) => {
      const server = await startPostern(["demo", "--data", `${path}/demo`, "--ports", "0,0,0,0,0"]);
      try {
        const run = async (line: string): Promise<string> => {
          const command = line
            .replaceAll("127.0.0.1:1993", server.address("imaps"))
            .replace('"127.0.0.1", 1024', server.address("lmtp").replace(/(.*):/, '"$1", '));
          const { code, stdout, stderr } = await new Deno.Command("sh", {
            args: ["-c", command],
          }).output();
          assert.equal(code, 0, `${line}\n${new TextDecoder().decode(stderr)}`);
          return new TextDecoder().decode(stdout);
        };
        const [list = "", search = "", newest = ""] = README.match(/^curl .*/gm) ?? [];
        assert.match(await run(list), /\bINBOX\b/);
        assert.match(await run(search), /^\* SEARCH( \d+)+\r\n$/);
        await run(/^python3 -c '[^']+'/m.exec(README)?.[0] ?? "");
        assert.match(await run(newest), /^Subject: By LMTP\r$/m);
      } finally {
        await server.stop("SIGTERM");
      }
    }),
});

Deno.test("the README's configuration is valid", () => {
  const [, toml = ""] = /```toml\n([\s\S]*?)```/.exec(README) ?? [];
  assert.ok(toml.includes("hostname"));
  assert.equal(toConfig(parseConfig(toml, "/README.md")).hostname, "mail.example.org");
});

Deno.test("every command that the README lists has help", async () => {
  const listed: string[][] = [];
  for (const [, cell = ""] of README.matchAll(/^\| (`(?:demo|serve|\w+ ).*?) +\| /gm)) {
    let group: string | undefined;
    for (const [, usage = ""] of cell.matchAll(/`([^`]+)`/g)) {
      const words = /^[a-z]+(?: [a-z]+)*/.exec(usage)?.[0].split(" ") ?? [];
      // "domain add NAME, list": the second is of the group that the first names.
      if (words.length > 1) group = words[0];
      listed.push(words.length === 1 && group ? [group, ...words] : words);
    }
  }
  assert.ok(listed.length >= 20, String(listed.length));
  for (const names of listed) {
    const { code, stdout } = await runHere(["help", ...names]);
    assert.equal(code, 0, names.join(" "));
    assert.match(stdout, new RegExp(`^Usage: postern ${names.join(" ")}`));
  }
});
