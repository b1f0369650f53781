/**
 * CPU of the parts of a cycle, measured in a process of its own that runs, like sonde, without a JIT: reading the
 * kept files, collecting (reading and parsing), encoding, compressing. `measureParts` starts that process.
 * @module
 */
import process from "node:process";
import type { Snapshot } from "../collectors/metric.ts";
import { collectors } from "../collectors/registry.ts";
import { Source } from "../collectors/source.ts";
import { openSensor } from "../commands/sensor.ts";
import { createMetricsEncoder } from "../exporters/metrics_encoder.ts";
import { compress } from "../exporters/gzip.ts";
import { median } from "./bench_figures.ts";
import { V8_FLAGS } from "./bundle.ts";
import { print, run } from "./terminal.ts";

/** Microseconds of CPU per cycle, and the files that a cycle reads. */
export interface Parts {
  readonly files: readonly string[];
  readonly points: number;
  readonly readUs: number;
  readonly collectUs: number;
  readonly encodeUs: number;
  readonly compressUs: number;
}

const BATCHES = 9;
const TURNS = 100;
const LIMITS = { batchBytesMax: 512 * 1_024, batchItemsMax: 8_192 };

/** Measures in a fresh process with the flags of sonde's tasks. */
export async function measureParts(): Promise<Parts> {
  const flags = ["run", "-A", "--no-prompt", V8_FLAGS, "--no-check"];
  const { code, stdout, stderr } = await run(Deno.execPath(), [...flags, import.meta.url]);
  if (code !== 0) throw new Error(`Cannot measure the parts of a cycle:\n${stderr}`);
  return JSON.parse(stdout);
}

/** CPU of one turn in microseconds: the median of several batches, after one that warms up. */
async function measure(turn: (at: number) => unknown): Promise<number> {
  const batches: number[] = [];
  for (let batch = 0; batch <= BATCHES; batch++) {
    const before = process.cpuUsage();
    for (let at = 0; at < TURNS; at++) await turn(batch * TURNS + at);
    const { user, system } = process.cpuUsage(before);
    if (batch > 0) batches.push((user + system) / TURNS);
  }
  return median(batches);
}

async function measureHere(): Promise<Parts> {
  const clock = { wall: () => Date.now(), mono: () => performance.now() };
  const scope = { name: "sonde", version: "0" };
  const sensor = openSensor(collectors(), { root: "/", collectors: [], metrics: [] }, {
    namings: ["semconv"],
    clock,
    attributes: { "service.name": "sonde" },
    remembered: {},
  });
  await sensor.refresh();
  const { files } = sensor.holdings();
  const sources = files.map((path) => new Source(path)).filter(isReadable);
  const encoder = createMetricsEncoder({ naming: "semconv", encoding: "protobuf" });
  const encode = (snapshot: Snapshot) =>
    encoder.encode({ resource: sensor.resource, scope, snapshot }, LIMITS);
  const readUs = await measure((at) => sources.forEach((source) => source.read(at)));
  const collectUs = await measure(() => sensor.collect());
  // Encoding patches what differs from cycle to cycle, so it is given cycles that differ.
  const snapshots = Array.from({ length: TURNS }, () => sensor.collect());
  const encodeUs = await measure((at) => encode(snapshots[at % TURNS] ?? sensor.collect()));
  const [request] = encode(sensor.collect());
  if (request === undefined) throw new RangeError("Cannot bench: no points, expected some");
  const compressUs = await measure(() => compress(request.body));
  await sensor.close();
  return {
    files: sources.map(({ path }) => path),
    points: request.items,
    readUs,
    collectUs,
    encodeUs,
    compressUs,
  };
}

/** Some files open and cannot be read; the floor leaves them out, too. */
function isReadable(source: Source): boolean {
  try {
    source.read(-2);
    return true;
  } catch {
    return false;
  }
}

if (import.meta.main) print(JSON.stringify(await measureHere()));
