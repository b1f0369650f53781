/**
 * The house rules between files: import arrows, no cycles, nothing left out of a registry (style 3.4, 3.10).
 * @module
 */
import type { Files, Violation } from "./layout_files.ts";
import { ARROWS, matches, ROOT_IMPORTERS, ROOTS } from "./layout_table.ts";

/** One import of a file of ours. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly line: number;
  readonly isType: boolean;
  /** `import("…")`: runs later, so it closes no cycle. */
  readonly isDynamic: boolean;
}

const STATIC = /^(import|export)\s+(type\s+)?([^;"(]*?)\s*(?:from\s+)?"([^"]+)"/gm;
const DYNAMIC = /\bimport\(\s*"([^"]+)"(?: satisfies string)?\s*\)/g;

/** Imports by relative path; packages are deno.json's business. */
export function edges(files: Files): Edge[] {
  const found: Edge[] = [];
  for (const [path, text] of files) {
    const add = (
      match: RegExpExecArray,
      target: string | undefined,
      kind: Pick<Edge, "isType" | "isDynamic">,
    ) => {
      if (target === undefined || !target.startsWith(".")) return;
      const to = new URL(target, `file:///${path}`).pathname.slice(1);
      found.push({ from: path, to, line: text.slice(0, match.index).split("\n").length, ...kind });
    };
    for (const match of text.matchAll(STATIC)) {
      const isType = match[2] !== undefined || isTypesOnly(match[3] ?? "");
      add(match, match[4], { isType, isDynamic: false });
    }
    for (const match of text.matchAll(DYNAMIC)) add(match, match[1], { isType: false, isDynamic: true });
  }
  return found;
}

/** `{ type A, type B }` brings no code along. */
function isTypesOnly(clause: string): boolean {
  const specifiers = /^\{([\s\S]*)\}$/.exec(clause.trim())?.[1]?.split(",").map((each) => each.trim());
  return specifiers !== undefined &&
    specifiers.filter((each) => each !== "").every((each) => /^type\s/.test(each));
}

/** Imports against the arrows, and imports of composition roots. */
export function checkArrows(files: Files): Violation[] {
  return edges(files).flatMap((edge) => {
    const report = (message: string) => [{ path: edge.from, line: edge.line, rule: "arrows", message }];
    if (matches(edge.to, ROOTS) && !matches(edge.from, ROOT_IMPORTERS)) {
      return report(`"${edge.to}" is a composition root: nothing imports it`);
    }
    const arrow = ARROWS.find(({ from }) => matches(edge.from, from));
    if (arrow === undefined) return report(`no rule says what "${edge.from}" may import`);
    if (matches(edge.to, arrow.to) || (edge.isType && matches(edge.to, arrow.types ?? []))) return [];
    const kind = matches(edge.to, arrow.types ?? []) ? "only types of " : "not ";
    return report(`may import ${kind}"${edge.to}": ${arrow.reason}`);
  });
}

/** Cycles of imports that run at load, each reported once, at the import that closes it. Types may name each other. */
export function checkCycles(files: Files): Violation[] {
  const next = Map.groupBy(
    edges(files).filter(({ isType, isDynamic }) => !isType && !isDynamic),
    ({ from }) => from,
  );
  const violations: Violation[] = [];
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]) => {
    for (const edge of next.get(path) ?? []) {
      const start = trail.indexOf(edge.to);
      if (start >= 0) {
        const circle = [...trail.slice(start), edge.to].join(" -> ");
        violations.push({ path, line: edge.line, rule: "cycles", message: `import cycle: ${circle}` });
      } else if (!done.has(edge.to)) walk(edge.to, [...trail, edge.to]);
    }
    done.add(path);
  };
  for (const path of files.keys()) if (!done.has(path)) walk(path, [path]);
  return violations;
}

/** What is registered where: a row of the type that a file of the folder exports must be named by the registry. */
interface Registry {
  readonly folder: string;
  /** How such an export begins, without "export const NAME" and "export function NAME(…)". */
  readonly type: string;
  readonly registry: string;
}

const REGISTRIES: readonly Registry[] = [
  { folder: "collectors/", type: "Collector", registry: "collectors/registry.ts" },
  { folder: "exporters/presets/", type: "Preset", registry: "exporters/presets/registry.ts" },
];

/** Collectors and presets that nobody registered: they would be dead code that looks alive. */
export function checkRegistries(files: Files): Violation[] {
  return REGISTRIES.flatMap(({ folder, type, registry }) => {
    // Without texts: the path of an import often has the same name as the row.
    const rows = (files.get(registry) ?? "").replaceAll(/"[^"]*"/g, "");
    const row = new RegExp(
      `^export (?:const (\\w+): ${type} =|function (\\w+)\\([^)]*\\): ${type} \\{)`,
      "gm",
    );
    return [...files].filter(([path]) => path.startsWith(folder) && path !== registry).flatMap((
      [path, text],
    ) =>
      [...text.matchAll(row)].flatMap((match) => {
        const name = match[1] ?? match[2] ?? "";
        if (new RegExp(`\\b${name}\\b`).test(rows)) return [];
        const line = text.slice(0, match.index).split("\n").length;
        return [{ path, line, rule: "registry", message: `"${name}" is not in ${registry}` }];
      })
    );
  });
}

/** Folders whose files are the program. */
const PROGRAM: readonly string[] = ["collectors/", "commands/", "config/", "exporters/"];

/** Files of the program that no entry reaches: code that only its tests run. */
export function checkOrphans(files: Files, entries: readonly string[]): Violation[] {
  const next = Map.groupBy(edges(files), ({ from }) => from);
  const reached = new Set<string>();
  const queue = entries.filter((entry) => files.has(entry));
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    queue.push(...(next.get(path) ?? []).map(({ to }) => to));
  }
  return [...files.keys()].filter((path) => matches(path, PROGRAM) && !reached.has(path)).map((path) => ({
    path,
    line: 1,
    rule: "orphans",
    message: `nothing reaches it from ${entries.join(", ")}`,
  }));
}
