/**
 * OpenTelemetry's own variables as candidates for sonde's keys, by the rules of otlp.md section 2: an empty value is
 * unset, numbers and words that make no sense are warned about and ignored, the signal's variable replaces the
 * general one. Addresses, headers and files that are wrong stay problems: ignoring them would send data elsewhere.
 * @module
 */
import { type Signal, SIGNALS } from "../exporters/batch.ts";
import { type Candidates, WITHIN } from "./candidate.ts";
import type { Variable, Variables } from "./env_file.ts";
import type { Findings, Severity } from "./finding.ts";
import type { Key } from "./key.ts";
import { LOG_LEVEL } from "./keys_local.ts";
import { OPAMP_ENDPOINT } from "./keys_remote.ts";
import { INTERVAL, RESOURCE_ATTRIBUTES } from "./keys_what.ts";
import * as where from "./keys_where.ts";
import { durationText, rowOf } from "./value_types.ts";

interface Row {
  /** After `OTEL_EXPORTER_OTLP_` and, possibly, the signal. */
  readonly name: string;
  readonly key: Key<unknown>;
  readonly severity: Severity;
  readonly translate?: (text: string) => string;
}

function milliseconds(text: string): string {
  // An empty text stays unset; "5s" would be a duration to us, but is no number to OpenTelemetry.
  if (text === "") return text;
  if (!/^\d+$/.test(text)) throw new SyntaxError(`"${text}" is not a number of milliseconds`);
  return durationText(Number(text));
}

/** A timeout of 0 is "no limit", for which the key's greatest value stands. */
function timeout(text: string): string {
  return text === "0" ? "10m" : milliseconds(text);
}

/** OTLP's three preferences: the low-memory one leaves observed counters, all that a host has, cumulative. */
function temporality(text: string): string {
  return text.toLowerCase() === "lowmemory" ? "cumulative" : text;
}

const ROWS: readonly Row[] = [
  { name: "ENDPOINT", key: where.ENDPOINT, severity: "problem" },
  { name: "HEADERS", key: where.HEADERS, severity: "problem" },
  { name: "PROTOCOL", key: where.PROTOCOL, severity: "warning" },
  { name: "COMPRESSION", key: where.COMPRESSION, severity: "warning" },
  { name: "TIMEOUT", key: where.TIMEOUT, severity: "warning", translate: timeout },
  { name: "CERTIFICATE", key: where.CA_FILE, severity: "problem" },
  { name: "CLIENT_CERTIFICATE", key: where.CLIENT_CERT_FILE, severity: "problem" },
  { name: "CLIENT_KEY", key: where.CLIENT_KEY_FILE, severity: "problem" },
];

/** What the variables say beside values of keys. */
export interface OtelChoices {
  /** `OTEL_<SIGNAL>_EXPORTER`: where each signal goes. */
  readonly exporters: Readonly<Partial<Record<Signal, "otlp" | "console" | "none">>>;
  /** `OTEL_SDK_DISABLED`: nothing about sonde itself. */
  readonly isSdkDisabled: boolean;
  /** Histograms whose owner names no bounds are exponential. */
  readonly isExponential?: boolean;
}

interface Reading {
  readonly rank: number;
  readonly candidates: Candidates;
  readonly findings: Findings;
}

function offer(
  variable: Variable,
  row: Row,
  { rank, signal, candidates, findings }: Reading & { signal?: Signal },
): void {
  const isGrpc = row.name === "PROTOCOL" && variable.text.toLowerCase() === "grpc";
  try {
    candidates.offer({
      ...variable,
      key: row.key,
      destination: "default",
      ...(signal === undefined ? {} : { signal }),
      text: row.translate?.(variable.text) ?? variable.text,
      rank: rank + (signal === undefined ? WITHIN.otel : WITHIN.otelSignal),
      variable: variable.name,
      ...(row.name === "ENDPOINT" && signal !== undefined ? { isVerbatim: true } : {}),
    }, { severity: isGrpc ? "problem" : row.severity });
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    findings.add("warning", {
      place: variable.place,
      key: variable.name,
      what,
      next: "Write milliseconds, such as 10000",
    });
  }
}

