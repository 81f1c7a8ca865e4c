/**
 * Checks what comments claim: every RFC reference names a section that exists in the RFC's text,
 * and every room's front door opens with its laws. Run as `deno task docs`; prints each breach and
 * exits 1. The RFC texts lie beside the repository in `../shared/rfc`; where they are missing, only
 * the spelling of references is checked. Tables of the README that are written from the source must
 * be up to date.
 */
import { readConfigTables } from "./config_table.ts";
import { readTables } from "./rfc_table.ts";

const ROOT = new URL("..", import.meta.url);
const RFC_FOLDER = new URL("../shared/rfc/", ROOT);

/** RFCs that comments may name although their text is not in the folder, each with the reason. */
const TEXT_NOT_KEPT: Readonly<Record<string, string>> = {
  "6186": "SRV records of mail programs: not handed to the project",
  "6750": "bearer tokens: not handed to the project",
  "7662": "token introspection: not handed to the project",
  "9112": "HTTP/1.1: not handed to the project",
  "9585": "INPROGRESS: its text was not handed to the project",
  "3464": "delivery status notifications: not handed to the project",
  "6522": "multipart/report: not handed to the project",
  "3848": "the names of transmission types: not handed to the project",
  "5892": "IDNA code points, of which PRECIS uses two tables: not handed to the project",
  "9586": "UIDONLY: not handed to the project",
  "5550": "URL-PARTIAL: not handed to the project",
  "9590": "LIST-METADATA: not handed to the project",
  "9738": "MESSAGELIMIT: not handed to the project",
  "9755": "UTF8=ACCEPT, in place of RFC 6855: not handed to the project",
  "10022": "UIDBATCHES: not handed to the project",
};

/** A claim of a comment that does not hold. */
export interface Breach {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** What sections of an RFC exist: undefined when its text is not at hand. */
export type SectionLookup = (rfc: string) => ReadonlySet<string> | undefined;

/** The section numbers of an RFC, from its table of contents and its headings. */
export function parseSections(text: string): Set<string> {
  const sections = new Set<string>();
  const heading = /^ *(?:Appendix )?((?:\d+|[A-Z])(?:\.\d+)*)[.:]? +\S/gm;
  for (const [, number] of text.matchAll(heading)) if (number) sections.add(number);
  return sections;
}

/** Checks every reference in one file's text. A reference may run over the end of a comment line. */
export function checkReferences(file: string, text: string, sectionsOf: SectionLookup): Breach[] {
  const breaches: Breach[] = [];
  const reference =
    /\b(?:(RFC(?!822\b)\d{3,5}\b|RFC \d{3,5},? ?(?:§|[Ss]ec))|RFC(?:[ ]|\n[ ]*(?:\*|\/\/)[ ]+)(\d{3,5})(?:(?:[ ]|\n[ ]*(?:\*|\/\/)[ ]+)((?:\d+|appendix [A-Z]|[A-Z](?=\.\d))(?:\.\d+)*)(?![\w-]))?)/g;
  for (const { index, 1: misspelt, 2: rfc, 3: section } of text.matchAll(reference)) {
    const line = text.slice(0, index).split("\n").length;
    const complain = (message: string) => breaches.push({ file, line, message });
    if (misspelt) {
      complain(`"${misspelt}" should be written like "RFC 9051 6.4.5"`);
      continue;
    }
    if (!rfc) continue;
    const sections = sectionsOf(rfc);
    if (!sections) complain(`the text of RFC ${rfc} is not at hand`);
    else if (section && !sections.has(section.replace("appendix ", ""))) {
      complain(`RFC ${rfc} has no section ${section}`);
    }
  }
  return breaches;
}

/** Checks that a front door opens with a comment that names the room and its laws. */
export function checkFrontDoor(file: string, room: string, text: string): Breach[] {
  const opening = /^\/\*\*([\s\S]*?)\*\//.exec(text)?.[1] ?? "";
  if (opening.trimStart().startsWith(`* ${room}: `) && /\bLaws?: /.test(opening)) return [];
  const message = `a front door opens with "/** ${room}: …" and its "Laws: …"`;
  return [{ file, line: 1, message }];
}

async function* sourceFiles(folder: URL, path: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(new URL(path, folder))) {
    if (entry.isDirectory) yield* sourceFiles(folder, `${path}${entry.name}/`);
    else if (entry.name.endsWith(".ts")) yield `${path}${entry.name}`;
  }
}

/** The sections that texts in `folder` have; undefined when there is no such folder. */
async function readRfcs(folder: URL): Promise<SectionLookup | undefined> {
  const texts = new Map<string, Set<string>>();
  try {
    for await (const { name } of Deno.readDir(folder)) {
      const number = /^rfc(\d+)\.txt$/.exec(name)?.[1];
      if (!number) continue;
      texts.set(number, parseSections(await Deno.readTextFile(new URL(name, folder))));
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  return (rfc) => texts.get(rfc);
}

/** All breaches in the repository, and whether the RFC texts were there to check against. */
export async function checkDocs(): Promise<{ breaches: Breach[]; rfcsAtHand: boolean }> {
  const sectionsOf = await readRfcs(RFC_FOLDER);
  // Any section goes when the texts are missing: the set that has everything.
  const anything = { has: () => true } as unknown as ReadonlySet<string>;
  const lookup: SectionLookup = (rfc) =>
    sectionsOf && !(rfc in TEXT_NOT_KEPT) ? sectionsOf(rfc) : anything;
  const breaches: Breach[] = [];
  for (const top of ["src/", "tests/", "scripts/"]) {
    for await (const file of sourceFiles(ROOT, top)) {
      // The check's own test is full of references that are wrong on purpose.
      if (file === "tests/scripts/check_docs_test.ts") continue;
      breaches.push(
        ...checkReferences(file, await Deno.readTextFile(new URL(file, ROOT)), lookup),
      );
    }
  }
  for await (const { name, isDirectory } of Deno.readDir(new URL("src/", ROOT))) {
    if (!isDirectory) continue;
    const files = await Array.fromAsync(sourceFiles(ROOT, `src/${name}/`));
    if (files.length === 0) continue;
    const door = `src/${name}/mod.ts`;
    const text = files.includes(door) ? await Deno.readTextFile(new URL(door, ROOT)) : "";
    breaches.push(...checkFrontDoor(door, name, text));
  }
  for (
    const [task, read] of [["config-table", readConfigTables], ["rfc-table", readTables]] as const
  ) {
    const { present, wanted } = await read();
    if (present === wanted) continue;
    const message = `a table is out of date: run "deno task ${task}"`;
    breaches.push({ file: "README.md", line: 1, message });
  }
  return { breaches, rfcsAtHand: sectionsOf !== undefined };
}

if (import.meta.main) {
  const { breaches, rfcsAtHand } = await checkDocs();
  const lines = breaches.map(({ file, line, message }) => `${file}:${line}: ${message}\n`);
  if (!rfcsAtHand) lines.push("sections not checked: there is no ../shared/rfc\n");
  await Deno.stderr.write(new TextEncoder().encode(lines.join("")));
  Deno.exit(breaches.length === 0 ? 0 : 1);
}
