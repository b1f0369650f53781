/**
 * Deltas of every row that sends them: over a thousand cycles with failures and stops, what a backend has
 * added up is what the counters grew by, to the last unit (issue 6.5, otlp M13). In virtual time.
 */
import { assert, assertEquals } from "@std/assert";
import { type Point, series, type Snapshot } from "../collectors/metric.ts";
import { openFanOut } from "../commands/delivery.ts";
import type { BatchMessage } from "../exporters/batch.ts";
import type { LaneConfig } from "../exporters/lane_config.ts";
import type { Preset } from "../exporters/presets/preset.ts";
import type { Metric } from "../proto_gen/metrics_pb.ts";
import { PRESETS } from "../exporters/presets/registry.ts";
import { metricsOf, pointsOf } from "./backend_request.ts";
import { seriesOf } from "./backend_series.ts";
import { settingsOf } from "./config_files.ts";
import { FakeVendor, type Received } from "./fake_vendor.ts";
import { descriptor, point, resource } from "./metrics_model.ts";
import { SpoolRig } from "./spool_rig.ts";
import { randomFrom, VirtualClock } from "./virtual_clock.ts";

const CYCLES = 1_000;
const CYCLES_PER_LIFE = 50;
const INTERVAL_MS = 10_000;
const BOOT_NS = 1_790_000_000_000_000_000n;

const reads = descriptor("system.disk.operations", "counter", "int");
const seconds = descriptor("system.cpu.time", "counter", "double");
const used = descriptor("system.memory.usage", "updowncounter", "int");
const SERIES = {
  sda: { descriptor: reads, attributes: { "system.device": "sda" } },
  sdb: { descriptor: reads, attributes: { "system.device": "sdb" } },
  cpu: { descriptor: seconds, attributes: {} },
};

const calls = series({
  ...{ name: "system.calls", kind: "histogram", unit: "s", description: "", valueType: "double", source: "" },
  bounds: [0.25, 1],
});

/** Of the histogram: how many were measured, and their sum. */
type Values = Record<keyof typeof SERIES | "calls" | "took", number>;
const NAMES = ["sda", "sdb", "cpu", "calls", "took"] as const;

/** Counters that grow by chance; quarters are exact in a double. */
class Host {
  readonly #random: () => number;
  /** As they stood when they were first seen: what was before is nobody's interval. */
  first: Values | undefined;
  readonly values: Values = { sda: 1_000_000, sdb: 0, cpu: 500.25, calls: 0, took: 0 };
  readonly #buckets = [0, 0, 0];

  constructor(random: () => number) {
    this.#random = random;
  }

