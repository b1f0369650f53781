/**
 * What delivery costs per batch, in this process's CPU: a lane when all is well, an append to the spool, a batch read
 * back from it and acknowledged. `deno run -A --v8-flags=--lite-mode scripts/bench_delivery.ts` prints JSON.
 * @module
 */
import { type Clock, sleep } from "../exporters/clock.ts";
import { Lane } from "../exporters/lane.ts";
import type { LaneConfig } from "../exporters/lane_config.ts";
import { createPoster, type Poster } from "../exporters/post.ts";
import { type LaneBatch, QueueBudget } from "../exporters/queue.ts";
import { openSpool } from "../exporters/spool.ts";
import { laneTo } from "../tests/lane_fixture.ts";
import { CpuMeter } from "./bench_proc.ts";
import { print } from "./terminal.ts";

const BATCHES = 2_000;
/** A host's cycle of about 200 points, compressed. */
const BATCH_BYTES = 3_600;

const clock: Clock = { wall: Date.now, mono: () => performance.now(), random: Math.random, sleep };
const config: LaneConfig = laneTo("http://127.0.0.1:4318");
const body = crypto.getRandomValues(new Uint8Array(BATCH_BYTES));

function batchOf(sequence: number): LaneBatch {
  const nowMs = Date.now();
  const times = { firstTimeMs: nowMs, lastTimeMs: nowMs };
  const size = { items: 200, uncompressedBytes: 19_665 };
  const header = { destination: "default", signal: "metrics", encoding: "protobuf", sequence } as const;
  return { header: { ...header, ...times, ...size }, body: { bytes: body, gzipped: true } };
}

const cpuMs = (): number => new CpuMeter(Deno.pid).totalMs();

/** CPU and wall time of one call, in microseconds per batch. */
async function measure(work: () => Promise<void>): Promise<{ cpuUs: number; wallUs: number }> {
  const [cpu, wall] = [cpuMs(), performance.now()];
  await work();
  const perBatch = (ms: number) => Math.round((ms * 1_000) / BATCHES * 10) / 10;
  return { cpuUs: perBatch(cpuMs() - cpu), wallUs: perBatch(performance.now() - wall) };
}

/** A lane that hands every batch to a poster which answers at once: all of delivery but the socket. */
async function laneCost(): Promise<{ cpuUs: number; wallUs: number }> {
  const poster: Poster = createPoster(config, {
    product: "sonde/bench",
    clock,
    transport: {
      send: () =>
        Promise.resolve(new Response(null, { headers: { "content-type": "application/x-protobuf" } })),
      renew: () => {},
      close: () => {},
    },
  });
  const lane = new Lane(config, {
    ...{ poster, clock, budget: new QueueBudget(64 * 1024 * 1024), origin: { untilMs: 0 } },
    log: () => {},
    changed: () => {},
  });
  const running = lane.run();
  const cost = await measure(async () => {
    for (let n = 1; n <= BATCHES; n++) {
      lane.accept(batchOf(n));
      while (lane.report().queued > 0) await new Promise((resolve) => setTimeout(resolve, 0));
    }
  });
  await lane.flush({ deadlineMs: 1_000, final: true, brief: false });
  await running;
  return cost;
}

async function spoolCost(): Promise<Record<"append" | "replay", { cpuUs: number; wallUs: number }>> {
  const path = await Deno.makeTempDir({ prefix: "sonde-bench-" });
  const options = { path, bytesMax: 64 * 1024 * 1024, lanes: [config], clock, log: () => {} };
  const spool = await openSpool(options);
  const lane = spool.laneSpool(config);
  if (lane === undefined) throw new Error(`Cannot measure the spool: ${spool.fault}`);
  const append = await measure(async () => {
    for (let n = 1; n <= BATCHES; n++) await lane.append(batchOf(n));
    await lane.sync();
  });
  const replay = await measure(async () => {
    for (let entry = await lane.head(); entry !== undefined; entry = await lane.head()) {
      if (entry.sequence === undefined || !await lane.acknowledge(entry.sequence)) break;
    }
  });
  await spool.close();
  await Deno.remove(path, { recursive: true });
  return { append, replay };
}

if (import.meta.main) {
  const lane = await laneCost();
  print(
    JSON.stringify(
      { batches: BATCHES, batchBytes: BATCH_BYTES, lane, spool: await spoolCost() },
      undefined,
      2,
    ),
  );
}
