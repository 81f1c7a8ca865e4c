/**
 * The house rules that the linter holds: which room may import which, through which door, who may
 * touch sockets and databases, what pure rooms stay away from, and that importing does no work.
 * `src/README.md` has the same arrows in prose.
 */

const ROOMS_BELOW: Readonly<Record<string, readonly string[] | "all">> = {
  app: "all",
  web: ["chatmail", "transfer", "delivery", "store", "auth", "base"],
  chatmail: ["message", "store", "auth", "base"],
  session: ["imap", "wire", "net", "notify", "store", "auth", "base"],
  delivery: ["message", "net", "store", "auth", "base"],
  imap: ["wire", "message", "store", "auth", "base"],
  acme: ["net", "base"],
  transfer: ["wire", "message", "store", "base"],
  auth: ["store", "base"],
  store: ["message", "base"],
  notify: ["base"],
  net: ["base"],
  wire: ["base"],
  message: ["base"],
  base: [],
};

/** Modules that reach outside the process, and the only rooms that import them. */
const GUARDED_MODULES: Readonly<Record<string, readonly string[]>> = {
  "node:net": ["net"],
  "node:tls": ["net"],
  // Deflate on the wire, zstd on the disk and zip have nothing in common but the module.
  "node:zlib": ["net", "store", "transfer"],
  "node:sqlite": ["store"],
};

/** No I/O, no clock, no timers: folders and files that are functions of their arguments. */
const PURE = ["wire/", "message/", "session/view.ts", "session/updates.ts"];
const PURE_NODE_MODULES = ["node:buffer"];
const IMPURE_NAMES = [
  "Deno",
  "clearInterval",
  "clearTimeout",
  "fetch",
  "performance",
  "setInterval",
  "setTimeout",
];

/** A file's place in `src/`: `store/sqlite/engine.ts` is of room `store`, engine `sqlite`. */
interface Place {
  /** Path below `src/`. */
  readonly path: string;
  readonly room: string;
  readonly engine: string | undefined;
}

function placeOf(path: string): Place | undefined {
  const below = /(?:^|.*\/)src\/(.+)$/.exec(path)?.[1];
  const room = below?.split("/")[0];
  if (below === undefined || room === undefined || !below.includes("/")) return undefined;
  return { path: below, room, engine: /^store\/(\w+)\//.exec(below)?.[1] };
}

function resolvePath(from: string, specifier: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const step of specifier.split("/")) {
    if (step === "..") parts.pop();
    else if (step !== ".") parts.push(step);
  }
  return parts.join("/");
}

/** Why the file may not import the specifier, or undefined when it may. */
export function importBreach(fileName: string, specifier: string): string | undefined {
  const file = fileName.replaceAll("\\", "/");
  const from = placeOf(file);
  const guards = GUARDED_MODULES[specifier];
  if (guards && from && !guards.includes(from.room)) {
    return `${specifier} is imported by ${guards.join(" and ")} only`;
  }
  if (from && isPure(from) && specifier.startsWith("node:")) {
    if (!PURE_NODE_MODULES.includes(specifier)) return `${from.path} is pure: no ${specifier}`;
  }
  if (!specifier.startsWith(".")) return undefined;
  // The version and the permissions stand there and nowhere else.
  if (/^(?:\.\.\/)+deno\.json$/.test(specifier) && ["base", "app"].includes(from?.room ?? "")) {
    return undefined;
  }
  const to = placeOf(resolvePath(file, specifier));
  if (!to) return from ? `${from.path} imports from outside src/` : undefined;
  if (!from) {
    // Tests and scripts look inside rooms; the program itself starts at one door.
    return file.endsWith("/main.ts") && to.room !== "app" ? "main.ts imports app only" : undefined;
  }
  if (from.room === to.room) {
    if (to.engine === undefined || from.engine === to.engine) return undefined;
    return `the contract of ${from.room} imports no engine`;
  }
  const below = ROOMS_BELOW[from.room];
  if (below === undefined) return `src/${from.room} is not a room: add it to the arrows first`;
  if (below !== "all" && !below.includes(to.room)) {
    return `${from.room} does not import ${to.room}; it may import ${
      below.join(", ") || "nothing"
    }`;
  }
  if (to.path === `${to.room}/mod.ts`) return undefined;
  if (to.engine && to.path === `${to.room}/${to.engine}/engine.ts`) {
    return from.room === "app" ? undefined : "only app imports an engine";
  }
  return `import ${to.room}/mod.ts: other rooms come in by the front door`;
}

function isPure(place: Place): boolean {
  return PURE.some((pure) =>
    pure.endsWith("/") ? place.path.startsWith(pure) : place.path === pure
  );
}

const imports: Deno.lint.Rule = {
  create(context) {
    const check = (source: Deno.lint.Node | null | undefined) => {
      if (source?.type !== "Literal" || typeof source.value !== "string") return;
      const breach = importBreach(context.filename, source.value);
      if (breach) context.report({ node: source, message: breach });
    };
    return {
      ImportDeclaration: (node) => check(node.source),
      ExportNamedDeclaration: (node) => check(node.source),
      ExportAllDeclaration: (node) => check(node.source),
      ImportExpression: (node) => check(node.source),
    };
  },
};

const purity: Deno.lint.Rule = {
  create(context) {
    const place = placeOf(context.filename.replaceAll("\\", "/"));
    if (!place || !isPure(place)) return {};
    const refuse = (node: Deno.lint.Node, what: string) =>
      context.report({ node, message: `${place.path} is pure: no ${what}` });
    return {
      MemberExpression(node) {
        if (node.object.type !== "Identifier" || node.property.type !== "Identifier") return;
        const { name } = node.object;
        if (IMPURE_NAMES.includes(name)) refuse(node, name);
        if (name === "Date" && node.property.name === "now") refuse(node, "Date.now");
      },
      CallExpression(node) {
        if (node.callee.type !== "Identifier") return;
        if (IMPURE_NAMES.includes(node.callee.name)) refuse(node, node.callee.name);
      },
      NewExpression(node) {
        if (node.callee.type !== "Identifier" || node.callee.name !== "Date") return;
        if (node.arguments.length === 0) refuse(node, "new Date() without a time");
      },
    };
  },
};

const noWorkAtImport: Deno.lint.Rule = {
  create(context) {
    if (!placeOf(context.filename.replaceAll("\\", "/"))) return {};
    return {
      Program(node) {
        for (const statement of node.body) {
          if (/^(Expression|For|ForIn|ForOf|While|DoWhile|If|Try)Statement$/.test(statement.type)) {
            context.report({ node: statement, message: "a module does no work when imported" });
          }
        }
      },
    };
  },
};

// The linter takes a plugin from the default export only.
export default {
  name: "postern",
  rules: { imports, purity, "no-work-at-import": noWorkAtImport },
} satisfies Deno.lint.Plugin;
