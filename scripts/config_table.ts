/**
 * The README's table of configuration keys, from the schema. `deno task config-table` writes it
 * anew; `deno task docs` complains when it is out of date, or when a key has no description.
 */
import type * as z from "zod";
import { configSchema } from "../src/app/config/schema.ts";
import { readReadme, replaceTable, writeReadme, writeTable } from "./readme_table.ts";

const NAME = "config-table";

/** A key as the table shows it. */
export interface ConfigKey {
  readonly path: string;
  /** As the file would spell it; undefined: there is none. */
  readonly defaultText: string | undefined;
  readonly isNeeded: boolean;
  readonly description: string | undefined;
}

/** All keys that the schema knows, in its order. Keys of tables that anybody may name are left out. */
export function configKeys(): ConfigKey[] {
  return keysOf(configSchema, "");
}

function keysOf(schema: z.core.$ZodType, prefix: string): ConfigKey[] {
  return Object.entries(shapeOf(schema)).flatMap(([name, inner]) => {
    const path = prefix === "" ? name : `${prefix}.${name}`;
    const { core, isArray, isOptional, defaultValue } = unwrap(inner);
    if (Object.keys(shapeOf(core)).length > 0) return keysOf(core, isArray ? `${path}[]` : path);
    return [{
      path,
      defaultText: defaultValue === undefined ? undefined : JSON.stringify(defaultValue),
      isNeeded: !isOptional && defaultValue === undefined,
      description: "description" in inner ? inner.description as string | undefined : undefined,
    }];
  });
}

/** What is inside of defaults, optionals and, of tables, arrays. */
function unwrap(schema: z.core.$ZodType) {
  let core = schema;
  let isOptional = false;
  let isArray = false;
  let defaultValue: unknown;
  for (;;) {
    const { def } = core._zod;
    if (def.type === "default" && "defaultValue" in def) defaultValue = def.defaultValue;
    if (def.type === "optional") isOptional = true;
    if (def.type === "array") isArray = true;
    if (!("unwrap" in core)) return { core, isArray, isOptional, defaultValue };
    core = (core.unwrap as () => z.core.$ZodType)();
  }
}

function shapeOf(schema: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> {
  return "shape" in schema ? schema.shape as Record<string, z.core.$ZodType> : {};
}

/** The table. Throws when a key has no description. */
export function writeConfigTable(keys: readonly ConfigKey[]): string {
  const rows = keys.map(({ path, defaultText, isNeeded, description }) => {
    if (description === undefined) throw new Error(`${path} has no description in the schema`);
    const preset = defaultText === undefined ? "" : `\`${defaultText}\``;
    return [`\`${path}\``, isNeeded ? "(needed)" : preset, description];
  });
  return writeTable(["Key", "Default", "What"], rows);
}

/** The README as it is and as it should be. */
export async function readConfigTables(): Promise<{ present: string; wanted: string }> {
  const present = await readReadme();
  return { present, wanted: replaceTable(present, NAME, writeConfigTable(configKeys())) };
}

if (import.meta.main) await writeReadme((await readConfigTables()).wanted);
