import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import project from "../../../deno.json" with { type: "json" };

/** How this program is started by others: as a binary, or as source by Deno. */
export interface Program {
  readonly command: readonly string[];
  /** What people type to run a command as the user postern. */
  readonly commandAsUser: string;
  /** Lines for the unit's section [Service]. */
  readonly unitLines: readonly string[];
  /** Whether it is in somebody's home, which units do not let a service see. */
  readonly isAtHome: boolean;
}

/** Where Deno keeps libraries and compiled code of a server that runs from source. */
const CACHE_DIR = "/var/cache/postern";

/** The program that runs now. */
export function thisProgram(): Program {
  const runtime = Deno.execPath();
  if (Deno.build.standalone) {
    return {
      command: [runtime],
      commandAsUser: `sudo -u postern ${runtime}`,
      unitLines: [],
      isAtHome: isAtHome(runtime),
    };
  }
  const main = fileURLToPath(Deno.mainModule);
  // "deno run FLAGS main.ts": the task's own flags, so that there is one list of permissions.
  const flags = project.tasks.postern.command.split(" ").slice(1, -1);
  return {
    command: [runtime, ...flags, main],
    commandAsUser: `sudo -u postern env DENO_DIR=${CACHE_DIR} ${runtime} task -q --cwd ${
      dirname(main)
    } postern`,
    unitLines: ["CacheDirectory=postern", `Environment=DENO_DIR=${CACHE_DIR}`],
    isAtHome: [runtime, main].some(isAtHome),
  };
}

function isAtHome(path: string): boolean {
  return /^\/(?:root|home|run\/user)\//.test(path);
}
