/**
 * The configuration table of the docs, a section per area, from the rows that parse and judge the values.
 * @module
 */
import type { Key } from "../config/key.ts";
import { AREAS } from "../config/keys.ts";
import { PRESETS } from "../exporters/presets/registry.ts";
import { table } from "./markdown_table.ts";

/** What each area is about, as its heading. */
const TITLES: Readonly<Record<string, string>> = {
  where: "Where data goes",
  what: "What is collected, and how it is named",
  delivery: "How it is delivered",
  local: "What sonde has on this host",
  remote: "OpAMP",
};

function notesOf({ secret, remote, live, group, auto }: Key<unknown>): string {
  const notes = [
    ...(group === undefined ? [] : [group === "own" ? "per destination" : "per destination, else shared"]),
    ...(secret ? ["secret"] : []),
    ...(remote ? ["remote"] : []),
    ...(live ? ["live"] : []),
    ...(auto ? ["by preset"] : []),
  ];
  return notes.join(", ");
}

function row(key: Key<unknown>): string[] {
  const fallback = key.default === undefined ? "" : `\`${key.default}\``;
  return [`\`${key.name}\``, fallback, key.type.rule, key.help, notesOf(key)];
}

/** All keys. */
export function keyTable(): string {
  return Object.entries(AREAS).flatMap(([area, keys]) => [
    "",
    `### ${TITLES[area] ?? area}`,
    table(["Key", "Default", "Takes", "What it does", "Notes"], keys.map(row)).trimEnd(),
  ]).join("\n") + "\n";
}

/** Variables that only one destination knows. */
export function variableTable(): string {
  const rows = PRESETS.flatMap(({ name, options = [], variants }) =>
    (variants === undefined ? options : [...options, variants]).map((
      { variable, help },
    ) => [`\`${variable}\``, name, help])
  );
  return table(["Variable", "Preset", "What it does"], rows);
}
