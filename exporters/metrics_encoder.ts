/**
 * Snapshot -> bytes of metrics requests. Cuts what is too large for one request into several (otlp P8, M24) and
 * leaves out what no backend can read. Protobuf goes through a template that is patched in place; see there.
 * @module
 */
import type { Attributes, Snapshot } from "../collectors/metric.ts";
import type {
  Discarded,
  Encoded,
  EncodeLimits,
  MetricsEncoder,
  MetricsEncoderOptions,
  MetricsInput,
  RenderSlots,
  Scope,
} from "./encoder.ts";
import { cut } from "./cut.ts";
import { renderMetricsJson } from "./metrics_json.ts";
import { Layout, type Slot } from "./metrics_layout.ts";
import { MetricsParts } from "./metrics_parts.ts";
import type { MetricsTemplate } from "./metrics_template.ts";
import { projector } from "./naming.ts";
import { NativePoints } from "./native_points.ts";
import { openNative } from "./presets/native.ts";

/** Makes the encoder of one (naming, temporality, encoding). */
export function createMetricsEncoder(options: MetricsEncoderOptions): MetricsEncoder {
  const discarded: Discarded = { nonFinite: 0, oversize: 0 };
  const encoder = options.encoding === "protobuf"
    ? protobufEncoder(options, discarded)
    : textEncoder(options, { render: rendererOf(options), discarded });
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

/** A layout as requests, and what it was made for. */
interface Known {
  readonly resource: Attributes;
  readonly scope: Scope;
  readonly bytesMax: number;
  readonly itemsMax: number;
  readonly layout: Layout;
  readonly templates: readonly MetricsTemplate[];
  /** Points that fit no request. */
  readonly oversize: number;
}

function protobufEncoder(options: MetricsEncoderOptions, discarded: Discarded): Encode {
  const parts = new MetricsParts(options);
  const forms = projector(options.naming);
  let known: Known | undefined;
  return (input, limits) => {
    const { snapshot } = input;
    if (known === undefined || !isAlike(known, input, limits) || !known.layout.fits(snapshot)) {
      known = lay(new Layout(snapshot, forms), { input, limits, parts });
    }
    discarded.nonFinite += known.layout.nonFinite;
    discarded.oversize += known.oversize;
    return known.templates.map((template) => encoded(template.patch(snapshot), template.items, snapshot));
  };
}

interface Laying {
  readonly input: MetricsInput;
  readonly limits: EncodeLimits;
  readonly parts: MetricsParts;
}

function lay(layout: Layout, { input, limits, parts }: Laying): Known {
  let oversize = 0;
  const pieces = cut(layout.slots, limits, {
    render: (slots) => parts.assemble(slots, input),
    oversize: () => oversize++,
  });
  return {
    resource: input.resource,
    scope: input.scope,
    bytesMax: limits.batchBytesMax,
    itemsMax: limits.batchItemsMax,
    layout,
    templates: pieces.map(({ body }) => body),
    oversize,
  };
}

function isAlike(known: Known, input: MetricsInput, limits: EncodeLimits): boolean {
  return known.resource === input.resource && known.scope === input.scope &&
    known.bytesMax === limits.batchBytesMax && known.itemsMax === limits.batchItemsMax;
}

/** How the slots of a snapshot become a text body. */
function rendererOf({ native, ...options }: MetricsEncoderOptions): RenderSlots {
  if (options.encoding === "json") return (input, slots) => renderMetricsJson(input, slots, options);
  if (native === undefined) throw new Error('BUG: encoding is "native" without a format');
  return openNative(native);
}

/** Encoders whose bodies are written anew in every cycle. */
function textEncoder(
  options: MetricsEncoderOptions,
  { render, discarded }: { render: RenderSlots; discarded: Discarded },
): Encode {
  const forms = projector(options.naming);
  const isOtlp = options.encoding === "json";
  const plain = new NativePoints();
  // Only OTLP can say that a series has ended; elsewhere it just stops.
  const takes = ({ value }: Slot) => isOtlp || value !== "none";
  let layout: Layout | undefined;
  let slots: readonly Slot[] = [];
  return (given, limits) => {
    const snapshot = isOtlp ? given.snapshot : plain.of(given.snapshot);
    const input = { ...given, snapshot };
    if (layout === undefined || !layout.fits(snapshot)) {
      layout = new Layout(snapshot, forms);
      slots = layout.slots.filter(takes);
    }
    discarded.nonFinite += layout.nonFinite;
    const pieces = cut(slots, limits, {
      render: (part) => render(input, part),
      oversize: () => discarded.oversize++,
    });
    return pieces.map(({ items, body }) => encoded(body, items.length, snapshot));
  };
}
