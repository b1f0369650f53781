/**
 * The Collector's hostmetrics receiver on this host: every metric it has for the system and for one process, by name and
 * attributes.
 * @module
 */
import type { NumberDataPoint } from "../../proto_gen/metrics_pb.ts";
import { type Collector, startCollector } from "./collector.ts";
import { decodeExport } from "./decode.ts";
import { type Sink, startSink } from "./sink.ts";

/** Metrics that are off by default, by scraper. */
const OPTIONAL: Readonly<Record<string, readonly string[]>> = {
  cpu: [
    "system.cpu.utilization",
    "system.cpu.logical.count",
    "system.cpu.physical.count",
    "system.cpu.frequency",
  ],
  memory: [
    ...["system.memory.utilization", "system.memory.limit", "system.memory.page_size"],
    ...["system.linux.memory.available", "system.linux.memory.dirty", "system.memory.linux.shared"],
    ...["limit", "reserved", "surplus", "page_size", "usage"].map((name) =>
      `system.memory.linux.hugepages.${name}`
    ),
  ],
  filesystem: ["system.filesystem.utilization"],
  network: ["system.network.conntrack.count", "system.network.conntrack.max"],
  paging: ["system.paging.utilization"],
  load: [],
  disk: [],
  processes: [],
  system: [],
  process: [
    ...["process.cpu.utilization", "process.memory.utilization", "process.threads", "process.uptime"],
    ...["process.paging.faults", "process.open_file_descriptors", "process.context_switches"],
    ...["process.disk.operations", "process.signals_pending"],
  ],
};

/** Settings of a scraper, as in the Collector's own configuration. */
export type Scrapers = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Not all processes of a host: a file of another user's would be an error in the log, once a second. */
const PROCESS_FILTER = {
  include: { match_type: "strict", names: ["deno"] },
  mute_process_all_errors: true,
} as const;

function everything(): Scrapers {
  return Object.fromEntries(
    Object.entries(OPTIONAL).map(([name, metrics]) => {
      const enabled = Object.fromEntries(metrics.map((metric) => [metric, { enabled: true }]));
      return [name, { ...(name === "process" ? PROCESS_FILTER : {}), metrics: enabled }];
    }),
  );
}

/** How it looks at the host and where it sends what it saw. */
export interface HostMetricsOptions {
  readonly sink: string;
  readonly scrapers: Scrapers;
  /** "1s". */
  readonly interval: string;
  readonly compression: "none" | "gzip";
}

/** Configuration of a Collector that looks at this host and sends every scrape by itself, unbatched. */
export function hostMetricsConfig({ sink, scrapers, interval, compression }: HostMetricsOptions): string {
  // JSON is YAML, and needs no indentation.
  return `
receivers:
  hostmetrics:
    collection_interval: ${interval}
    initial_delay: 0s
    scrapers: ${JSON.stringify(scrapers)}
exporters:
  otlp_http:
    endpoint: "${sink}"
    compression: ${compression}
    sending_queue: { enabled: false }
    retry_on_failure: { enabled: false }
service:
  telemetry: { metrics: { level: none }, logs: { level: info } }
  pipelines:
    metrics: { receivers: [hostmetrics], exporters: [otlp_http] }
`;
}

/** One value as the Collector sent it. */
export interface CollectorPoint {
  readonly name: string;
  readonly unit: string;
  readonly isMonotonic: boolean | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Its scrapes, one a second; give it back with `stop`. */
export interface HostMetrics {
  /** The next scrape that begins after the call. */
  next(): Promise<CollectorPoint[]>;
  stop(): Promise<void>;
}

function attributesOf(point: NumberDataPoint): Record<string, string> {
  return Object.fromEntries(
    point.attributes.map(({ key, value }) => [key, String(value?.value.value ?? "")]),
  );
}

/** Of the system, and of this very process among those that the filter lets through. */
function pointsOf(body: Uint8Array): CollectorPoint[] {
  return decodeExport(body).resourceMetrics.filter(({ resource }) => {
    const pid = resource?.attributes.find(({ key }) => key === "process.pid")?.value?.value.value;
    return pid === undefined || Number(pid) === Deno.pid;
  }).flatMap(({ scopeMetrics }) => scopeMetrics)
    .flatMap(({ metrics }) => metrics).flatMap(({ name, unit, data }) => {
      if (data.case !== "sum" && data.case !== "gauge") return [];
      const isMonotonic = data.case === "sum" ? data.value.isMonotonic : undefined;
      return data.value.dataPoints.map((point) => ({
        name,
        unit,
        isMonotonic,
        attributes: attributesOf(point),
        value: Number(point.value.value ?? NaN),
      }));
    });
}

/** Starts a Collector that looks at this host once a second. */
export async function startHostMetrics(): Promise<HostMetrics> {
  const sink: Sink = startSink();
  let collector: Collector;
  try {
    const config = hostMetricsConfig({
      sink: sink.url,
      scrapers: everything(),
      interval: "1s",
      compression: "none",
    });
    collector = await startCollector({ config: () => config });
  } catch (error) {
    await sink.stop();
    throw error;
  }
  return {
    async next() {
      const requests = await sink.received(sink.requests.length + 1);
      const last = requests.at(-1);
      return last === undefined ? [] : pointsOf(last.body);
    },
    async stop() {
      await collector.stop();
      await sink.stop();
    },
  };
}
