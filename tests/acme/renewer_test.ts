import assert from "node:assert/strict";
import { Challenges, Renewer, type RenewerOptions } from "../../src/acme/mod.ts";
import { MAX_ANSWER } from "../../src/acme/limits.ts";
import { metrics } from "../../src/base/mod.ts";
import { makeSelfSigned } from "../../src/net/mod.ts";

/** An authority that does nothing but answer its directory's address; and a renewer for it. */
async function withAuthority(
  answer: (request: Request) => Response | Promise<Response>,
  run: (
    open: (options?: Partial<RenewerOptions>) => Promise<Renewer>,
    authority: { readonly asked: () => number; readonly folder: string },
  ) => Promise<void>,
): Promise<void> {
  const { certificate, privateKey } = await makeSelfSigned(["localhost"], Date.now());
  let asked = 0;
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    cert: certificate,
    key: privateKey,
    onListen: () => {},
  }, (request) => {
    asked++;
    return answer(request);
  });
  const folder = await Deno.makeTempDir();
  const open = (options: Partial<RenewerOptions> = {}) =>
    Renewer.open({
      directory: `https://localhost:${server.addr.port}/dir`,
      email: "admin@example.org",
      names: ["mail.example.org"],
      ways: ["http-01"],
      challenges: new Challenges(),
      folder,
      caCertificates: certificate,
      clock: { now: () => Date.now() },
      isWanted: () => Promise.resolve(true),
      onChange: () => {},
      ...options,
    });
  try {
    await run(open, { asked: () => asked, folder });
  } finally {
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
}

/** How many orders have failed so far, in this process. */
function failures(): number {
  return metrics.sum("postern_acme_orders_total", { result: "failed" });
}

async function eventually(what: string, holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 5_000; !holds();) {
    if (Date.now() > deadline) assert.fail(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

for (
  const [what, answer] of [
    ["refuses", () => new Response('{"detail":"no"}', { status: 503 })],
    ["is not one", () => new Response("<html>")],
    ["answers without end", () => new Response("x".repeat(MAX_ANSWER + 1))],
  ] as const
) {
  Deno.test(`an authority that ${what} is a failure that is counted, and asked again later`, async () => {
    await withAuthority(answer, async (open, { asked }) => {
      const before = failures();
      const renewer = await open();
      renewer.start();
      await eventually("the failure", () => failures() === before + 1);
      const times = asked();
      assert.equal(times, 1, "no storm of attempts");
      assert.deepEqual(renewer.pairs, []);
      await eventually("the reason", () => renewer.problems.size === 1);
      const [[name, reason] = []] = renewer.problems;
      assert.equal(name, "mail.example.org");
      assert.notEqual(reason, "");
      await renewer.stop();

      const afterRestart = await open();
      assert.deepEqual([...afterRestart.problems], [[name, "it failed before the last restart"]]);
      afterRestart.start();
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(asked(), times, "a restart changes nothing");
      afterRestart.retryNow();
      await eventually("the second failure", () => failures() === before + 2);
      await afterRestart.stop();

      const later = await open({ clock: { now: () => Date.now() + 13 * 60_000 } });
      later.start();
      await eventually("the third failure", () => failures() === before + 3);
      await later.stop();
    });
  });
}

Deno.test("stopping ends an order that waits for the authority, and counts no failure", async () => {
  const release = Promise.withResolvers<Response>();
  await withAuthority(() => release.promise, async (open, { asked, folder }) => {
    const before = failures();
    const renewer = await open();
    renewer.start();
    await eventually("a request", () => asked() === 1);
    await renewer.stop();
    assert.equal(failures(), before);
    const [authority] = [...Deno.readDirSync(folder)];
    const files = [...Deno.readDirSync(`${folder}/${authority?.name}`)].map(({ name }) => name);
    assert.deepEqual(files, ["account.key.pem"]);
    release.resolve(new Response());
  });
});

Deno.test("a name that is not wanted is not asked for", async () => {
  await withAuthority(() => new Response(), async (open, { asked }) => {
    const looked: string[] = [];
    const renewer = await open({
      names: ["a.example.org", "b.example.org"],
      isWanted: (name) => Promise.resolve(looked.push(name) === 0),
    });
    renewer.start();
    await eventually("both names", () => looked.length === 2);
    await renewer.stop();
    assert.deepEqual(looked, ["a.example.org", "b.example.org"]);
    assert.equal(asked(), 0);
  });
});

Deno.test("what is kept is used, and what is broken on the disk is fetched anew", async () => {
  await withAuthority(() => new Response("<html>"), async (open, { folder }) => {
    await (await open()).stop();
    const [authority] = [...Deno.readDirSync(folder)];
    const file = (name: string) => `${folder}/${authority?.name}/${name}`;
    const pair = await makeSelfSigned(["mail.example.org"], Date.now());
    const whole = `${pair.privateKey.trimEnd()}\n${pair.certificate}`;
    await Deno.writeTextFile(file("mail.example.org.pem"), whole);
    await Deno.writeTextFile(file("failures.json"), '{"mail.example.org":{"count":"x"}}');
    const renewer = await open();
    const [kept] = renewer.pairs;
    assert.equal(kept?.certificate.trim(), pair.certificate.trim());
    assert.equal(kept?.privateKey.trim(), pair.privateKey.trim());
    for (const broken of ["", whole.slice(0, 150), whole.slice(0, -30), "x"]) {
      await Deno.writeTextFile(file("mail.example.org.pem"), broken);
      assert.deepEqual((await open()).pairs, [], JSON.stringify(broken));
    }
    const otherDirectory = await open({ directory: "https://localhost/other" });
    assert.deepEqual(otherDirectory.pairs, []);
    await otherDirectory.stop();
    await renewer.stop();
  });
});
