/**
 * Receiver to backend on loopback, sonde and the OpenTelemetry Collector (otlp receiver, batch, otlphttp exporter) in
 * turns in one run, each with its queue in memory and with it on disk: records per CPU second of the whole process and
 * what memory it takes beyond idle. Ratios are what counts: all had the same load, sink and machine. Records have values
 * of their own, as programs send them. `deno run -A scripts/bench_receiver.ts` prints JSON.
 * @module
 */
import type { Attributes } from "../collectors/metric.ts";
import { sleep } from "../exporters/clock.ts";
import { compress } from "../exporters/gzip.ts";
import { encodeLogs } from "../exporters/otlp_logs.ts";
import { encodeTraces } from "../exporters/otlp_traces.ts";
import { head } from "../tests/otlp_samples.ts";
import { pipelineConfig, startCollector } from "../tests/peers/collector.ts";
import { freePort } from "../tests/peers/ports.ts";
import { Program } from "../tests/program.ts";
import { CpuMeter } from "./bench_proc.ts";
import { MALLOC_ENV } from "./bench_process.ts";
import { print, say } from "./terminal.ts";

const REQUESTS = 400;
const ITEMS = 200;
const ROUNDS = 3;
/** Different requests, sent in turn. */
const BODIES = 16;
const IN_FLIGHT = 4;
const LIMITS = { encoding: "protobuf", batchBytesMax: 1e8, batchItemsMax: 1e6 } as const;
const KIB_PER_MIB = 1024;
/** What a start leaves behind has been given back by then. */
const SETTLED_MS = 12_000;

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

const some = (count: number): number => Math.floor(Math.random() * count);

function attributesOf(): Attributes {
  return {
    "http.request.method": some(2) === 0 ? "GET" : "POST",
    "url.path": `/cart/${some(1e6)}`,
    "http.response.status_code": 200 + some(300),
    "session.id": some(1e15).toString(16),
  };
}

function bodyOf(signal: Sent): Uint8Array<ArrayBuffer> {
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  const many = Array.from({ length: ITEMS }, (_, n) => n);
  const logOf = (n: number) => ({
    observedNs: nowNs,
    severity: 9,
    body: `order ${n} of ${some(1e9)}`,
    attributes: attributesOf(),
  });
  const spanOf = (n: number) => ({
    traceId: crypto.randomUUID().replaceAll("-", ""),
    spanId: (n + 1).toString(16).padStart(16, "0"),
    name: "GET /cart",
    ...{ startNs: nowNs - 5_000_000n, endNs: nowNs, attributes: attributesOf() },
  });
  const { batches: [batch] } = signal === "logs"
    ? encodeLogs(many.map(logOf), head, LIMITS)
    : encodeTraces(many.map(spanOf), head, LIMITS);
  if (batch === undefined) throw new Error("BUG: nothing was encoded");
  return batch.body;
}

/** One program under load. */
interface Subject {
  readonly name: "sonde" | "sonde, spool always" | "collector" | "collector, file_storage";
  readonly pid: number;
  readonly url: string;
  readonly stop: () => Promise<void>;
}

interface Figures {
  readonly perCpuSecond: number;
  readonly idleMiB: number;
  readonly peakMiB: number;
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
    await sleep(50);
  }
}

/** Resident now, and the most since the last question, which begins anew (proc(5), clear_refs). */
function memoryOf(pid: number): { readonly nowMiB: number; readonly peakMiB: number } {
  const text = Deno.readTextFileSync(`/proc/${pid}/status`);
  const field = (name: string) => {
    const kib = Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1]);
    return Math.round(kib / KIB_PER_MIB * 10) / 10;
  };
  Deno.writeTextFileSync(`/proc/${pid}/clear_refs`, "5");
  return { nowMiB: field("VmRSS"), peakMiB: field("VmHWM") };
}

/** Posts the load and waits until the backend has had nothing new for a while. */
async function load(subject: Subject, signal: Sent, backend: { bytes(): number }): Promise<Figures> {
  const bodies: Uint8Array<ArrayBuffer>[] = [];
  for (let n = 0; n < BODIES; n++) bodies.push((await compress(bodyOf(signal))).bytes);
  const { nowMiB: idleMiB } = memoryOf(subject.pid);
  const meter = new CpuMeter(subject.pid);
  const beforeMs = meter.totalMs();
  let left = REQUESTS;
  const sampler = setInterval(() => meter.sample(), 100);
  const client = async () => {
    while (left-- > 0) {
      const body = bodies[left % BODIES];
      if (body !== undefined) await post(`${subject.url}/v1/${signal}`, body);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, client));
  for (let seen = -1; seen !== backend.bytes();) {
    seen = backend.bytes();
    await sleep(signal === "traces" ? 6_000 : 2_000);
  }
  clearInterval(sampler);
  const perCpuSecond = Math.round(REQUESTS * ITEMS * 1_000 / (meter.totalMs() - beforeMs));
  return { perCpuSecond, idleMiB, peakMiB: memoryOf(subject.pid).peakMiB };
}

