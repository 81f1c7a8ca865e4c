import { parse as parseToml, TomlError } from "smol-toml";
import type * as z from "zod";
import { KeyLines, type KeyPath } from "./key_lines.ts";
import { type ConfigFile, configSchema } from "./schema.ts";

/** A configuration that cannot be used. `message` has a line for each problem, with its place. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Where the configuration is looked for when no name is given, in this order. */
const DEFAULT_FILES = ["./postern.toml", "/etc/postern/postern.toml"];

/** A file that was read and checked. */
export interface LoadedFile {
  readonly file: string;
  readonly content: ConfigFile;
  readonly lines: KeyLines;
}

/**
 * Reads and checks a configuration file: `name` if given, else `$POSTERN_CONFIG`, else the first of
 * `DEFAULT_FILES` that exists. Throws ConfigError.
 */
export async function readConfigFile(name: string | undefined): Promise<LoadedFile> {
  const chosen = name ?? (Deno.env.get("POSTERN_CONFIG") || undefined);
  for (const file of chosen === undefined ? DEFAULT_FILES : [chosen]) {
    let text;
    try {
      text = await Deno.readTextFile(file);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound && chosen === undefined) continue;
      throw new ConfigError(`${file}: ${whyUnreadable(error)}`);
    }
    return parseConfig(text, file);
  }
  throw new ConfigError(
    `no configuration found: expected ${DEFAULT_FILES.join(" or ")}, or a file named by --config ` +
      'or $POSTERN_CONFIG; "postern demo" needs none',
  );
}

/** Checks the text of a configuration file; `file` is for messages. Throws ConfigError. */
export function parseConfig(text: string, file: string): LoadedFile {
  let data: unknown;
  try {
    data = parseToml(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const why = error.message.split("\n")[0]?.replace("Invalid TOML document: ", "");
    throw new ConfigError(`${file}:${error.line}: not valid TOML: ${why}`);
  }
  const lines = new KeyLines(text);
  const result = configSchema.safeParse(data);
  if (result.success) return { file, content: result.data, lines };
  const problems = result.error.issues.flatMap((issue) => describe(issue, data, lines));
  problems.sort((a, b) => a.line - b.line);
  throw new ConfigError(problems.map(({ line, text }) => `${file}:${line}: ${text}`).join("\n"));
}

interface Problem {
  readonly line: number;
  readonly text: string;
}

function describe(issue: z.core.$ZodIssue, data: unknown, lines: KeyLines): Problem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      line: lines.lineOf([...issue.path, key]),
      text: `${writePath([...issue.path, key])}: unknown key${nearestKey(issue.path, key)}`,
    }));
  }
  const value = valueAt(data, issue.path);
  const found = value === undefined ? "nothing" : excerpt(value);
  return [{
    line: lines.lineOf(issue.path),
    text: `${writePath(issue.path)}: expected ${issue.message}, found ${found}`,
  }];
}

/** `listener[2].address`; keys that need quotes have them. */
function writePath(path: KeyPath): string {
  let text = "";
  for (const part of path) {
    const name = String(part);
    if (typeof part === "number") text += `[${name}]`;
    else text += `${text && "."}${/^[\w-]+$/.test(name) ? name : JSON.stringify(name)}`;
  }
  return text;
}

function valueAt(data: unknown, path: KeyPath): unknown {
  let value = data;
  for (const part of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}

function excerpt(value: unknown): string {
  if (value instanceof Date) return String(value);
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** `; did you mean "x"?` when a key of the same table is spelt much the same. */
function nearestKey(table: KeyPath, key: string): string {
  let best: { name: string; distance: number } | undefined;
  for (const name of keysOf(table)) {
    const distance = editDistance(name, key);
    if (distance <= Math.ceil(name.length / 3) && distance < (best?.distance ?? Infinity)) {
      best = { name, distance };
    }
  }
  return best ? `; did you mean "${best.name}"?` : "";
}

/** The keys that the schema knows in a table. */
function keysOf(table: KeyPath): string[] {
  let schema: z.core.$ZodType = unwrap(configSchema);
  for (const part of table) {
    // `unwrap` goes into arrays by itself, so an index leads nowhere further.
    if (typeof part === "number") continue;
    const inner = shapeOf(schema)[String(part)] ?? valueOf(schema);
    if (!inner) return [];
    schema = unwrap(inner);
  }
  return Object.keys(shapeOf(schema));
}

function shapeOf(schema: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> {
  return "shape" in schema ? schema.shape as Record<string, z.core.$ZodType> : {};
}

/** The schema of all values of a table whose keys are free. */
function valueOf(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  return "valueType" in schema ? schema.valueType as z.core.$ZodType : undefined;
}

/** The table's schema inside defaults, optionals and arrays. */
function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  while ("unwrap" in schema) schema = (schema.unwrap as () => z.core.$ZodType)();
  return schema;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** Why a file could not be read, in words. */
export function whyUnreadable(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "no permission to read it";
  if (error instanceof Deno.errors.NotCapable) return "this process may not read it";
  if (error instanceof Deno.errors.IsADirectory) return "a directory, not a file";
  return error instanceof Error ? error.message : String(error);
}
