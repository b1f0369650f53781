/**
 * Names that only the rest of the program knows: collectors. Checked apart, so that configuration needs no collector.
 * @module
 */
import type { Findings } from "./finding.ts";
import { matcher } from "../collectors/glob.ts";
import { COLLECTORS } from "./keys_what.ts";
import { nearest } from "./nearest.ts";
import type { Resolution } from "./resolution.ts";

/** Reports entries of `SONDE_COLLECTORS` that match no collector. */
export function checkCollectors(
  resolution: Resolution,
  { names, findings }: { names: readonly string[] | undefined; findings: Findings },
): void {
  const winner = resolution.winner(COLLECTORS);
  if (winner === undefined || names === undefined) return;
  for (const { pattern } of COLLECTORS.type.parse(winner.text)) {
    if (names.some(matcher([pattern]))) continue;
    findings.add("problem", {
      place: winner.place,
      key: winner.variable,
      what: `"${pattern}" matches no collector`,
      next: `Did you mean ${nearest(pattern, names) ?? "*"}? There are ${names.join(", ")}`,
    });
  }
}
