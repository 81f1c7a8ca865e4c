import { crc32, deflateRawSync } from "node:zlib";

/** An entry of a zip, which may say what is not so. */
export interface PlainEntry {
  readonly name: string;
  readonly bytes?: Uint8Array;
  /** What it says its size is. */
  readonly claimedSize?: number;
  /** Of Unix: type and permissions. */
  readonly mode?: number;
  readonly isEncrypted?: boolean;
  /** Its checksum is that of something else. */
  readonly isDamaged?: boolean;
}

/** What nothing becomes when it is deflated. */
const NOTHING = Uint8Array.of(3, 0);

/** A zip written by hand, so that it can have in it what no honest program writes. */
export function plainZip(entries: readonly PlainEntry[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const entry of entries) {
    const { name, bytes = new Uint8Array(), claimedSize, mode = 0, isEncrypted, isDamaged } = entry;
    const path = new TextEncoder().encode(name);
    const data = bytes.length === 0 ? NOTHING : deflateRawSync(bytes);
    const common = new DataView(new ArrayBuffer(26));
    common.setUint16(0, 20, true);
    common.setUint16(2, 0x800 | (isEncrypted ? 1 : 0), true);
    common.setUint16(4, 8, true);
    common.setUint32(6, 0x5a210000, true);
    common.setUint32(10, isDamaged ? 1 : crc32(bytes), true);
    common.setUint32(14, data.length, true);
    common.setUint32(18, claimedSize ?? bytes.length, true);
    common.setUint16(22, path.length, true);
    const fields = new Uint8Array(common.buffer);
    const central = new DataView(new ArrayBuffer(46));
    central.setUint32(0, 0x02014b50, true);
    // Made by Unix.
    central.setUint16(4, 0x031e, true);
    new Uint8Array(central.buffer).set(fields, 6);
    central.setUint32(38, mode * 0x10000, true);
    central.setUint32(42, offset, true);
    directory.push(new Uint8Array(central.buffer), path);
    const local = [Uint8Array.of(0x50, 0x4b, 3, 4), fields, path, data];
    parts.push(...local);
    offset += local.reduce((sum, { length }) => sum + length, 0);
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, entries.length, true);
  end.setUint16(10, entries.length, true);
  end.setUint32(12, size, true);
  end.setUint32(16, offset, true);
  const all = [...parts, ...directory, new Uint8Array(end.buffer)];
  const whole = new Uint8Array(all.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of all) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
