/**
 * Snapshot -> bytes of metrics requests. Cuts what is too large for one request into several (otlp P8, M24) and
 * leaves out what no backend can read. Protobuf goes through a template that is patched in place; see there.
 * @module
 */
import type { Snapshot } from "../collectors/metric.ts";
import type {
  Discarded,
  Encoded,
  EncodeLimits,
  MetricsEncoder,
  MetricsEncoderOptions,
  MetricsInput,
} from "./encoder.ts";
import { cut } from "./cut.ts";
import { renderMetricsJson } from "./metrics_json.ts";
import { Layout } from "./metrics_layout.ts";
import { MetricsTemplate, renderMetrics } from "./metrics_template.ts";

/** Makes the encoder of one (naming, temporality, encoding). */
export function createMetricsEncoder(options: MetricsEncoderOptions): MetricsEncoder {
  const discarded: Discarded = { nonFinite: 0, oversize: 0 };
  const encoder = options.encoding === "json"
    ? jsonEncoder(options, discarded)
    : protobufEncoder(options, discarded);
  return {
    discarded,
    encode(input, limits) {
      if (input.snapshot.timeNs <= 0n) {
        throw new RangeError(
          `Cannot encode snapshot: time is ${input.snapshot.timeNs}, expected a time after 1970`,
        );
      }
      return encoder(input, limits);
    },
  };
}

type Encode = MetricsEncoder["encode"];

function encoded(body: Uint8Array<ArrayBuffer>, items: number, snapshot: Snapshot): Encoded {
  const timeMs = Number(snapshot.timeNs / 1_000_000n);
  return { body, items, firstTimeMs: timeMs, lastTimeMs: timeMs };
}

function protobufEncoder(options: MetricsEncoderOptions, discarded: Discarded): Encode {
  let known: { input: MetricsInput; limits: EncodeLimits; layout: Layout } | undefined;
  let templates: readonly MetricsTemplate[] = [];
  return (input, limits) => {
    const { snapshot } = input;
    if (known === undefined || !isAlike(known, input, limits) || !known.layout.fits(snapshot)) {
      const layout = new Layout(snapshot, options.naming);
      templates = cut(layout.slots, limits, {
        render: (slots) => renderMetrics(input, slots, options),
        oversize: () => discarded.oversize++,
      })
        .map(({ items, body }) => new MetricsTemplate(body, items));
      known = { input, limits, layout };
    }
    discarded.nonFinite += known.layout.nonFinite;
    return templates.map((template) => encoded(template.patch(snapshot), template.items, snapshot));
  };
}

function isAlike(
  known: { input: MetricsInput; limits: EncodeLimits },
  input: MetricsInput,
  limits: EncodeLimits,
): boolean {
  return known.input.resource === input.resource && known.input.scope === input.scope &&
    known.limits.batchBytesMax === limits.batchBytesMax &&
    known.limits.batchItemsMax === limits.batchItemsMax;
}

function jsonEncoder(options: MetricsEncoderOptions, discarded: Discarded): Encode {
  let layout: Layout | undefined;
  return (input, limits) => {
    const { snapshot } = input;
    if (layout === undefined || !layout.fits(snapshot)) layout = new Layout(snapshot, options.naming);
    discarded.nonFinite += layout.nonFinite;
    return cut(layout.slots, limits, {
      render: (slots) => renderMetricsJson(input, slots, options),
      oversize: () => discarded.oversize++,
    })
      .map(({ items, body }) => encoded(body, items.length, snapshot));
  };
}
