/**
 * `sonde spool ls` as text: one header line, then a line per batch that begins with its id; 80 columns as long as
 * names are of usual length.
 * @module
 */
import type { StoredBatch } from "../exporters/spool_list.ts";

const HEADER = ["ID", "DESTINATION", "SIGNAL", "ITEMS", "BYTES", "AGE", "STATE"] as const;
/** Columns with numbers stand at the right. */
const RIGHT: ReadonlySet<number> = new Set([3, 4, 5]);

const UNITS: readonly (readonly [string, number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
];

/** `42s`, `7m`, `3h`, `2d`: how long ago, rounded down. */
export function ageText(ms: number): string {
  const [unit, size] = UNITS.find(([, each]) => ms >= each) ?? ["s", 1_000];
  return `${Math.max(0, Math.floor(ms / size))}${unit}`;
}

/** The table; its age is that of the newest item, which is what `drop --older` goes by. */
export function spoolTable(batches: readonly StoredBatch[], nowMs: number): string {
  const rows = batches.map(({ id, destination, signal, items, bytes, lastTimeMs, state, batch }) => [
    ...[id, destination, signal, String(items), String(bytes), ageText(nowMs - lastTimeMs)],
    batch === undefined ? "damaged" : state,
  ]);
  const all = [[...HEADER], ...rows];
  const widths = HEADER.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return RIGHT.has(column) ? cell.padStart(width) : cell.padEnd(width);
    }).join("  ").trimEnd() + "\n"
  ).join("");
}