  snapshot(wallMs: number): Snapshot {
    this.values.sda += Math.floor(this.#random() * 1000);
    this.values.sdb += this.#random() < 0.5 ? 0 : 7;
    this.values.cpu += Math.floor(this.#random() * 40) / 4;
    for (let call = Math.floor(this.#random() * 4); call > 0; call--) {
      this.#call(Math.floor(this.#random() * 9) / 4);
    }
    this.first ??= { ...this.values };
    const points: Point[] = [
      point(SERIES.sda, this.values.sda, BOOT_NS),
      point(SERIES.sdb, this.values.sdb, BOOT_NS),
      point(SERIES.cpu, this.values.cpu, BOOT_NS),
      point({ descriptor: used, attributes: {} }, 5, BOOT_NS),
      {
        ...{ series: calls, value: this.values.calls, startNs: BOOT_NS },
        distribution: { counts: [...this.#buckets], sum: this.values.took },
      },
    ];
    return { timeNs: BigInt(wallMs) * 1_000_000n, points, omitted: [] };
  }

  #call(took: number): void {
    this.values.calls++;
    this.values.took += took;
    const bucket = took <= 0.25 ? 0 : took <= 1 ? 1 : 2;
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
  }
}

/** Every delta in an accepted request, by something that names its series. */
function deltasOf({ body, headers }: Received): (readonly [key: string, delta: number])[] {
  const request = { path: "", headers, plain: body };
  if (headers["content-type"] === "application/json") {
    return seriesOf(request).filter(({ type }) => type === 1).map(({ metric, tags, points }) => [
      `${metric} ${tags}`,
      JSON.parse(JSON.stringify(points))[0].value,
    ]);
  }
  const metrics = metricsOf(request);
  const sums = metrics.filter(({ data }) => data.case === "sum" && data.value.isMonotonic);
  return [
    ...sums.flatMap((metric) =>
      pointsOf(metric).map(({ attributes, value }) =>
        [`${metric.name} ${attributes.map(({ value }) => value?.value.value)}`, Number(value.value)] as const
      )
    ),
    ...metrics.flatMap(distributionsOf),
  ];
}

/** Count and sum of a histogram, whose buckets must hold as many. */
function distributionsOf({ name, data }: Metric): (readonly [key: string, delta: number])[] {
  if (data.case !== "histogram") return [];
  return data.value.dataPoints.flatMap(({ count, sum = 0, bucketCounts }) => {
    assertEquals(bucketCounts.reduce((all, each) => all + each, 0n), count);
    return [[`${name} count`, Number(count)], [`${name} sum`, sum]] as const;
  });
}

/** A folder in memory where there is one: thousands of syncs of a disk would take the test's time. */
async function inMemory(use: (path: string) => Promise<void>): Promise<void> {
  const hasMemory = await Deno.stat("/dev/shm").then(({ isDirectory }) => isDirectory, () => false);
  const path = await Deno.makeTempDir({ prefix: "sonde-test-", ...(hasMemory && { dir: "/dev/shm" }) });
  try {
    await use(path);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

interface Run {
  readonly lane: LaneConfig;
  readonly path: string;
  readonly clock: VirtualClock;
  readonly host: Host;
  readonly random: () => number;
}

/** One life of the program; tells what was accepted in it. Every third one ends at once. */
async function live(number: number, { lane, path, clock, host, random }: Run): Promise<readonly Received[]> {
  const react = () => random() > 0.3 ? 200 : random() < 0.5 ? "closed" as const : 503;
  const vendor = new FakeVendor(clock, react);
  const rig = await SpoolRig.open({ path, clock, vendor, config: lane });
  const hand = ({ headers, body, gzipped }: BatchMessage) => {
    for (const header of headers) rig.lane.accept({ header, body: { bytes: body, gzipped } });
  };
  const fanOut = await openFanOut([lane], {
    bootId: "boot",
    startedNs: BigInt(clock.wall()) * 1_000_000n,
    baselines: rig.spool.baselines,
    send: hand,
  });
  for (let cycle = 0; cycle < CYCLES_PER_LIFE; cycle++) {
    fanOut.deliver(resource, host.snapshot(clock.wall()));
    await rig.runTo(clock.mono() + INTERVAL_MS);
  }
  // A stop that gives no time leaves everything to the next life.
  await rig.end(number % 3 === 0 ? 0 : 5_000);
  return vendor.accepted;
}

async function conserve(preset: Preset): Promise<void> {
  const sample = Object.entries(preset.sample).map(([setting, text]) => [`SONDE_${setting}`, text]);
  const env = { SONDE_PRESET: preset.name, ...Object.fromEntries(sample) };
  const [lane] = settingsOf({ env }).lanes;
  assert(lane?.signal === "metrics");
  await inMemory(async (path) => {
    const clock = new VirtualClock();
    const random = randomFrom(7);
    const host = new Host(random);
    const run = { lane, path, clock, host, random };
    const accepted: Received[] = [];
    for (let number = 1; number <= CYCLES / CYCLES_PER_LIFE; number++) {
      accepted.push(...await live(number, run));
    }
    const last = await SpoolRig.open({ path, clock, config: lane });
    await last.runTo(clock.mono() + 3_000_000);
    accepted.push(...last.vendor.accepted);
    assertEquals([last.report.queued, last.report.dropped], [0, {}]);
    await last.end();
    assertConserved(accepted, host);
  });
}

function assertConserved(accepted: readonly Received[], { first, values }: Host): void {
  const sums = new Map<string, number>();
  for (const [key, delta] of accepted.flatMap(deltasOf)) {
    assert(delta >= 0, `${key} fell by ${delta}`);
    sums.set(key, (sums.get(key) ?? 0) + delta);
  }
  const grown = NAMES.map((name) => values[name] - (first?.[name] ?? 0));
  assertEquals([...sums.values()].toSorted((a, b) => a - b), grown.toSorted((a, b) => a - b));
}

for (const preset of PRESETS.filter(({ temporalities }) => temporalities[0] === "delta")) {
  Deno.test(`${preset.name}: deltas are conserved over ${CYCLES} cycles with failures and restarts`, () =>
    conserve(preset));
}
