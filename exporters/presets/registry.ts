/**
 * All preset rows, in the order lists show them.
 * @module
 */
import { axiom } from "./axiom.ts";
import { datadogNative, datadogOtlp } from "./datadog.ts";
import { dynatrace } from "./dynatrace.ts";
import { elastic } from "./elastic.ts";
import { grafanaCloud, mimir } from "./grafana.ts";
import { honeycomb } from "./honeycomb.ts";
import { newrelicOtlp } from "./newrelic.ts";
import { oneuptime } from "./oneuptime.ts";
import { collector, otlp, otlpHttp, terminal } from "./plain.ts";
import type { Preset } from "./preset.ts";
import { prometheus, victoriametrics } from "./prometheus.ts";
import { signoz } from "./signoz.ts";
import { splunk } from "./splunk.ts";

export const PRESETS: readonly Preset[] = [
  terminal,
  otlp,
  collector,
  otlpHttp,
  prometheus,
  victoriametrics,
  mimir,
  grafanaCloud,
  datadogOtlp,
  datadogNative,
  newrelicOtlp,
  dynatrace,
  honeycomb,
  elastic,
  splunk,
  signoz,
  axiom,
  oneuptime,
];

/** The row of that name, in any case, or undefined. */
export function presetNamed(name: string): Preset | undefined {
  return PRESETS.find((preset) => preset.name === name.toLowerCase());
}
