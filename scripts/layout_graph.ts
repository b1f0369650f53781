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

const STATIC = /^(import|export)\s+(type\s+)?([^;"]*?)\s*(?:from\s+)?"([^"]+)"/gm;
const DYNAMIC = /\bimport\(\s*"([^"]+)"\s*\)/g;

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

/** What is registered where: a file of the folder that exports the type must be imported by the registry. */
interface Registry {
  readonly folder: string;
  readonly type: RegExp;
  readonly registries: readonly string[];
}

const REGISTRIES: readonly Registry[] = [
  {
    folder: "collectors/",
    type: /^export const (\w+): Collector\b/m,
    registries: ["collectors/registry.ts"],
  },
  {
    folder: "exporters/presets/",
    type: /^export const (\w+): (?:Preset|readonly Preset\[\])/m,
    registries: ["exporters/presets/registry.ts"],
  },
  {
    folder: "commands/",
    type: /^export const (\w+): Verb\b/m,
    registries: ["commands/registry.ts", "main.ts"],
  },
];

/** Collectors, presets and verbs that nobody registered: they would be dead code that looks alive. */
export function checkRegistries(files: Files): Violation[] {
  const imports = edges(files);
  return REGISTRIES.flatMap(({ folder, type, registries }) => {
    const reached = imports.filter(({ from }) => registries.includes(from)).map(({ to }) => to);
    return [...files].filter(([path, text]) =>
      path.startsWith(folder) && !path.slice(folder.length).includes("/") && type.test(text) &&
      !registries.includes(path) && !reached.includes(path)
    ).map(([path, text]) => {
      const match = type.exec(text);
      const line = text.slice(0, match?.index).split("\n").length;
      const message = `"${match?.[1]}" is not in ${registries[0]}`;
      return { path, line, rule: "registry", message };
    });
  });
}
