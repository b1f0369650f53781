/**
 * The destination tables of the docs, made from the preset rows: what each takes, per signal, and what its answers
 * mean.
 * @module
 */
import { aligned, table } from "./markdown_table.ts";
import { SIGNALS } from "../exporters/batch.ts";
import type { Preset } from "../exporters/presets/preset.ts";
import { PRESETS } from "../exporters/presets/registry.ts";

const SENDING = PRESETS.filter(({ signals }) => Object.keys(signals).length > 0);

function sizeText(bytes: number): string {
  return bytes % 1_000_000 === 0 ? `${bytes / 1_000_000} MB` : `${bytes / 1000} KB`;
}

function ageText(ms: number): string {
  const minutes = ms / 60_000;
  if (minutes < 60) return `${minutes} min`;
  return minutes % 1440 === 0 && minutes > 2880 ? `${minutes / 1440} days` : `${minutes / 60} h`;
}

/** `1 h; logs 24 h`. */
function agesText({ signals, maxAgeMs }: Preset): string {
  const others = SIGNALS.flatMap((signal) => {
    const own = signals[signal]?.maxAgeMs;
    return own === undefined ? [] : [`${signal} ${ageText(own)}`];
  });
  return [ageText(maxAgeMs), ...others].join("; ");
}

function endpointText({ endpoint, regions, mergesPath }: Preset): string {
  if (regions !== undefined) return Object.values(regions).map((url) => `\`${url}\``).join(", ");
  const given = mergesPath ? "yours, with or without the path" : "yours";
  return endpoint === undefined ? given : `\`${endpoint}\``;
}

function headersText({ headers, signals }: Preset): string {
  const all = { ...headers, ...signals.metrics?.headers };
  return Object.entries(all).map(([name, texts]) => `\`${name}: ${texts.join("` or `")}\``).join(", ") ||
    "none";
}

function requiredText({ requires, shapes }: Preset): string {
  const rules = requires.map((setting) => {
    const shape = shapes?.[setting];
    return shape === undefined ? `\`SONDE_${setting}\`` : `\`SONDE_${setting}\` (${shape.rule})`;
  });
  return rules.join(", ") || "nothing";
}

function addressRow(preset: Preset): string[] {
  const paths = SIGNALS.map((signal) => {
    const path = preset.signals[signal]?.path;
    return path === undefined ? "not accepted" : `\`${path}\``;
  });
  return [
    `[${preset.name}](${preset.docs})`,
    endpointText(preset),
    ...paths,
    headersText(preset),
    requiredText(preset),
  ];
}

function formRow(preset: Preset): string[] {
  const { name, naming, temporalities, encodings, batchBytesMax, batchItemsMax, retryProfile } = preset;
  return [
    name,
    naming,
    temporalities.join(", "),
    encodings.join(", "),
    sizeText(batchBytesMax),
    String(batchItemsMax),
    agesText(preset),
    retryProfile ?? "otlp",
  ];
}

function answerRows({ name, answers }: Preset): string[][] {
  return Object.entries(answers ?? {}).map(([status, meaning]) => [name, status, meaning]);
}

/** The short table of the README: a line per destination. */
export function destinationList(): string {
  const rows = SENDING.map(({ summary, name, requires }) => [
    summary,
    `\`${name}\``,
    requires.map((setting) => `\`SONDE_${setting}\``).join(", ") || "nothing",
  ]);
  return aligned(["destination", "preset", "must be set"], rows);
}

/** The three tables of docs/destinations.md, by the name of their place there. */
export function destinationTables(): Readonly<Record<string, string>> {
  return {
    addresses: table(
      ["preset", "address", "metrics", "logs", "traces", "headers", "must be set"],
      SENDING.map(addressRow),
    ),
    forms: table(
      ["preset", "names", "temporality", "encoding", "largest body", "most points", "oldest data", "retries"],
      SENDING.map(formRow),
    ),
    answers: table(["preset", "status", "means"], SENDING.flatMap(answerRows)),
  };
}
