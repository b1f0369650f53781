/**
 * Name patterns of the exclusion lists (host-metrics P20, P36): `*` stands for any run of characters, `?` for one,
 * everything else for itself. A pattern must match the whole name.
 * @module
 */

/** Makes one test of many patterns; an empty list matches nothing. */
export function matcher(patterns: readonly string[]): (name: string) => boolean {
  if (patterns.length === 0) return () => false;
  const alternatives = patterns.map((pattern) =>
    pattern.replace(/[\\^$.|+()[\]{}]/g, "\\$&").replace(/\*+/g, ".*").replace(/\?/g, ".")
  );
  const expression = new RegExp(`^(?:${alternatives.join("|")})$`, "su");
  return (name) => expression.test(name);
}
