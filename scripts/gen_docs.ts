/**
 * Writes what is made from the program's own tables: attributes of metrics for `explain`, the metric table of
 * docs/metrics.md, the key table of docs/configuration.md, the bounds of docs/receiver.md, the comparison with the
 * Collector in docs/collector-comparison.md and the README, the destination tables of docs/destinations.md and the README.
 * `--check` writes nothing and ends with 1 when a file differs, or when a page has commands that nobody tries
 * (scripts/transcripts.ts tries them).
 * @module
 */
import { comparisonTable, differenceList } from "./comparison_table.ts";
import { destinationList, destinationTables } from "./destination_table.ts";
import { keyTable, variableTable } from "./key_table.ts";
import { metricAttributes } from "./metric_attributes.ts";
import { blocksOf } from "./page.ts";
import { print, root, say } from "./terminal.ts";
import { receiverTable } from "./receiver_table.ts";
import { PAGES } from "./transcripts.ts";

const ATTRIBUTES = `${root}/commands/metric_attributes.json`;
const CONFIGURATION = `${root}/docs/configuration.md`;
const RECEIVER = `${root}/docs/receiver.md`;
const METRICS = `${root}/docs/metrics.md`;
const COMPARISON = `${root}/docs/collector-comparison.md`;
const DESTINATIONS = `${root}/docs/destinations.md`;
const README = `${root}/README.md`;
const isCheck = Deno.args.includes("--check");

/** Pages below docs keep their words; what stands between these lines is generated. */
function between(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- generated: ${name} -->`, `<!-- end: ${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new SyntaxError(`Cannot find "${begin}" and "${end}" in the page`);
  return `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`;
}

/** Writes a file, or says that it is not current. */
async function settle(path: string, text: string): Promise<boolean> {
  const found = await Deno.readTextFile(path);
  if (found === text) return true;
  if (isCheck) say(`${path.slice(root.length + 1)} is not current: deno run -A scripts/gen_docs.ts`);
  else {
    await Deno.writeTextFile(path, text);
    print(`wrote ${path.slice(root.length + 1)}`);
  }
  return !isCheck;
}

/** Whether all commands of the docs are tried, or say why not. */
async function areTried(): Promise<boolean> {
  const faults: string[] = [];
  for (const path of PAGES) {
    try {
      blocksOf(await Deno.readTextFile(`${root}/${path}`));
    } catch (error) {
      faults.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  for (const fault of faults) say(fault);
  return faults.length === 0;
}

if (import.meta.main) {
  const isCurrent = await settle(ATTRIBUTES, await metricAttributes());
  // Read only now: the table is made of the attributes just written.
  const { metricTable } = await import("./metric_table.ts");
  const metrics = await Deno.readTextFile(METRICS);
  const comparison = await Deno.readTextFile(COMPARISON);
  const configuration = await Deno.readTextFile(CONFIGURATION);
  const receiver = await Deno.readTextFile(RECEIVER);
  const tables = Object.entries(destinationTables());
  const destinations = await Deno.readTextFile(DESTINATIONS);
  const readme = await Deno.readTextFile(README);
  const settled = [
    isCurrent,
    await areTried(),
    await settle(
      CONFIGURATION,
      between(between(configuration, "keys", keyTable()), "variables", variableTable()),
    ),
    await settle(RECEIVER, between(receiver, "receiver", receiverTable())),
    await settle(METRICS, between(metrics, "metrics", metricTable())),
    await settle(COMPARISON, between(comparison, "comparison", comparisonTable())),
    await settle(
      README,
      between(between(readme, "destinations", destinationList()), "differences", differenceList()),
    ),
    await settle(
      DESTINATIONS,
      tables.reduce((page, [name, text]) => between(page, name, text), destinations),
    ),
  ];
  Deno.exit(settled.includes(false) ? 1 : 0);
}
