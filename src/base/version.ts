import project from "../../deno.json" with { type: "json" };

/** This program's version, as `deno.json` has it and nothing else. */
export const VERSION: string = project.version;
