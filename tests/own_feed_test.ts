/** What the sensor makes of itself for own telemetry: which points, how many lines, and what it is never told of. */
import { assert, assertEquals } from "@std/assert";
import { type Attributes, type Descriptor, type Point, series } from "../collectors/metric.ts";
import { OwnFeed } from "../commands/own_feed.ts";
import { ownCpuSeconds } from "../commands/own_points.ts";
import { Log } from "../config/log.ts";
import type { OwnReport } from "../config/opamp_port.ts";
import type { BatchMessage } from "../exporters/batch.ts";
import type { LaneConfig } from "../exporters/lane_config.ts";
import { decodeMetrics } from "./decoded.ts";

function laneOf(signal: "metrics" | "logs"): LaneConfig {
  return {
    ...{ destination: "opamp", signal, preset: "otlp", url: `https://own.example/v1/${signal}`, headers: {} },
    ...{ encoding: "protobuf", compression: "gzip", naming: "semconv", temporality: "cumulative" },
    ...{ timeoutMs: 1_000, batchBytesMax: 1_048_576, batchItemsMax: 1_000, maxAgeMs: 1_000 },
    transport: { caCerts: [], insecure: false },
    retry: { profile: "otlp", retryAfterMaxMs: 1_000 },
  };
}

function newFeed() {
  const sent: BatchMessage[] = [];
  const resource: { now: Attributes } = { now: { "service.instance.id": "one" } };
  const feed = new OwnFeed({
    send: (batch) => void sent.push(batch),
    resource: () => resource.now,
    bootId: "boot",
    now: () => 1_700_000_000_000,
  });
  return { feed, sent, resource };
}

function gauge(name: string, attributes: Attributes = {}): Point {
  const descriptor: Descriptor = {
    ...{ kind: "gauge", name, unit: "1", description: "", valueType: "double", source: "" },
  };
  return { series: series(descriptor, attributes), value: 1, startNs: 0n };
}

const points = [
  gauge("sonde.omissions"),
  gauge("otel.sdk.exporter.operation.duration", { "sonde.signal": "metrics" }),
  gauge("process.memory.usage"),
  gauge("process.memory.usage", { "process.executable.name": "nginx" }),
  gauge("system.memory.usage"),
];
const snapshot = { timeNs: 1_700_000_000_000_000_000n, points, omitted: [] };

Deno.test("OwnFeed sends points about sonde alone, with the identity of the moment", async () => {
  const { feed, sent, resource } = newFeed();
  feed.cycle(snapshot);
  assertEquals(sent, []);
  await feed.follow([laneOf("metrics")]);
  feed.cycle(snapshot);
  resource.now = { "service.instance.id": "two" };
  feed.cycle(snapshot);
  const decoded = await Promise.all(sent.map(({ body }) => decodeMetrics({ headers: {}, body })));
  assertEquals(decoded.map(({ resource }) => resource["service.instance.id"]), ["one", "two"]);
  assertEquals(decoded[0]?.points.map(({ name, attributes }) => [name, attributes]), [
    ["sonde.omissions", {}],
    ["otel.sdk.exporter.operation.duration", { "sonde.signal": "metrics" }],
    ["process.memory.usage", {}],
  ]);
  await feed.follow([]);
  feed.cycle(snapshot);
  assertEquals(sent.length, 2);
});

Deno.test("ownCpuSeconds() adds up what sonde's process used, not its waits nor other processes", () => {
  const time = (mode: string, more: Attributes = {}) =>
    gauge("process.cpu.time", { "cpu.mode": mode, ...more });
  const others = { "process.executable.name": "nginx" };
  assertEquals(ownCpuSeconds([time("user"), time("system"), time("wait"), time("user", others)]), 2);
  assertEquals(ownCpuSeconds([time("user", others)]), undefined);
});

Deno.test("OwnFeed keeps 256 lines between two cycles and counts the others", async () => {
  const { feed, sent } = newFeed();
  feed.line("info", "before there was anybody", {});
  await feed.follow([laneOf("logs")]);
  for (let line = 0; line < 300; line++) feed.line("warn", `line ${line}`, { line, why: undefined });
  feed.cycle(snapshot);
  feed.cycle(snapshot);
  assertEquals(sent.map(({ headers }) => headers[0]?.items), [256]);
  const text = new TextDecoder().decode(sent[0]?.body);
  assert(!text.includes("line 43") && text.includes("line 44") && !text.includes("anybody"));
  const report: OwnReport = {
    ...{ destination: "opamp", signal: "logs", endpoint: "", produced: 256, delivered: 250, rejected: 0 },
    ...{ merged: 0, quarantined: 0, queued: 0, queuedBytes: 0, spoolBytes: 0, spoolBatches: 0, inherited: 0 },
    ...{ attempts: {}, durations: [], requestBytes: 0, badResponses: 0, breaker: "closed" },
    dropped: { queue_full: 6 },
  };
  const [counted] = feed.account([report]);
  assertEquals([counted?.produced, counted?.dropped], [300, { queue_full: 50 }]);
});

Deno.test("Log tells its listener of what it writes, bounded, and not of what is said aside", () => {
  const written: string[] = [];
  const heard: unknown[] = [];
  const write = (line: string) => void written.push(line);
  const log = new Log({ level: "info", format: "text", hasTime: false, write, now: () => 0 });
  log.listen((...line) => heard.push(line));
  log.debug("too quiet");
  log.warn("two\nlines", { why: "x".repeat(600) });
  log.aside("warn", "about lines");
  log.info("after");
  assertEquals(heard, [["warn", "two lines", { why: `${"x".repeat(500)}…` }], ["info", "after", {}]]);
  assertEquals(written.length, 3);
  log.listen(undefined);
  log.info("unheard");
  assertEquals(heard.length, 2);
});
