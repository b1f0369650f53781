/**
 * The metric table of the docs, a section per collector, from the same facts as `sonde explain`.
 * @module
 */
import { instrumentOf, type MetricFacts, metricFacts } from "../commands/metric_facts.ts";
import { table } from "./markdown_table.ts";

function attributesCell({ attributes }: MetricFacts): string {
  return Object.entries(attributes)
    .map(([key, values]) => values.length === 0 ? `\`${key}\`` : `\`${key}\` (${values.join(" ")})`)
    .join(", ");
}

function nameCell({ descriptor, convention, collectorName }: MetricFacts): string {
  const name = convention === undefined ? descriptor.name : `[${descriptor.name}](${convention})`;
  return collectorName === undefined ? name : `${name}; Collector: ${collectorName}`;
}

const HEADS = ["Metric", "Instrument", "Unit", "Attributes", "Default", "What and from where"];

function row(facts: MetricFacts): string[] {
  const { descriptor, isOn } = facts;
  return [
    nameCell(facts),
    `${instrumentOf(facts)} ${descriptor.valueType}`,
    descriptor.unit,
    attributesCell(facts),
    isOn ? "on" : "off",
    `${descriptor.description}. ${descriptor.source}`,
  ];
}

/** All metrics; one that several collectors measure stands with the first. */
export function metricTable(): string {
  const facts = metricFacts();
  const owners = [...new Set(facts.map(({ collectors }) => collectors[0] ?? ""))];
  return owners.flatMap((owner) => [
    "",
    `### ${owner}`,
    table(HEADS, facts.filter(({ collectors }) => collectors[0] === owner).map(row)).trimEnd(),
  ]).join("\n") + "\n";
}