function readExporterRows(variables: Variables, reading: Reading): void {
  for (const row of ROWS) {
    const general = variables.get(`OTEL_EXPORTER_OTLP_${row.name}`);
    if (general !== undefined) offer(general, row, reading);
    for (const signal of SIGNALS) {
      const own = variables.get(`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${row.name}`);
      if (own !== undefined) offer(own, row, { ...reading, signal });
    }
  }
}

/** Variables that have no form per signal. */
function readSingleRows(variables: Variables, reading: Reading): void {
  const single = (name: string, row: Omit<Row, "name" | "severity">): void => {
    const variable = variables.get(name);
    if (variable !== undefined) offer(variable, { name, severity: "warning", ...row }, reading);
  };
  single("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", {
    key: where.TEMPORALITY,
    translate: temporality,
  });
  single("OTEL_METRIC_EXPORT_INTERVAL", { key: INTERVAL, translate: milliseconds });
  single("OTEL_RESOURCE_ATTRIBUTES", { key: RESOURCE_ATTRIBUTES });
  single("OTEL_LOG_LEVEL", { key: LOG_LEVEL });
  single("OTEL_PYTHON_OPAMP_ENDPOINT", { key: OPAMP_ENDPOINT });
  const service = variables.get("OTEL_SERVICE_NAME");
  if (service === undefined || service.text === "") return;
  reading.candidates.offer({
    ...service,
    key: RESOURCE_ATTRIBUTES,
    destination: "default",
    variable: service.name,
    text: `service.name=${encodeURIComponent(service.text)}`,
    // Before the general attributes, which it beats.
    rank: reading.rank + WITHIN.otelSignal,
  });
}

function readExporters(variables: Variables, { findings }: Reading): OtelChoices["exporters"] {
  const exporters: Partial<Record<Signal, "otlp" | "console" | "none">> = {};
  for (const signal of SIGNALS) {
    const variable = variables.get(`OTEL_${signal.toUpperCase()}_EXPORTER`);
    if (variable === undefined || variable.text === "") continue;
    const word = variable.text.toLowerCase();
    if (word === "otlp" || word === "none") exporters[signal] = word;
    else if (word === "console" && signal === "metrics") exporters[signal] = word;
    else {
      const what = `"${variable.text}" is not offered and ignored`;
      findings.add("warning", {
        place: variable.place,
        key: variable.name,
        what,
        next: "Write otlp or none",
      });
    }
  }
  return exporters;
}

const AGGREGATIONS: Readonly<Record<string, boolean>> = {
  explicit_bucket_histogram: false,
  base2_exponential_bucket_histogram: true,
};

function readAggregation(variables: Variables, { findings }: Reading): Pick<OtelChoices, "isExponential"> {
  const variable = variables.get("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION");
  if (variable === undefined || variable.text === "") return {};
  const isExponential = rowOf(AGGREGATIONS, variable.text.toLowerCase());
  if (isExponential !== undefined) return { isExponential };
  const what = `"${variable.text}" is no aggregation and ignored`;
  const next = `Write ${Object.keys(AGGREGATIONS).join(" or ")}`;
  findings.add("warning", { place: variable.place, key: variable.name, what, next });
  return {};
}

/** Offers everything one source's `OTEL_*` variables say. */
export function readOtel(variables: Variables, reading: Reading): OtelChoices {
  const config = variables.get("OTEL_CONFIG_FILE");
  if (config !== undefined && config.text !== "") {
    const what = "is not read, and by its own rule no other OTEL_ variable counts beside it";
    reading.findings.add("warning", { place: config.place, key: config.name, what, next: "Unset it" });
    return { exporters: {}, isSdkDisabled: false };
  }
  readExporterRows(variables, reading);
  readSingleRows(variables, reading);
  const disabled = variables.get("OTEL_SDK_DISABLED")?.text.toLowerCase();
  return {
    exporters: readExporters(variables, reading),
    isSdkDisabled: disabled === "true",
    ...readAggregation(variables, reading),
  };
}
