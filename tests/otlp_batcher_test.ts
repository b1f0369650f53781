/**
 * The library's batch processor: when a batch is full, and what a full queue costs.
 * @module
 */
import { assertEquals, assertStrictEquals } from "@std/assert";
import { Batcher } from "../exporters/otlp_batcher.ts";
import type { BatchLimits } from "../exporters/otlp_plan.ts";
import { VirtualClock } from "./virtual_clock.ts";

const LIMITS: BatchLimits = {
  batchItems: 4,
  batchBytes: 100,
  flushIntervalMs: 1_000,
  queueItems: 10,
  queueBytes: 1_000,
  dropPolicy: "oldest",
};

/** A processor of texts; each counts one item and its length in bytes. */
class Rig {
  readonly clock = new VirtualClock();
  readonly batches: string[] = [];
  readonly dropped: Record<string, number> = {};
  readonly batcher: Batcher<string>;
  /** Set: the next batch stays with the receiver until this resolves. */
  gate: Promise<void> | undefined;

  constructor(changes: Partial<BatchLimits> = {}) {
    this.batcher = new Batcher({
      limits: { ...LIMITS, ...changes },
      clock: this.clock,
      itemsOf: () => 1,
      bytesOf: (text) => text.length,
      send: async (batch) => {
        this.batches.push(batch.join(" "));
        await this.gate;
      },
      dropped: (reason, items) => this.dropped[reason] = (this.dropped[reason] ?? 0) + items,
    });
  }

  add(...texts: readonly string[]): void {
    for (const text of texts) this.batcher.add(text);
  }

  runTo(ms: number): Promise<void> {
    return this.clock.runTo(ms, () => true);
  }
}

Deno.test("Batcher: as many items as a batch holds go at once, the rest after the interval", async () => {
  const rig = new Rig();
  rig.add("a", "b", "c", "d", "e");
  await rig.runTo(0);
  assertEquals(rig.batches, ["a b c d"]);
  await rig.runTo(999);
  assertStrictEquals(rig.batches.length, 1);
  await rig.runTo(1_000);
  assertEquals(rig.batches, ["a b c d", "e"]);
});

Deno.test("Batcher: as many bytes as a batch holds go at once", async () => {
  const rig = new Rig();
  rig.add("x".repeat(60), "y".repeat(60));
  await rig.runTo(0);
  assertEquals(rig.batches, ["x".repeat(60)]);
  await rig.runTo(1_000);
  assertEquals(rig.batches[1], "y".repeat(60));
});

Deno.test("Batcher: something larger than a batch goes alone", async () => {
  const rig = new Rig();
  rig.add("a", "x".repeat(500), "b");
  await rig.batcher.flush();
  assertEquals(rig.batches.map((batch) => batch.length), [1, 500, 1]);
});

Deno.test("Batcher: the interval counts from the first that waits, and starts anew", async () => {
  const rig = new Rig();
  rig.add("a");
  await rig.runTo(600);
  rig.add("b");
  await rig.runTo(1_000);
  assertEquals(rig.batches, ["a b"]);
  rig.add("c");
  await rig.runTo(1_900);
  assertStrictEquals(rig.batches.length, 1);
  await rig.runTo(2_000);
  assertEquals(rig.batches, ["a b", "c"]);
});

for (const [dropPolicy, kept] of [["oldest", "d e f"], ["newest", "b c d"]] as const) {
  Deno.test(`Batcher: a full queue costs the ${dropPolicy}, and counts it`, async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const rig = new Rig({ batchItems: 1, queueItems: 3, dropPolicy });
    rig.gate = promise;
    rig.add("a");
    await rig.runTo(0);
    rig.add("b", "c", "d", "e", "f");
    assertEquals(rig.dropped, { queue_full: 2 });
    assertStrictEquals(rig.batcher.items, 3);
    resolve();
    await rig.batcher.flush();
    assertEquals(rig.batches.join(" "), `a ${kept}`);
  });
}

Deno.test("Batcher: what could never fit costs itself and nothing else", async () => {
  const rig = new Rig({ queueBytes: 200 });
  rig.add("a", "x".repeat(201));
  await rig.batcher.flush();
  assertEquals([rig.batches, rig.dropped], [["a"], { queue_full: 1 }]);
});

Deno.test("Batcher: after close everything is out, and what comes is counted", async () => {
  const rig = new Rig();
  rig.add("a", "b");
  await rig.batcher.close();
  rig.add("c");
  assertEquals([rig.batches, rig.dropped], [["a b"], { shutdown: 1 }]);
  await rig.runTo(10_000);
  assertStrictEquals(rig.batches.length, 1);
});
