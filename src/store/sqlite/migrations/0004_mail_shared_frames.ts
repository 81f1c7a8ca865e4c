/**
 * From here on a chunk may be the beginning of a zstd frame (coding 2), and a text for search the
 * rest of it (coding 3). What is stored stays as it is; earlier versions must not read it.
 */
export function mailSharedFrames(): void {}
