/**
 * Markdown tables for generated documentation.
 * @module
 */

const cell = (text: string): string => text.replaceAll("|", "\\|");

function rowText(cells: readonly string[]): string {
  return `| ${cells.map(cell).join(" | ")} |`;
}

/** A table for docs/, where the formatter does not look. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return ["", rowText(heads), rowText(heads.map(() => "---")), ...rows.map(rowText), ""].join("\n");
}

/** The same with columns of one width, as the formatter wants it outside docs/. */
export function aligned(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((_, at) => Math.max(...[heads, ...rows].map((row) => row[at]?.length ?? 0)));
  const pad = (cells: readonly string[]) => cells.map((text, at) => text.padEnd(widths[at] ?? 0));
  const rule = widths.map((width) => "-".repeat(width));
  return ["", rowText(pad(heads)), rowText(rule), ...rows.map((row) => rowText(pad(row))), ""].join("\n");
}
