/**
 * A snapshot as text: for a person, for a scraper, for a program.
 * @module
 */
import type { Attributes, Naming, Snapshot } from "../collectors/metric.ts";
import { jsonDocument, otlpJson } from "../exporters/console_json.ts";
import { prometheusText } from "../exporters/console_prometheus.ts";
import { table } from "../exporters/console_table.ts";
import type { Context } from "./context.ts";
import { VERSION } from "./build.ts";

/** The formats of `once --format`. */
export const FORMATS = ["table", "prometheus", "json", "otlp"] as const;

export type Format = typeof FORMATS[number];

/** What is printed: a cycle, and the one before it where rates are wanted. */
export interface Printed {
  readonly resource: Attributes;
  readonly snapshot: Snapshot;
  readonly previous: Snapshot | undefined;
  readonly naming: Naming;
}

/** The format asked for, else a table on a terminal and Prometheus text in a pipe. */
export function formatOf(context: Context): Format {
  const asked = context.flags.text("format");
  return FORMATS.find((format) => format === asked) ?? (context.isTerminal.stdout ? "table" : "prometheus");
}

/** True when colours are wanted: asked for, or a terminal that takes them (NO_COLOR, TERM=dumb). */
export function wantsColor({ flags, env, isTerminal }: Context): boolean {
  const when = flags.text("color") ?? "auto";
  if (when !== "auto") return when === "always";
  return isTerminal.stdout && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
}

/** Columns a line may take: the terminal's; what goes into a pipe is cut by nobody. */
export function lineWidth({ columns, isTerminal }: Context): number {
  return isTerminal.stdout ? columns : Infinity;
}

/** Renders one cycle. */
export function render(format: Format, printed: Printed, context: Context): string {
  const { resource, snapshot, previous, naming } = printed;
  const input = { resource, scope: { name: "sonde", version: VERSION }, snapshot };
  switch (format) {
    case "table":
      return table(snapshot, previous, { width: context.columns, color: wantsColor(context), resource });
    case "prometheus":
      return prometheusText(input, naming);
    case "json":
      return jsonDocument(input, naming);
    case "otlp":
      return otlpJson(input, naming);
  }
}
