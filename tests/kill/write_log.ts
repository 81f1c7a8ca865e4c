/**
 * What a process did to the files of a folder, as strace saw it, and what a disk may hold of it when
 * the power fails at some moment. Of a file that is what was synced, and of what was written since
 * any part: a write may be missing, or half there. Names of files are what the folder's last sync
 * made durable; each later change of a name may be there or not.
 */
import { Buffer } from "node:buffer";
import { dirname, join } from "node:path";
import type { Random } from "./model.ts";

/** Disks write whole sectors; what was being written may be torn between two. */
const SECTOR_BYTES = 512;

export type FileEvent =
  | { readonly kind: "create" | "unlink" | "mkdir" | "rmdir" | "sync"; readonly path: string }
  | { readonly kind: "rename"; readonly path: string; readonly to: string }
  | {
    readonly kind: "write";
    readonly path: string;
    /** Undefined: at the end. */
    readonly offset: number | undefined;
    readonly bytes: Buffer;
  }
  | { readonly kind: "truncate"; readonly path: string; readonly size: number }
  /** A line on standard output. */
  | { readonly kind: "said"; readonly line: string };

/** The system calls to record. */
export const TRACED = "pwrite64,pwritev,pwritev2,write,writev,ftruncate,truncate,fallocate,fsync," +
  "fdatasync,sync_file_range,openat,unlink,unlinkat,rename,renameat,renameat2,mkdir,rmdir";

