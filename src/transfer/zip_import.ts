import { dirname, join } from "node:path";
import { crc32, inflateRawSync } from "node:zlib";
import { configure, type Entry, type FileEntry, Reader, ZipReader } from "@zip.js/zip.js";
import { type Bytes, othersTurn } from "../base/mod.ts";
import { writeWhole } from "./files.ts";
import {
  MAX_ZIP_DIRECTORY_BYTES,
  MAX_ZIP_ENTRIES,
  MAX_ZIP_LEVELS,
  MAX_ZIP_NAME_BYTES,
  SMALL_ZIP_ENTRY_BYTES,
  ZIP_READ_BYTES,
  ZIP_TURN_ENTRIES,
} from "./limits.ts";
import { TransferError } from "./result.ts";

/** Bits of the mode of a file that say what it is, and those of a file and a folder. */
const TYPE_BITS = 0o170000;
/** The fixed part of what stands before the bytes of an entry. */
const LOCAL_HEAD_BYTES = 30;
const DEFLATED = 8;
const PLAIN_TYPES = [0, 0o100000, 0o040000];

/**
 * Unpacks a zip into `folder`, which must be empty: files and folders below it and nothing else,
 * of at most `maxBytes` octets together. Throws TransferError when it has anything else in it.
 */
export async function unpackZip(
  path: string,
  folder: string,
  maxBytes: number,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  configure({ useWebWorkers: false, chunkSize: ZIP_READ_BYTES });
  using file = await Deno.open(path);
  const reader = new FileReader(file);
  const zip = new ZipReader(reader, {
    checkSignature: true,
    // `problemOf` looks at names, and says which it is that is wrong.
    filenameValidation: "tolerant",
  });
  try {
    const entries = await listEntries(zip, maxBytes);
    const total = entries.reduce((sum, { size }) => sum + size, 0);
    let done = 0;
    let made = "";
    for (const entry of entries) {
      const path = join(folder, entry.name);
      const parent = entry.isFolder ? path : dirname(path);
      try {
        if (parent !== made) await Deno.mkdir(parent, { recursive: true, mode: 0o700 });
        made = parent;
        if (entry.isFolder) continue;
        await unpackFile(entry, reader, path, (bytes) => {
          done += bytes;
          onProgress(done, total);
        });
      } catch (error) {
        if (!isInTheWay(error)) throw error;
        throw refusal(entry.name, "is there twice, or below a file");
      }
    }
  } catch (error) {
    if (!(error instanceof Error) || error instanceof TransferError) throw error;
    if (error instanceof RangeError || error.name === "AbortError" || isSystemError(error)) {
      throw error;
    }
    throw new TransferError(`the zip cannot be read: ${error.message}`, { cause: error });
  } finally {
    await zip.close();
  }
}

/** Whether another entry of the same zip has that path, or is a file where a folder is needed. */
function isInTheWay(error: unknown): boolean {
  return error instanceof Deno.errors.AlreadyExists || error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.IsADirectory;
}

/** Errors of files and disks are not the zip's. */
function isSystemError(error: Error): boolean {
  return Object.values(Deno.errors).some((kind) => error instanceof kind);
}

/** What is needed of an entry; what zip.js has of each is many times as much. */
interface PackedFile {
  readonly name: string;
  readonly isFolder: boolean;
  readonly size: number;
  readonly time: Date;
  /** Where a small deflated entry is, which is inflated in one step. */
  readonly small: { offset: number; packedSize: number; checksum: number } | undefined;
  /** For the others. */
  readonly entry: FileEntry | undefined;
}

/** The entries to unpack, each of which was looked at. */
async function listEntries(zip: ZipReader<unknown>, maxBytes: number): Promise<PackedFile[]> {
  const files: PackedFile[] = [];
  let count = 0;
  let bytes = 0;
  for await (const entry of zip.getEntriesGenerator()) {
    if (++count > MAX_ZIP_ENTRIES) {
      throw new TransferError(`the zip has more than ${MAX_ZIP_ENTRIES} files`);
    }
    if (count % ZIP_TURN_ENTRIES === 0) await othersTurn();
    const problem = problemOf(entry);
    if (problem !== undefined) throw refusal(entry.filename, problem);
    // What macOS adds: no mail.
    if (entry.filename.startsWith("__MACOSX/")) continue;
    bytes += entry.uncompressedSize;
    if (bytes > maxBytes) {
      throw new TransferError(`the zip has more than ${maxBytes} octets in it`);
    }
    files.push(packedFile(entry));
  }
  return files;
}

