/**
 * Memory of the whole program under a flood at its receiver: within 20 MiB of idle, whatever the backend does, and what
 * does not fit is answered 429 or 503 with Retry-After. Real time and a real process: the kernel's peak is what counts.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Encoding } from "../exporters/batch.ts";
import { sleep } from "../exporters/clock.ts";
import { compress } from "../exporters/gzip.ts";
import { encodeLogs } from "../exporters/otlp_logs.ts";
import { encodeMessage } from "../exporters/otlp_message.ts";
import { MALLOC_ENV } from "../scripts/bench_process.ts";
import { ok, throttle } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { head } from "./otlp_samples.ts";
import { freePort } from "./peers/ports.ts";
import { inFolder, Program } from "./program.ts";

const MORE_MIB_MAX = 20;
/** The memory that the start leaves behind is given back at the first look, ten seconds after it. */
const SETTLED_MS = 12_000;
const FLOOD_MS = 3_000;
/** Impatient: less than a twentieth of what the receiver asks for. */
const BUSY_MS = 50;

/** Requests of one kind, sent as fast as they are taken. */
interface Flood {
  readonly signal: "logs" | "metrics";
  readonly encoding: Encoding;
  readonly items: number;
  readonly isGzipped: boolean;
  readonly connections: number;
}

const USUAL: Flood = { signal: "logs", encoding: "protobuf", items: 200, isGzipped: true, connections: 32 };
const LARGE: Flood = { ...USUAL, items: 17_000, connections: 8 };
const USUAL_JSON: Flood = { ...USUAL, encoding: "json" };
const LARGE_JSON: Flood = { ...LARGE, encoding: "json", items: 6_000 };
/** Twice as many series as are remembered for rows that take delta only. */
const SERIES: Flood = { ...LARGE, signal: "metrics", items: 20_000 };

const TO_JSON = { OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" };
const TO_DELTA = { SONDE_PRESET: "dynatrace", SONDE_API_KEY: "key" };

function logsOf(items: number, encoding: Encoding): Uint8Array<ArrayBuffer> {
  const observedNs = BigInt(Date.now()) * 1_000_000n;
  const records = Array.from({ length: items }, (_, n) => ({
    observedNs,
    severity: 9,
    body: `order ${n} of ${Math.random()}`,
    attributes: { "http.request.method": "GET", "session.id": Math.random().toString(16) },
  }));
  const limits = { encoding, batchBytesMax: 1e8, batchItemsMax: 1e6 } as const;
  const [batch] = encodeLogs(records, head, limits).batches;
  assert(batch !== undefined);
  return batch.body;
}

/** A cumulative counter of so many series. */
function countersOf(items: number): Uint8Array<ArrayBuffer> {
  const timeUnixNano = BigInt(Date.now()) * 1_000_000n;
  const dataPoints = Array.from({ length: items }, (_, n) => ({
    timeUnixNano,
    startTimeUnixNano: 1n,
    value: { case: "asInt" as const, value: BigInt(n) },
    attributes: [{ key: "n", value: { value: { case: "stringValue" as const, value: `s${n}` } } }],
  }));
  const sum = { aggregationTemporality: 2, isMonotonic: true, dataPoints };
  const metrics = [{ name: "requests", data: { case: "sum" as const, value: sum } }];
  return encodeMessage("ExportMetricsServiceRequest", { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] });
}

/** Answers by status; an answer that asks for patience must say how long. */
async function flood(port: number, kind: Flood): Promise<Map<number, number>> {
  const { signal, encoding, items, isGzipped, connections } = kind;
  const plain = signal === "logs" ? logsOf(items, encoding) : countersOf(items);
  const body = isGzipped ? (await compress(plain)).bytes : plain;
  const headers = {
    "content-type": encoding === "json" ? "application/json" : "application/x-protobuf",
    ...(isGzipped && { "content-encoding": "gzip" }),
  };
  const answers = new Map<number, number>();
  const endMs = performance.now() + FLOOD_MS;
  const client = async () => {
    while (performance.now() < endMs) {
      try {
        const response = await fetch(`http://127.0.0.1:${port}/v1/${signal}`, {
          method: "POST",
          headers,
          body,
        });
        await response.body?.cancel();
        answers.set(response.status, (answers.get(response.status) ?? 0) + 1);
        if (response.status === 200) continue;
        assert(response.headers.has("retry-after"), `${response.status}`);
        await sleep(BUSY_MS);
      } catch (error) {
        // Refused before its body was read: the answer can be lost on the way.
        if (!(error instanceof TypeError)) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  return answers;
}

/** Resident memory and its peak, MiB. */
function memoryOf(pid: number): { readonly now: number; readonly peak: number } {
  const text = Deno.readTextFileSync(`/proc/${pid}/status`);
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1]) / 1024;
  return { now: field("VmRSS"), peak: field("VmHWM") };
}

/** A program that has settled under each backend, flooded one after the other: each kind starts from idle. */
Deno.test("memory stays within 20 MiB of idle under a flood: large bodies, JSON, conversions and an outage too", async () => {
  await using server = new FaultServer(ok);
  await using away = new FaultServer(ok);
  await inFolder(async (folder) => {
    const start = async (name: string, to: FaultServer, settings: Readonly<Record<string, string>> = {}) => {
      const port = freePort();
      const env = {
        ...{ ...MALLOC_ENV, SONDE_RECEIVE: `127.0.0.1:${port}`, SONDE_TIMEOUT: "1s" },
        ...{ SONDE_CONTROL_SOCKET: `${folder}/${name}.sock`, ...settings },
      };
      const options = { env, stateDir: `${folder}/${name}` };
      const program = new Program(folder, ["run", "--interval=1s", "--endpoint", to.url], options);
      await to.waitFor(to.requests.length + 1);
      return { program, port };
    };
    const runs = [
      { ...await start("usual", server), kinds: [USUAL, USUAL_JSON] },
      { ...await start("packed", server), kinds: [LARGE, LARGE] },
      { ...await start("plain", server), kinds: [{ ...LARGE, isGzipped: false }] },
      { ...await start("json", server), kinds: [LARGE_JSON] },
      { ...await start("to-json", server, TO_JSON), kinds: [LARGE, LARGE_JSON] },
      { ...await start("to-delta", server, TO_DELTA), kinds: [SERIES] },
      { ...await start("outage", away), kinds: [USUAL, USUAL_JSON] },
    ];
    await sleep(SETTLED_MS);
    away.otherwise = throttle(503);
    for (const { program, port, kinds } of runs) {
      await using _ending = program;
      await within(program.pid, async () => {
        for (const kind of kinds) check(kind, await flood(port, kind));
      });
    }
  });
});

function check({ items }: Flood, answers: ReadonlyMap<number, number>): void {
  assert((answers.get(200) ?? 0) > (items > 1_000 ? 0 : 50), `${JSON.stringify([...answers])}`);
  assertEquals([...answers.keys()].filter((code) => ![200, 429, 503].includes(code)), []);
}

async function within(pid: number, use: () => Promise<void>): Promise<void> {
  const idle = memoryOf(pid).now;
  // Starts the peak anew (proc(5), clear_refs).
  await Deno.writeTextFile(`/proc/${pid}/clear_refs`, "5");
  await use();
  const more = memoryOf(pid).peak - idle;
  assert(more <= MORE_MIB_MAX, `${more.toFixed(1)} MiB more than ${idle.toFixed(1)} idle`);
}