/** Reads the output of `strace -f -y -xx`, for files below `folder`. Throws at what it cannot replay. */
export function parseTrace(text: string, folder: string): FileEvent[] {
  const events: FileEvent[] = [];
  const unfinished = new Map<string, string>();
  const known = new Set<string>();
  let said = "";
  for (let line of text.split("\n")) {
    const [, pid = "", rest = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (rest.endsWith("<unfinished ...>")) {
      unfinished.set(pid, rest.slice(0, -"<unfinished ...>".length));
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>/.exec(rest);
    line = resumed ? (unfinished.get(pid) ?? "") + rest.slice(resumed[0].length) : rest;
    const [, call = "", argumentsText = "", result = ""] =
      /^(\w+)\((.*?) *\) += (-?\d+|\?)/.exec(line) ?? [];
    if (call === "" || Number(result) < 0 || result === "?") continue;
    // A descriptor's path is in angle brackets, a path argument in quotes.
    const paths = [...argumentsText.matchAll(/(?<=^\d+<)[^>]*(?=>)|"(?:\\x..)*"/g)]
      .map(([found]) => unhex(found));
    if (call === "write" && argumentsText.startsWith("1<")) {
      said += paths[1]?.toString() ?? "";
      for (let end; (end = said.indexOf("\n")) >= 0; said = said.slice(end + 1)) {
        events.push({ kind: "said", line: said.slice(0, end) });
      }
      continue;
    }
    const path = paths[0]?.toString() ?? "";
    // The index of the log is not kept over a failure: SQLite makes it anew from the log.
    const isOurs = path.startsWith(folder) || path === dirname(folder);
    if (!isOurs || path.endsWith("-shm")) continue;
    switch (call) {
      case "openat":
        if (/O_TRUNC/.test(argumentsText)) throw new Error(`cannot replay: ${call} with O_TRUNC`);
        if (/O_CREAT/.test(argumentsText) && !known.has(path)) {
          known.add(path);
          events.push({ kind: "create", path });
        }
        break;
      case "write":
        events.push({ kind: "write", path, offset: undefined, bytes: paths[1] ?? Buffer.of() });
        break;
      case "pwrite64":
        events.push({
          kind: "write",
          path,
          offset: Number(/(\d+)$/.exec(argumentsText)?.[1]),
          bytes: (paths[1] ?? Buffer.of()).subarray(0, Number(result)),
        });
        break;
      case "ftruncate":
        events.push({ kind: "truncate", path, size: Number(/(\d+)$/.exec(argumentsText)?.[1]) });
        break;
      case "fsync":
      case "fdatasync":
        events.push({ kind: "sync", path });
        break;
      case "unlink":
        known.delete(path);
        events.push({ kind: "unlink", path });
        break;
      case "mkdir":
      case "rmdir":
        events.push({ kind: call, path });
        break;
      case "rename":
        events.push({ kind: "rename", path, to: paths[1]?.toString() ?? "" });
        break;
      default:
        throw new Error(`cannot replay: ${line.slice(0, 200)}`);
    }
  }
  return events;
}

type Change = Extract<FileEvent, { kind: "write" | "truncate" }>;

/** Bytes that grow and shrink in place. */
class Content {
  #room: Buffer;
  #size: number;

  constructor(bytes: Uint8Array = Buffer.of()) {
    this.#room = Buffer.from(bytes);
    this.#size = bytes.length;
  }

  get bytes(): Buffer {
    return this.#room.subarray(0, this.#size);
  }

  apply(change: Change): void {
    if (change.kind === "truncate") return this.#resize(change.size);
    const offset = change.offset ?? this.#size;
    this.#resize(Math.max(this.#size, offset + change.bytes.length));
    change.bytes.copy(this.#room, offset);
  }

  /** What a file grows by is zeros. */
  #resize(size: number): void {
    if (size > this.#room.length) {
      const room = Buffer.alloc(2 * size);
      this.bytes.copy(room);
      this.#room = room;
    }
    this.#room.fill(0, Math.min(size, this.#size), Math.max(size, this.#size));
    this.#size = size;
  }
}

class File {
  readonly durable = new Content();
  pending: Change[] = [];
}

/** What a name may stand for. */
type Entry = File | "folder" | undefined;

/** A disk with a cache in front of it. */
export class Disk {
  /** The entries that each path had since its folder was synced, the durable one first. */
  readonly #entries = new Map<string, Entry[]>();

  apply(event: FileEvent): void {
    switch (event.kind) {
      case "said":
        return;
      case "create":
        return this.#set(event.path, new File());
      case "mkdir":
        return this.#set(event.path, "folder");
      case "unlink":
      case "rmdir":
        return this.#set(event.path, undefined);
      case "rename":
        this.#set(event.to, this.#now(event.path));
        return this.#set(event.path, undefined);
      case "write":
      case "truncate":
        this.#file(event.path).pending.push(event);
        return;
      case "sync": {
        const entry = this.#now(event.path);
        if (entry instanceof File) {
          for (const change of entry.pending) entry.durable.apply(change);
          entry.pending = [];
          return;
        }
        for (const [path, entries] of this.#entries) {
          if (dirname(path) === event.path) this.#entries.set(path, entries.slice(-1));
        }
        return;
      }
      default:
        return event satisfies never;
    }
  }

  /**
   * What is there after a power failure: of what was not synced each change is kept with
   * probability `share`, and writes are torn when `isTorn`.
   */
  afterFailure(share: number, isTorn: boolean, random: Random): Map<string, Buffer | "folder"> {
    const found = new Map<string, Buffer | "folder">();
    for (const [path, entries] of this.#entries) {
      let kept = 0;
      while (kept < entries.length - 1 && random() < share) kept++;
      const entry = entries[kept];
      if (entry === "folder") found.set(path, entry);
      if (!(entry instanceof File)) continue;
      const content = new Content(entry.durable.bytes);
      for (const change of entry.pending) {
        for (const piece of isTorn ? sectors(change) : [change]) {
          if (random() < share) content.apply(piece);
        }
      }
      found.set(path, content.bytes);
    }
    return found;
  }

  #set(path: string, entry: Entry): void {
    this.#entries.set(path, [...this.#entries.get(path) ?? [undefined], entry]);
  }

  #now(path: string): Entry {
    return this.#entries.get(path)?.at(-1);
  }

  #file(path: string): File {
    const entry = this.#now(path);
    if (!(entry instanceof File)) throw new Error(`cannot replay: a write to ${path}`);
    return entry;
  }
}

/** Writes what `afterFailure` gave, with `from` replaced by `to` in the paths. */
export async function writeFiles(
  files: ReadonlyMap<string, Buffer | "folder">,
  from: string,
  to: string,
): Promise<void> {
  const moved = (path: string) => join(to, path.slice(from.length));
  const folders = [...files].filter(([, it]) => it === "folder").map(([path]) => path).sort();
  for (const path of folders) {
    // A folder whose own name was lost takes all that is in it along.
    await Deno.mkdir(moved(path)).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
  for (const [path, bytes] of files) {
    if (bytes === "folder") continue;
    await Deno.writeFile(moved(path), bytes).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}

function sectors(change: Change): Change[] {
  if (change.kind === "truncate" || change.offset === undefined) return [change];
  const pieces: Change[] = [];
  for (let at = 0; at < change.bytes.length;) {
    const offset = change.offset + at;
    const end = at + SECTOR_BYTES - offset % SECTOR_BYTES;
    pieces.push({ ...change, offset, bytes: change.bytes.subarray(at, end) });
    at = end;
  }
  return pieces;
}

function unhex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/["\\x]/g, ""), "hex");
}
