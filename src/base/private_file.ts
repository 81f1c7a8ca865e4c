/**
 * Writes a file that only its owner may read. Leaves either the old file or the whole new one; the
 * content is on the disk before it takes the old one's place.
 */
export async function writePrivateFile(name: string, text: string): Promise<void> {
  const temporary = `${name}.new`;
  await Deno.remove(temporary).catch(() => undefined);
  const file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
  try {
    let rest = new TextEncoder().encode(text);
    while (rest.length > 0) rest = rest.subarray(await file.write(rest));
    await file.sync();
  } finally {
    file.close();
  }
  await Deno.rename(temporary, name);
}