/** The Collector's configuration: batches, and a queue in memory or in `folder`. */
function batching(sink: string, folder?: string): (listen: string) => string {
  const queue = folder === undefined ? "" : ", storage: file_storage";
  const storage = folder === undefined ? "" : `  file_storage: { directory: "${folder}" }\n`;
  return (listen) =>
    pipelineConfig({ sink })(listen)
      .replace("extensions:\n", `extensions:\n${storage}`)
      .replace(
        "extensions: [bearertokenauth]",
        `extensions: [bearertokenauth${folder ? ", file_storage" : ""}]`,
      )
      .replace("exporters:\n", "processors:\n  batch: {}\nexporters:\n")
      .replaceAll("receivers: [otlp],", "receivers: [otlp], processors: [batch],")
      .replace("sending_queue: { enabled: false }", `sending_queue: { enabled: true${queue} }`);
}

async function startSonde(folder: string, sink: string, spool: "auto" | "always"): Promise<Subject> {
  const port = freePort();
  const program = new Program(folder, ["run", "--interval=1h", "--endpoint", sink], {
    env: {
      ...{ ...MALLOC_ENV, SONDE_RECEIVE: `127.0.0.1:${port}`, SONDE_SPOOL: spool },
      SONDE_CONTROL_SOCKET: `${folder}/${spool}.sock`,
    },
    stateDir: `${folder}/${spool}`,
  });
  await program.waitFor(({ stderr }) => stderr.includes("started"));
  const name = spool === "auto" ? "sonde" : "sonde, spool always";
  const stop = () => program[Symbol.asyncDispose]();
  return { name, pid: program.pid, url: `http://127.0.0.1:${port}`, stop };
}

async function startPeer(sink: string, folder?: string): Promise<Subject> {
  const { endpoint, pid, stop } = await startCollector({ config: batching(sink, folder) });
  return { name: folder === undefined ? "collector" : "collector, file_storage", pid, url: endpoint, stop };
}

interface Row extends Figures {
  readonly name: Subject["name"];
  readonly signal: Sent;
}

function best(rows: readonly Row[], name: Subject["name"], signal: Sent): number {
  const own = rows.filter((row) => row.name === name && row.signal === signal);
  return Math.max(...own.map(({ perCpuSecond }) => perCpuSecond));
}

/** sonde's records per CPU second over the Collector's: above 1 it costs less. */
function ratios(rows: readonly Row[]): Record<string, number> {
  const ratio = (ours: Subject["name"], theirs: Subject["name"], signal: Sent) =>
    Math.round(best(rows, ours, signal) / best(rows, theirs, signal) * 100) / 100;
  return {
    logs: ratio("sonde", "collector", "logs"),
    traces: ratio("sonde", "collector", "traces"),
    logsOnDisk: ratio("sonde, spool always", "collector, file_storage", "logs"),
    tracesOnDisk: ratio("sonde, spool always", "collector, file_storage", "traces"),
  };
}

/** Everything started is stopped however it ends. */
async function main(): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "sonde-bench-" });
  opened.defer(() => Deno.remove(folder, { recursive: true }));
  await Deno.mkdir(`${folder}/queue`);
  const backend = startBackend();
  opened.defer(() => backend.stop());
  const subjects: Subject[] = [];
  const take = async (starting: Promise<Subject>) => {
    const subject = await starting;
    opened.defer(subject.stop);
    subjects.push(subject);
  };
  await take(startSonde(folder, backend.url, "auto"));
  await take(startPeer(backend.url));
  await take(startSonde(folder, backend.url, "always"));
  await take(startPeer(backend.url, `${folder}/queue`));
  await sleep(SETTLED_MS);
  const rows: Row[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const signal of ["logs", "traces"] as const) {
      for (const subject of subjects) {
        say(`round ${round + 1}: ${signal} through ${subject.name}`);
        rows.push({ name: subject.name, signal, ...await load(subject, signal, backend) });
      }
    }
  }
  print(JSON.stringify({ requests: REQUESTS, items: ITEMS, rows, ratios: ratios(rows) }, undefined, 2));
}

if (import.meta.main) await main();
