/**
 * Lanes, bodies and clocks for the delivery tests.
 * @module
 */
import type { BatchHeader } from "../exporters/batch.ts";
import { type Clock, sleep } from "../exporters/clock.ts";
import type { LaneConfig, TransportConfig } from "../exporters/lane_config.ts";

export const plainTransport: TransportConfig = { caCerts: [], insecure: false };

/** A metrics lane to `url` with short limits; `changes` replace fields. */
export function laneTo(url: string, changes: Partial<LaneConfig> = {}): LaneConfig {
  return {
    destination: "default",
    signal: "metrics",
    preset: "otlp",
    url: `${url}/v1/metrics`,
    headers: { "x-api-key": "secret-key" },
    encoding: "protobuf",
    compression: "gzip",
    timeoutMs: 10_000,
    naming: "semconv",
    temporality: "cumulative",
    batchBytesMax: 512 * 1024,
    batchItemsMax: 8192,
    maxAgeMs: 48 * 3_600_000,
    transport: plainTransport,
    retry: { profile: "otlp", retryAfterMaxMs: 300_000 },
    ...changes,
  };
}

export const realClock: Clock = { wall: Date.now, mono: () => performance.now(), random: Math.random, sleep };

/** A header for a batch of `items` whose body has `bytes` plain bytes. */
export function headerOf(sequence: number, changes: Partial<BatchHeader> = {}): BatchHeader {
  return {
    destination: "default",
    signal: "metrics",
    encoding: "protobuf",
    items: 10,
    firstTimeMs: 0,
    lastTimeMs: 0,
    sequence,
    uncompressedBytes: 100,
    ...changes,
  };
}
