/**
 * Receiver to backend on loopback, sonde and the OpenTelemetry Collector (otlp receiver, batch, otlphttp exporter) in
 * turns in one run: records per CPU second of the whole process and peak memory. Ratios are what counts: both had the
 * same load, sink and machine. `deno run -A scripts/bench_receiver.ts` prints JSON.
 * @module
 */
import type { Signal } from "../exporters/batch.ts";
import { compress } from "../exporters/gzip.ts";
import { encodeLogs } from "../exporters/otlp_logs.ts";
import { encodeTraces } from "../exporters/otlp_traces.ts";
import { head } from "../tests/otlp_samples.ts";
import { pipelineConfig, startCollector } from "../tests/peers/collector.ts";
import { freePort } from "../tests/peers/ports.ts";
import { Program } from "../tests/program.ts";
import { CpuMeter, readMemory } from "./bench_proc.ts";
import { print, say } from "./terminal.ts";

const REQUESTS = 400;
const ITEMS = 200;
const ROUNDS = 2;
const IN_FLIGHT = 4;
const LIMITS = { encoding: "protobuf", batchBytesMax: 1e8, batchItemsMax: 1e6 } as const;
const KIB_PER_MIB = 1024;

type Sent = "logs" | "traces";

/** A backend that takes everything and counts requests and bytes, not items: decoding would cost this machine more. */
function startBackend(): { url: string; bytes(): number; stop(): Promise<void> } {
  let bytes = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    bytes += (await request.arrayBuffer()).byteLength;
    return new Response(null, { headers: { "content-type": "application/x-protobuf" } });
  });
  return { url: `http://127.0.0.1:${server.addr.port}`, bytes: () => bytes, stop: () => server.shutdown() };
}

function bodyOf(signal: Sent): Uint8Array<ArrayBuffer> {
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  const attributes = { "http.request.method": "GET", "url.path": "/cart", "http.response.status_code": 200 };
  const many = Array.from({ length: ITEMS }, (_, n) => n);
  const requests = signal === "logs"
    ? encodeLogs(
      many.map((n) => ({ observedNs: nowNs, severity: 9, body: `order ${n} was placed`, attributes })),
      head,
      LIMITS,
    )
    : encodeTraces(
      many.map((n) => ({
        traceId: "5b8efff798038103d269b633813fc60c",
        spanId: (n + 1).toString(16).padStart(16, "0"),
        name: "GET /cart",
        startNs: nowNs - 5_000_000n,
        endNs: nowNs,
        attributes,
      })),
      head,
      LIMITS,
    );
  const [batch] = requests.batches;
  if (batch === undefined) throw new Error("BUG: nothing was encoded");
  return batch.body;
}

/** One program under load. */
interface Subject {
  readonly name: "sonde" | "collector";
  readonly pid: number;
  readonly url: string;
}

interface Figures {
  readonly perCpuSecond: number;
  readonly peakMiB: number;
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function cpuSeconds(meter: CpuMeter): number {
  return [...meter.sample().values()].reduce((sum, ns) => sum + ns, 0) / 1e9;
}

async function post(url: string, body: Uint8Array<ArrayBuffer>): Promise<void> {
  const headers = { "content-type": "application/x-protobuf", "content-encoding": "gzip" };
  while (true) {
    const response = await fetch(url, { method: "POST", headers, body });
    await response.body?.cancel();
    if (response.ok) return;
    if (response.status !== 429 && response.status !== 503) {
      throw new Error(`Cannot load: ${response.status}`);
    }
    await wait(50);
  }
}

/** Posts the load and waits until the backend has had nothing new for a second. */
async function load(subject: Subject, signal: Sent, backend: { bytes(): number }): Promise<Figures> {
  const { bytes: body } = await compress(bodyOf(signal));
  const meter = new CpuMeter(subject.pid);
  const before = cpuSeconds(meter);
  let peak = 0;
  let left = REQUESTS;
  const sampler = setInterval(() => {
    meter.sample();
    readMemory(subject.pid).then(({ rss }) => peak = Math.max(peak, rss), () => {});
  }, 100);
  const client = async () => {
    while (left-- > 0) await post(`${subject.url}/v1/${signal}`, body);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, client));
  for (let seen = -1; seen !== backend.bytes();) {
    seen = backend.bytes();
    await wait(signal === "traces" ? 6_000 : 2_000);
  }
  clearInterval(sampler);
  const items = REQUESTS * ITEMS;
  return {
    perCpuSecond: Math.round(items / (cpuSeconds(meter) - before)),
    peakMiB: Math.round(peak / KIB_PER_MIB * 10) / 10,
  };
}

const batching = (sink: string) => (listen: string): string =>
  pipelineConfig({ sink })(listen)
    .replace("exporters:\n", "processors:\n  batch: {}\nexporters:\n")
    .replaceAll("receivers: [otlp],", "receivers: [otlp], processors: [batch],")
    .replace("sending_queue: { enabled: false }", "sending_queue: { enabled: true }");

if (import.meta.main) {
  const folder = await Deno.makeTempDir({ prefix: "sonde-bench-" });
  const backend = startBackend();
  const port = freePort();
  const sonde = new Program(folder, ["run", "--interval=1h", "--endpoint", backend.url], {
    env: { SONDE_RECEIVE: `127.0.0.1:${port}` },
  });
  await sonde.waitFor(({ stderr }) => stderr.includes("started"));
  const collector = await startCollector({ config: batching(backend.url) });
  const subjects: Subject[] = [
    { name: "sonde", pid: sonde.pid, url: `http://127.0.0.1:${port}` },
    { name: "collector", pid: collector.pid, url: collector.endpoint },
  ];
  const figures: { name: string; signal: Signal; round: number; perCpuSecond: number; peakMiB: number }[] =
    [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const signal of ["logs", "traces"] as const) {
      for (const subject of subjects) {
        say(`round ${round + 1}: ${signal} through ${subject.name}`);
        figures.push({ name: subject.name, signal, round, ...await load(subject, signal, backend) });
      }
    }
  }
  const best = (name: string, signal: Signal) =>
    Math.max(
      ...figures.filter((each) => each.name === name && each.signal === signal).map((f) => f.perCpuSecond),
    );
  const ratio = (signal: Signal) => Math.round(best("sonde", signal) / best("collector", signal) * 100) / 100;
  print(
    JSON.stringify(
      { requests: REQUESTS, items: ITEMS, figures, ratio: { logs: ratio("logs"), traces: ratio("traces") } },
      undefined,
      2,
    ),
  );
  await collector.stop();
  await sonde[Symbol.asyncDispose]();
  await backend.stop();
  await Deno.remove(folder, { recursive: true });
}
