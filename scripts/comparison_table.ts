/**
 * docs/collector-comparison.md from the table that the comparison test checks.
 * @module
 */
import { aligned, table } from "./markdown_table.ts";
import { type Agreement, COMPARISONS, GENERAL } from "../tests/collector_differences.ts";

function agreementCell(agreement: Agreement): string {
  switch (agreement.as) {
    case "between":
      return agreement.divisor === undefined
        ? "same counter"
        : `same counter after division by ${agreement.divisor}`;
    case "equal":
      return "equal";
    case "near":
      return agreement.divisor === undefined
        ? "same level, a moment apart"
        : `same level after division by ${agreement.divisor}`;
    case "range":
      return "both present";
  }
}

/** The rows, then what concerns all of them. */
export function comparisonTable(): string {
  const rows = COMPARISONS.map((
    { collector, semconv, agreement, difference },
  ) => [collector, semconv ?? "same", agreementCell(agreement), difference ?? ""]);
  return [
    table(["Collector", "Semantic conventions", "Values", "Difference"], rows),
    ...GENERAL.map((line) => `- ${line}`),
  ].join("\n") + "\n";
}

/** The README's form: the metrics of which there is something to say. */
export function differenceList(): string {
  const rows = COMPARISONS.flatMap(({ collector, difference }) =>
    difference === undefined ? [] : [[`\`${collector}\``, difference]]
  );
  return aligned(["metric", "how sonde differs from the Collector"], rows);
}