function packedFile(entry: Entry): PackedFile {
  const { compressedSize, uncompressedSize, compressionMethod } = entry;
  const isSmall = compressionMethod === DEFLATED &&
    Math.max(compressedSize, uncompressedSize) <= SMALL_ZIP_ENTRY_BYTES;
  return {
    name: entry.filename,
    isFolder: entry.directory,
    size: uncompressedSize,
    time: entry.lastModDate,
    small: isSmall
      ? { offset: entry.offset, packedSize: compressedSize, checksum: entry.signature ?? 0 }
      : undefined,
    entry: isSmall || entry.directory ? undefined : entry,
  };
}

/** Why the entry must not be unpacked. */
function problemOf({ filename, encrypted, externalFileAttributes = 0 }: Entry): string | undefined {
  const levels = filename.replace(/\/$/, "").split("/");
  if (encrypted) return "is encrypted";
  if (!PLAIN_TYPES.includes(externalFileAttributes >>> 16 & TYPE_BITS)) {
    return "is neither a file nor a folder";
  }
  if (/[\0\\]|^[A-Za-z]:/.test(filename)) return "has a name that is not allowed";
  if (levels.some((level) => level === "" || level === "." || level === "..")) {
    return "has a path that leads elsewhere";
  }
  if (levels.length > MAX_ZIP_LEVELS) return `is in more than ${MAX_ZIP_LEVELS} folders`;
  if (levels.some((level) => new TextEncoder().encode(level).length > MAX_ZIP_NAME_BYTES)) {
    return "has too long a name";
  }
  return undefined;
}

function refusal(name: string, problem: string): TransferError {
  return new TransferError(
    `the zip cannot be used: ${JSON.stringify(name.slice(0, 200))} ${problem}`,
  );
}

async function unpackFile(
  packed: PackedFile,
  reader: FileReader,
  path: string,
  onBytes: (count: number) => void,
): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  if (packed.small) {
    const bytes = await readSmall(packed, packed.small, reader);
    onBytes(bytes.length);
    await writeWhole(file, bytes);
  } else if (packed.entry) await streamEntry(packed.entry, file, onBytes);
  // The date of a message in a Maildir, where its name has none.
  await file.utime(packed.time, packed.time);
}

/**
 * The whole of a small entry, such as a message in a Maildir: streams for each would cost many times
 * the time and memory. Throws TransferError.
 */
async function readSmall(
  { name, size }: PackedFile,
  { offset, packedSize, checksum }: NonNullable<PackedFile["small"]>,
  reader: FileReader,
): Promise<Bytes> {
  const head = await reader.readUint8Array(offset, LOCAL_HEAD_BYTES);
  if (head.length < LOCAL_HEAD_BYTES) throw refusal(name, "is cut off");
  const lengths = new DataView(head.buffer);
  const start = offset + LOCAL_HEAD_BYTES + lengths.getUint16(26, true) +
    lengths.getUint16(28, true);
  let bytes;
  try {
    bytes = inflateRawSync(await reader.readUint8Array(start, packedSize), {
      maxOutputLength: Math.max(1, size),
    });
  } catch (cause) {
    throw new TransferError(refusal(name, "is damaged").message, { cause });
  }
  if (bytes.length !== size || crc32(bytes) !== checksum) throw refusal(name, "is damaged");
  return bytes;
}

/** Inflates an entry of any size, piece by piece, as far as it has the size that it says. */
async function streamEntry(
  entry: FileEntry,
  file: Deno.FsFile,
  onBytes: (count: number) => void,
): Promise<void> {
  let problem: unknown;
  const sink = new WritableStream<Bytes>({
    async write(bytes) {
      try {
        onBytes(bytes.length);
        await writeWhole(file, bytes);
      } catch (error) {
        problem = error;
        throw error;
      }
    },
  });
  // zip.js says only that its stream broke.
  await entry.getData(sink).catch((error) => {
    throw problem ?? error;
  });
}

/** Reads pieces of an open file for zip.js. */
class FileReader extends Reader<Deno.FsFile> {
  readonly #file: Deno.FsFile;

  constructor(file: Deno.FsFile) {
    super(file);
    this.#file = file;
  }

  override async init(): Promise<void> {
    await super.init?.();
    this.size = (await this.#file.stat()).size;
  }

  override async readUint8Array(offset: number, length: number): Promise<Bytes> {
    if (length > MAX_ZIP_DIRECTORY_BYTES) {
      throw new TransferError("the list of files in the zip is too long");
    }
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.size - offset)));
    await this.#file.seek(offset, Deno.SeekMode.Start);
    for (let done = 0; done < bytes.length;) {
      const count = await this.#file.read(bytes.subarray(done));
      if (count === null) return bytes.subarray(0, done);
      done += count;
    }
    return bytes;
  }
}
