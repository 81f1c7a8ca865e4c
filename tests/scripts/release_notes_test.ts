import assert from "node:assert/strict";
import project from "../../deno.json" with { type: "json" };
import { releaseNotes } from "../../scripts/release_notes.ts";

const HEADING = `## Postern ${project.version}\n`;

Deno.test("release notes have the commits since the last tag, and what to do before an upgrade", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const git = async (...args: string[]) => {
      const { success, stdout, stderr } = await new Deno.Command("git", {
        args: ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", ...args],
        cwd: folder,
        env: { GIT_CONFIG_GLOBAL: "/dev/null" },
      }).output();
      assert.ok(success, new TextDecoder().decode(stderr));
      return new TextDecoder().decode(stdout).trim();
    };
    const commit = async (...paragraphs: string[]) => {
      const messages = paragraphs.flatMap((text) => ["-m", text]);
      await git("commit", "-q", "--allow-empty", ...messages);
      return await git("rev-parse", "--short", "HEAD");
    };
    await git("init", "-q");
    const first = await commit("Begin");
    assert.equal(
      await releaseNotes(folder),
      `${HEADING}\n### What's changed\n\n* Begin (${first})`,
      "without a tag: all",
    );
    await git("tag", "v0.0.1");
    const second = await commit("Serve * everything_", "Because it is asked for.");
    const third = await commit(
      "Rename a key",
      "It was misleading.",
      "BREAKING: `old` is now `new`:\nchange your configuration.",
      "Co-authored-by: Bob",
    );
    const expected = `${HEADING}
### Before you upgrade

* \`old\` is now \`new\`: change your configuration. (${third})

### What's changed

* Rename a key (${third})
* Serve * everything_ (${second})

**Full changelog**: v0.0.1...v${project.version}`;
    assert.equal(await releaseNotes(folder), expected);
    await git("tag", "v0.0.2");
    assert.equal(await releaseNotes(folder), expected, "a tag on the newest commit is the release");
    assert.match(await releaseNotes(folder, "v0.0.2"), /Nothing since v0\.0\.2\./);
    await assert.rejects(releaseNotes(folder, "v9"), /v9/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
