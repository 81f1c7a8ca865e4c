import { run } from "./src/app/mod.ts";

if (import.meta.main) Deno.exit(await run(Deno.args));
