/**
 * `deno task release-notes [TAG]`: what changed since the last tag, or since TAG, as Markdown in the
 * form of GitHub's releases. Each commit's first line tells why; a paragraph "BREAKING: ..." in its
 * message tells what to do before an upgrade, and comes first. A tag on the newest commit is the
 * release itself, and the notes begin behind the tag before it.
 */
import project from "../deno.json" with { type: "json" };
import { printError, printLine } from "../src/app/terminal.ts";

/** The notes for the repository in `folder`. */
export async function releaseNotes(folder: string, since?: string): Promise<string> {
  const tag = since ?? await git(folder, "describe", "--tags", "--abbrev=0", "HEAD^")
    .catch(() => undefined);
  const range = tag === undefined ? "HEAD" : `${tag}..HEAD`;
  const log = await git(folder, "log", "--no-merges", "--format=%h%x1f%s%x1f%b%x1e", range);
  const commits = log.split("\x1e").map((record) => record.trim()).filter((record) => record !== "")
    .map((record) => {
      const [hash = "", subject = "", body = ""] = record.split("\x1f");
      const breaking = body.split(/\n\n+/).find((each) => each.startsWith("BREAKING: "));
      return { hash, subject, breaking: breaking?.slice(10).replaceAll(/\s+/g, " ").trim() };
    });
  const breaks = commits.filter(({ breaking }) => breaking !== undefined);
  const lines = [`## Postern ${project.version}`];
  if (breaks.length > 0) {
    lines.push("", "### Before you upgrade", "");
    lines.push(...breaks.map(({ hash, breaking }) => `* ${breaking} (${hash})`));
  }
  lines.push("", "### What's changed", "");
  lines.push(...commits.map(({ hash, subject }) => `* ${subject} (${hash})`));
  if (commits.length === 0) lines.push(`Nothing since ${tag}.`);
  if (tag !== undefined) lines.push("", `**Full changelog**: ${tag}...v${project.version}`);
  return lines.join("\n");
}

async function git(folder: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("git", { args, cwd: folder }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
  return new TextDecoder().decode(stdout).trim();
}

if (import.meta.main) {
  try {
    printLine(await releaseNotes(Deno.cwd(), Deno.args[0]));
  } catch (error) {
    printError(`release notes: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
