/**
 * A process for the kill -9 test: a lane with a spool that is always written, fed as fast as it goes, to a backend
 * that fails now and then. It prints each number it hands in, and up to which all are on disk or delivered.
 * @module
 */
import { openDelivery } from "../exporters/delivery.ts";
import { openSpool } from "../exporters/spool.ts";
import { headerOf, laneTo, realClock } from "./lane_fixture.ts";

const [path = "", url = "", first = "1"] = Deno.args;
const lanes = [laneTo(url, { compression: "none" })];
const spool = await openSpool({ path, bytesMax: 64 * 1024 * 1024, lanes, clock: realClock, log: () => {} });
const delivery = await openDelivery(
  { product: "sonde/1.2.3", lanes, queueBytesMax: 4 * 1024 * 1024, spoolAlways: true },
  { clock: realClock, log: () => {}, changed: () => {}, spoolOf: (lane) => spool.laneSpool(lane) },
);
const BATCH_ITEMS = 10;
const encoder = new TextEncoder();
if (first === "drain") {
  await delivery.flush({ deadlineMs: 30_000, final: true, brief: false });
  await spool.close();
  Deno.exit(delivery.report()[0]?.queued === 0 ? 0 : 1);
}
/** Batches of this life that have left the memory queue, which they do in order. */
function safeBatches(): number {
  const [lane] = delivery.report();
  if (lane === undefined) return 0;
  const inMemory = lane.queued / BATCH_ITEMS - lane.spoolBatches;
  return (lane.produced - lane.inherited) / BATCH_ITEMS - inMemory;
}

for (let number = Number(first);; number++) {
  const now = Date.now();
  // 8 kB each: segments of this spool rotate every hundred batches.
  const body = encoder.encode(`${number} `.padEnd(8_000, "."));
  const header = headerOf(number, {
    items: BATCH_ITEMS,
    firstTimeMs: now,
    lastTimeMs: now,
    uncompressedBytes: body.length,
  });
  delivery.accept({ type: "batch", origin: "sensor", headers: [header], body, gzipped: false });
  Deno.stdout.writeSync(encoder.encode(`${number} ${Number(first) - 1 + safeBatches()}\n`));
  // A flush knows no pacing, so that there is much to acknowledge and to remove.
  if (number % 5 === 0) delivery.flush({ deadlineMs: 1_000, final: false, brief: false });
  await new Promise((resolve) => setTimeout(resolve, 2));
}
