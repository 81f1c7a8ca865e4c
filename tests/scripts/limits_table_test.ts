import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url);

/** Files below a folder, by their paths in the repository, with what is in them. */
async function* filesOf(folder: string): AsyncGenerator<[path: string, text: string]> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    const path = `${folder}${name}`;
    if (isDirectory) yield* filesOf(`${path}/`);
    else if (/\.tsx?$/.test(name)) yield [path, await Deno.readTextFile(new URL(path, ROOT))];
  }
}

/** Names of what a file of limits has: constants, and the fields of those that are objects. */
function limitsIn(text: string): string[] {
  return [
    ...text.matchAll(/^export const (\w+)/gm),
    ...text.matchAll(/^ {2}(\w+): [\d_* ]+,$/gm),
  ].map(([, name = ""]) => name);
}

function words(text: string): Set<string> {
  return new Set(text.match(/\b\w+\b/g));
}

/** All that is in `src` beside a file of limits, and each test by its path. */
async function read() {
  const sources = new Map<string, string>();
  for await (const [path, text] of filesOf("src/")) sources.set(path, text);
  const tests: string[] = [];
  for await (const [path, text] of filesOf("tests/")) {
    // Measurements prove nothing about a limit.
    if (!/^tests\/(?:bench|load|interop|scripts)\//.test(path)) tests.push(text);
  }
  const limits = [...sources].filter(([path]) => path.endsWith("/limits.ts"))
    .flatMap(([path, text]) => limitsIn(text).map((name) => ({ path, name })));
  return { sources, tests: words(tests.join("\n")), limits };
}

Deno.test("the map names every file of limits", async () => {
  const map = await Deno.readTextFile(new URL("src/README.md", ROOT));
  for (const path of (await read()).sources.keys()) {
    if (!path.endsWith("/limits.ts")) continue;
    const name = path.replace("src/", "");
    assert.ok(map.includes(`\`${name}\``), `${name} is missing`);
  }
});

Deno.test("every limit is named by a test", async () => {
  const { tests, limits } = await read();
  assert.ok(limits.length > 150, `only ${limits.length} were found`);
  const untested = limits.filter(({ name }) => !tests.has(name));
  assert.deepEqual(
    untested.map(({ path, name }) => `${path} ${name}`),
    [],
    "no test has these names: write one for both sides of the bound, with the name in it",
  );
});

Deno.test("every limit is used", async () => {
  const { sources, limits } = await read();
  const uses = words(
    [...sources].filter(([path]) => !/\/(?:limits|mod)\.ts$/.test(path))
      .map(([, text]) => text).join("\n"),
  );
  const inLimits = [...sources].filter(([path]) => path.endsWith("/limits.ts"));
  const unused = limits.filter(({ path, name }) => {
    const text = inLimits.find(([each]) => each === path)?.[1] ?? "";
    // Another limit may be made of it.
    return !uses.has(name) && [...text.matchAll(new RegExp(`\\b${name}\\b`, "g"))].length < 2;
  });
  assert.deepEqual(unused.map(({ path, name }) => `${path} ${name}`), []);
});
