/** What the schema has checked cannot be missing. */
export function checked<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError("the schema let through what does not parse");
  return value;
}
