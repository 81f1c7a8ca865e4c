/**
 * Looks up a host name as certificates and routes are found: the name itself, else a wildcard for
 * its left-most label (`*.example.org` matches `a.example.org`, not `a.b.example.org`). Keys are
 * lower case.
 */
export function lookUpName<Value>(
  entries: ReadonlyMap<string, Value>,
  name: string,
): Value | undefined {
  const exact = entries.get(name);
  if (exact !== undefined) return exact;
  const dot = name.indexOf(".");
  return dot < 1 ? undefined : entries.get("*" + name.slice(dot));
}
