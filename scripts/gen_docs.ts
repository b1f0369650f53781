/**
 * Writes what is made from the program's own tables: attributes of metrics for `explain`, and the tables of metrics,
 * keys, bounds, destinations and differences from the Collector on the pages. `--check` writes nothing and ends with 1
 * when a file differs, or when a page has commands that nobody tries (scripts/transcripts.ts tries them).
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

const ATTRIBUTES = "commands/metric_attributes.json";
const isCheck = Deno.args.includes("--check");

/** Puts a text between the lines that mark its place; all else on a page is written by hand. */
function placed(page: string, [name, text]: readonly [string, string]): string {
  const [begin, end] = [`<!-- generated: ${name} -->`, `<!-- end: ${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new SyntaxError(`Cannot find "${begin}" and "${end}" in the page`);
  return `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`;
}

/** Writes what has become of a file, or says that it is not current. Paths are relative to the checkout. */
async function settle(path: string, change: (found: string) => string): Promise<boolean> {
  const found = await Deno.readTextFile(`${root}/${path}`);
  const text = change(found);
  if (found === text) return true;
  if (isCheck) say(`${path} is not current: deno run -A scripts/gen_docs.ts`);
  else {
    await Deno.writeTextFile(`${root}/${path}`, text);
    print(`wrote ${path}`);
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

/** Generated texts of each page, by the name of their place there. */
async function generated(): Promise<Readonly<Record<string, Readonly<Record<string, string>>>>> {
  // Read only now: the table is made of the attributes just written.
  const { metricTable } = await import("./metric_table.ts");
  return {
    "docs/configuration.md": { keys: keyTable(), variables: variableTable() },
    "docs/receiver.md": { receiver: receiverTable() },
    "docs/metrics.md": { metrics: metricTable() },
    "docs/collector-comparison.md": { comparison: comparisonTable() },
    "docs/destinations.md": destinationTables(),
    "README.md": { destinations: destinationList(), differences: differenceList() },
  };
}

if (import.meta.main) {
  const attributes = await metricAttributes();
  const settled = [await settle(ATTRIBUTES, () => attributes), await areTried()];
  for (const [path, texts] of Object.entries(await generated())) {
    settled.push(await settle(path, (page) => Object.entries(texts).reduce(placed, page)));
  }
  Deno.exit(settled.includes(false) ? 1 : 0);
}
