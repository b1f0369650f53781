/**
 * Everything there is to say about a metric, gathered from its descriptor and from what only naming and fixtures
 * know: for `explain`, and for the table in docs that is made from the same facts.
 * @module
 */
import { agent } from "../collectors/agent.ts";
import type { Collector } from "../collectors/collector.ts";
import { type Descriptor, series } from "../collectors/metric.ts";
import { collectors } from "../collectors/registry.ts";
import { project } from "../exporters/naming.ts";
import { conventionOf } from "./convention.ts";
import attributesOf from "./metric_attributes.json" with { type: "json" };

/** Attribute keys with the values they take; none listed: names of devices and the like. */
export type AttributeFacts = Readonly<Record<string, readonly string[]>>;

/** One metric. */
export interface MetricFacts {
  readonly descriptor: Descriptor;
  /** Collectors that measure it. */
  readonly collectors: readonly string[];
  /** True when it is there without being asked for. */
  readonly isOn: boolean;
  readonly attributes: AttributeFacts;
  /** Its name in the Collector's naming, when that is another one. */
  readonly collectorName: string | undefined;
  readonly convention: string | undefined;
}

const ATTRIBUTES = new Map<string, AttributeFacts>(Object.entries(attributesOf));

const NONE: AttributeFacts = {};
const AGENT = agent(() => ({ collectors: [], omissions: 0, discarded: {}, lanes: [] }));

/** All collectors with all their metrics; `sysctl` names kernel parameters, each of which is a metric of its own. */
export function everyCollector(sysctl: readonly string[] = []): readonly Collector[] {
  return [...collectors({ processesTop: 1, sysctl }), AGENT];
}

/** The collectors that take part only when the operator asks for them. */
const OPT_IN: ReadonlySet<string> = new Set(
  collectors().filter(({ on }) => on === false).map(({ name }) => name),
);

/** Facts of every metric, in the order points appear. */
export function metricFacts(sysctl: readonly string[] = []): MetricFacts[] {
  const found = new Map<string, { descriptor: Descriptor; names: string[]; isOn: boolean }>();
  for (const { name, descriptors } of everyCollector(sysctl)) {
    for (const descriptor of descriptors) {
      const known = found.get(descriptor.name) ?? { descriptor, names: [], isOn: false };
      known.names.push(name);
      known.isOn ||= descriptor.on !== false && !OPT_IN.has(name);
      found.set(descriptor.name, known);
    }
  }
  return [...found.values()].map(({ descriptor, names, isOn }) => {
    const other = project(series(descriptor), "collector")[0]?.name;
    return {
      descriptor,
      collectors: names,
      isOn,
      attributes: ATTRIBUTES.get(descriptor.name) ?? NONE,
      collectorName: other === descriptor.name ? undefined : other,
      convention: conventionOf(descriptor.name),
    };
  });
}

/** Instrument in the words of OpenTelemetry. */
export function instrumentOf({ descriptor }: MetricFacts): string {
  if (descriptor.kind !== "sum") return descriptor.kind;
  return descriptor.monotonic ? "counter" : "updowncounter";
}
