/**
 * What two printings of one thing must share: words, names and their order. Figures, times, bars and ids differ from
 * run to run and count for nothing; so do the two lines of `doctor` that speak of the machine it runs on.
 * @module
 */

/** Applied in this order. */
const VARYING: readonly (readonly [found: RegExp, instead: string])[] = [
  // User, capabilities and clock belong to the real machine, whatever host is shown.
  [/^(privileges|clock) +(?:ok|warn) .*\n(?: {6,}.*\n)*/gm, "$1\n"],
  [/[█░]+/g, "▒"],
  [/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/g, "#"],
  [/\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b/g, "#"],
  [/\b\d{4}-\d\d-\d\dT[\d:.]+Z?/g, "#"],
  [/\b\d+ (?:d|h|min|s)(?: \d+ (?:h|min|s))?\b/g, "#"],
  [/\b\d[\d.]*(?: ?(?:B|KiB|MiB|GiB|TiB|%|ms)|[kMGTsmhd])?(?![\w])/g, "#"],
  [/\b(warning|failure|item)s\b/g, "$1"],
  [/[ \t]+/g, " "],
  [/ $/gm, ""],
];

/** The part of a printed text that stays. */
export function skeleton(text: string): string {
  return VARYING.reduce((rest, [found, instead]) => rest.replaceAll(found, instead), text);
}

/** The first line in which two texts differ beyond their figures; undefined when none does. */
export function difference(printed: string, expected: string): string | undefined {
  const [now, then] = [skeleton(printed).split("\n"), skeleton(expected).split("\n")];
  for (let at = 0; at < Math.max(now.length, then.length); at++) {
    if (now[at] !== then[at]) return `printed ${quoted(now[at])}, the page has ${quoted(then[at])}`;
  }
  return undefined;
}

const quoted = (line: string | undefined): string => line === undefined ? "nothing more" : `"${line}"`;
