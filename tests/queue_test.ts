/**
 * The memory bound, what is said of an outage, and compression once per batch.
 * @module
 */
import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { compress, decompress, plainBytes } from "../exporters/gzip.ts";
import type { LogRecord } from "../exporters/messages.ts";
import { OutageLog } from "../exporters/outage_log.ts";
import { MemoryQueue, QueueBudget } from "../exporters/queue.ts";
import { SizeLimit } from "../exporters/size_limit.ts";
import { headerOf } from "./lane_fixture.ts";

function batchOf(bytes: number, items = 1) {
  return { header: headerOf(1, { items }), body: { bytes: new Uint8Array(bytes), gzipped: false } };
}

Deno.test("QueueBudget: the lane that holds most gives way, oldest first", () => {
  const budget = new QueueBudget(10_000);
  const evicted: string[] = [];
  const large = new MemoryQueue(budget, (items) => evicted.push(`large ${items}`));
  const small = new MemoryQueue(budget, (items) => evicted.push(`small ${items}`));
  small.push(batchOf(1_000, 7));
  for (let n = 1; n <= 10; n++) large.push(batchOf(1_000, n));
  assertEquals(evicted, ["large 1", "large 2", "large 3", "large 4"]);
  assertEquals([small.length, large.length, large.items], [1, 6, 45]);
});

Deno.test("QueueBudget: what is on its way or being written is not evicted", () => {
  const budget = new QueueBudget(3_000);
  const queue = new MemoryQueue(budget, () => {});
  queue.push(batchOf(1_000, 1));
  queue.push(batchOf(1_000, 2));
  const [first, second] = [queue.at(0), queue.at(1)];
  assert(first !== undefined && second !== undefined);
  first.sending = true;
  second.moving = true;
  queue.push(batchOf(1_000, 3));
  assertEquals([queue.length, queue.items], [2, 3]);
});

Deno.test("MemoryQueue: an entry is removed once", () => {
  const queue = new MemoryQueue(new QueueBudget(10_000), () => {});
  queue.push(batchOf(10));
  const entry = queue.at(0);
  assert(entry !== undefined);
  assertEquals([queue.remove(entry), queue.remove(entry), queue.bytes, queue.items], [true, false, 0, 0]);
});

/** A log of one lane, with what it wrote. */
function logOf(): { log: OutageLog; records: LogRecord[] } {
  const records: LogRecord[] = [];
  return {
    log: new OutageLog({ destination: "a", signal: "logs" }, (record) => records.push(record)),
    records,
  };
}

const refused = { kind: "retryable", cause: "refused", message: "no" } as const;
const figures = { queued: 5, delivered: 0, tooOld: 0 };

Deno.test("OutageLog: one line at the beginning, one a minute, one at the end", () => {
  const { log, records } = logOf();
  for (let second = 0; second < 150; second++) log.failed(refused, second * 1_000, figures);
  log.drained(150_000, { queued: 0, delivered: 40, tooOld: 3 });
  assertEquals(records.map(({ event }) => event), [
    "delivery failing",
    "delivery still failing",
    "delivery still failing",
    "delivery resumed",
  ]);
  assertEquals(records.at(-1)?.fields, {
    destination: "a",
    signal: "logs",
    seconds: 150,
    drained: 40,
    too_old: 3,
  });
});

Deno.test("OutageLog: a lane that fails and recovers every second says so once a minute", () => {
  const { log, records } = logOf();
  for (let second = 0; second < 120; second++) {
    log.failed(refused, second * 1_000, figures);
    log.drained(second * 1_000 + 500, figures);
  }
  assertEquals(records.length, 4);
});

Deno.test("OutageLog: refusals are bounded in number, whatever a backend thinks of", () => {
  const { log, records } = logOf();
  for (let n = 0; n < 500; n++) log.refused("refused", `word${"x".repeat(n)}`, {});
  assertStrictEquals(records.length, 32);
});

Deno.test("SizeLimit: 413 halves it, a hundred successes let it grow by a tenth, never past the configured", () => {
  const limit = new SizeLimit(100_000);
  limit.refused(80_000);
  assertStrictEquals(limit.bytesMax, 40_000);
  for (let n = 0; n < 100; n++) limit.accepted();
  assertStrictEquals(limit.bytesMax, 44_000);
  for (let n = 0; n < 5_000; n++) limit.accepted();
  assertStrictEquals(limit.bytesMax, 100_000);
});

Deno.test("compress() leaves small and incompressible bodies as they are", async () => {
  const small = new Uint8Array(1_023);
  assertEquals(await compress(small), { bytes: small, gzipped: false });
  const noise = crypto.getRandomValues(new Uint8Array(2_000));
  assertStrictEquals((await compress(noise)).gzipped, false);
  const packed = await compress(new Uint8Array(5_000));
  assert(packed.gzipped && packed.bytes.length < 100);
  assertEquals(await decompress(packed.bytes, 5_000), new Uint8Array(5_000));
});

Deno.test("plainBytes() gives what a body holds, compressed or not", async () => {
  const bytes = new Uint8Array(5_000).fill(7);
  const packed = await compress(bytes);
  assert(packed.gzipped);
  assertEquals(await plainBytes(packed), bytes);
  assertStrictEquals(await plainBytes({ bytes, gzipped: false }), bytes);
});

Deno.test("decompress() stops at its limit, and refuses what is not gzip", async () => {
  const { bytes } = await compress(new Uint8Array(1_000_000));
  await assertRejects(() => decompress(bytes, 10_000), RangeError);
  await assertRejects(() => decompress(new Uint8Array(50), 10_000), TypeError);
});
