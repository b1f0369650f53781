/**
 * Encoders for destinations whose own API sonde speaks beside OTLP, by the name that a row gives in `native`. Their
 * bodies are one JSON object whose only list, "series", holds the items: that is all the courier has to know to cut
 * one in two.
 * @module
 */
import type { NativeFormat, RenderSlots } from "../encoder.ts";
import type { NativeForm } from "../lane_config.ts";
import { datadogSeries } from "./datadog_series.ts";

const FORMATS: Readonly<Record<string, NativeFormat>> = {
  datadog_series_v1: datadogSeries("v1"),
  datadog_series_v2: datadogSeries("v2"),
};

/** The renderer of a form. Rows name only formats that exist, so an unknown one is our mistake. */
export function openNative({ format, options }: NativeForm): RenderSlots {
  const found = FORMATS[format];
  if (found === undefined) throw new Error(`BUG: no encoder is named "${format}"`);
  return found(options);
}
