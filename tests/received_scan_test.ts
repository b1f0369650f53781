/** The structural check: what it counts, what it refuses, and that nothing it lets through is invalid. */
import { assertEquals, assertThrows } from "@std/assert";
import { scanRequest } from "../exporters/received_scan.ts";
import { ResourceCompletion } from "../exporters/received_resource.ts";
import { joined } from "../exporters/received_wire.ts";
import type { Signal } from "../exporters/batch.ts";
import { mutations } from "./received_mutations.ts";
import { logs, metrics, readLogs, readMetrics, readSpans, spans } from "./received_samples.ts";
import { HOST, START_MS } from "./receiver_rig.ts";

const READ: Readonly<Record<Signal, (bytes: Uint8Array) => unknown>> = {
  logs: readLogs,
  traces: readSpans,
  metrics: readMetrics,
};

Deno.test("scanRequest() counts items and finds first and last time", () => {
  const flags = { hasDelta: false, hasCumulative: false };
  assertEquals(scanRequest(logs(1000), "logs"), {
    items: 1000,
    firstTimeMs: START_MS,
    lastTimeMs: START_MS + 999,
    ...flags,
  });
  assertEquals(scanRequest(spans(7), "traces"), {
    items: 7,
    firstTimeMs: START_MS,
    lastTimeMs: START_MS + 5,
    ...flags,
  });
  assertEquals(scanRequest(new Uint8Array(), "logs"), { items: 0, ...flags });
});

Deno.test("scanRequest() tells the temporalities of metrics", () => {
  const time = { firstTimeMs: START_MS + 10_000, lastTimeMs: START_MS + 10_000 };
  assertEquals(scanRequest(metrics(2), "metrics"), {
    items: 6,
    ...time,
    hasDelta: false,
    hasCumulative: true,
  });
  assertEquals(scanRequest(metrics(1), "metrics"), {
    items: 6,
    ...time,
    hasDelta: true,
    hasCumulative: true,
  });
});

Deno.test("scanRequest() passes fields it does not know", () => {
  const entry = [
    0x1a,
    1,
    120,
    0xfa,
    0x07,
    2,
    0xff,
    0xfe,
    0x88,
    0x08,
    0xff,
    0x01,
    0x91,
    0x08,
    ...new Array(8).fill(0xff),
    0x95,
    0x08,
    1,
    2,
    3,
    255,
  ];
  const bytes = new Uint8Array([0x0a, entry.length, ...entry]);
  assertEquals(scanRequest(bytes, "logs").items, 0);
  assertEquals(readLogs(bytes).resourceLogs.length, 1);
});

Deno.test("scanRequest() refuses what is no request", () => {
  const encoder = new TextEncoder();
  const deep = (levels: number): number[] => {
    let value: number[] = [0x0a, 1, 120];
    for (let i = 0; i < levels; i++) {
      value = [
        0x2a,
        ...length(value.length + 1 + length(value.length).length),
        0x0a,
        ...length(value.length),
        ...value,
      ];
    }
    return value;
  };
  const length = (n: number): number[] => n < 128 ? [n] : [n % 128 + 128, ...length(Math.floor(n / 128))];
  const inRecord = (field: readonly number[]): Uint8Array => {
    let bytes = [...field];
    for (const tag of [0x12, 0x12, 0x0a]) bytes = [tag, ...length(bytes.length), ...bytes];
    return new Uint8Array(bytes);
  };
  const bad: readonly Uint8Array[] = [
    ...["<html>", "{}", "x"].map((it) => encoder.encode(it)),
    ...[[0x0a, 1], [0x0a], [0x0b], [0x00, 0], [0x08, 1], [0x0d, 1, 2, 3, 4], [
      0xff,
      0xff,
      0xff,
      0xff,
      0xff,
      0xff,
      0xff,
      0xff,
      0xff,
      0xff,
      1,
    ]].map((it) => new Uint8Array(it)),
    // A log record with: a varint body, a cut time, bad UTF-8, UTF-8 cut at its end, an attribute past its end.
    inRecord([0x28, 1]),
    inRecord([0x09, 1, 2, 3]),
    inRecord([0x1a, 2, 0xc3, 0x28]),
    inRecord([0x1a, 1, 0xc3]),
    inRecord([0x32, 7, 0x0a, 1, 107, 0x12, 3, 0x0a, 1]),
    inRecord([0x2a, ...length(deep(60).length), ...deep(60)]),
  ];
  for (const bytes of bad) assertThrows(() => scanRequest(bytes, "logs"), SyntaxError);
  scanRequest(inRecord([0x2a, ...length(deep(20).length), ...deep(20)]), "logs");
});

for (const [signal, sample] of [["logs", logs(2)], ["traces", spans(2)], ["metrics", metrics(1)]] as const) {
  Deno.test(`10,000 mutations of ${signal}: what scanRequest() passes, completed, is valid protobuf`, () => {
    const completion = new ResourceCompletion(HOST);
    const seen = { passed: 0, refused: 0 };
    for (const bytes of mutations(sample, { count: 10_000, seed: 4318 })) {
      try {
        scanRequest(bytes, signal);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        seen.refused++;
        continue;
      }
      seen.passed++;
      READ[signal](joined(completion.complete(bytes)));
    }
    // Both must occur often, or the test tests nothing.
    assertEquals([seen.passed > 500, seen.refused > 500], [true, true]);
  });
}
