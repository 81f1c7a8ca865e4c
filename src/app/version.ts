import process from "node:process";
import { VERSION } from "../base/mod.ts";

/** What runs here. */
export interface VersionFacts {
  readonly version: string;
  readonly deno: string;
  readonly sqlite: string;
  /** Processor, vendor and system, such as `x86_64-unknown-linux-gnu`. */
  readonly target: string;
}

export function versionFacts(): VersionFacts {
  return {
    version: VERSION,
    deno: Deno.version.deno,
    sqlite: process.versions["sqlite"] ?? "unknown",
    target: Deno.build.target,
  };
}

/** `postern 0.1.0 (Deno 2.9.6, SQLite 3.53.1, x86_64-unknown-linux-gnu)`. */
export function versionText(): string {
  const { version, deno, sqlite, target } = versionFacts();
  return `postern ${version} (Deno ${deno}, SQLite ${sqlite}, ${target})`;
}
