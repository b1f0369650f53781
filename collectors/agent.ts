/**
 * What sonde says of itself: how its collectors fare and what became of its data. The figures are handed in; for
 * every lane produced = delivered + rejected + dropped + merged + quarantined + queued (design 8).
 * @module
 */
import type { Collector, Recorder } from "./collector.ts";
import { DURATION_BOUNDS } from "./duration_bounds.ts";
import { type Attributes, type Descriptor, type Distribution, type Series, series } from "./metric.ts";

/** One lane's account as metrics need it; items are points, spans or log records. */
export interface LaneFigures {
  readonly destination: string;
  readonly signal: string;
  readonly produced: number;
  readonly delivered: number;
  readonly rejected: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly merged: number;
  readonly quarantined: number;
  readonly queued: number;
  readonly queuedBytes: number;
  readonly spoolBytes: number;
  readonly attempts: Readonly<Record<string, number>>;
  /** How long attempts took, by their end; buckets between the bounds of duration_bounds.ts, sum in seconds. */
  readonly durations: readonly {
    readonly status?: number;
    readonly errorType?: string;
    readonly bucketCounts: readonly number[];
    readonly sum: number;
  }[];
  readonly requestBytes: number;
  readonly breaker: "closed" | "open" | "half_open";
  readonly lastAcceptedMs?: number;
  readonly clockSkew?: number;
}

/** All that sonde knows about itself when a cycle begins. */
export interface AgentFigures {
  readonly collectors: readonly {
    readonly name: string;
    readonly durationMs: number;
    readonly faults: number;
  }[];
  readonly omissions: number;
  /** Points that no request could hold, by reason. */
  readonly discarded: Readonly<Record<string, number>>;
  readonly lanes: readonly LaneFigures[];
}

/** Name, unit, description and source of a metric. */
type Words = readonly [name: string, unit: string, description: string, source: string];

function described([name, unit, description, source]: Words) {
  return { name, unit, description, source };
}

const counter = (...words: Words): Descriptor => ({
  ...described(words),
  kind: "sum",
  monotonic: true,
  valueType: "int",
});
const level = (...words: Words): Descriptor => ({
  ...described(words),
  kind: "sum",
  monotonic: false,
  valueType: "int",
});
const gauge = (...words: Words): Descriptor => ({ ...described(words), kind: "gauge", valueType: "double" });

const duration: Descriptor = {
  ...gauge(
    "sonde.collector.duration",
    "s",
    "Time the collector took in the cycle before",
    "monotonic clock around read and collect",
  ),
  on: false,
};
const faults = counter(
  "sonde.collector.faults",
  "{fault}",
  "Files that could not be read and text that could not be parsed",
  "counted by the runner",
);
const omissions = level(
  "sonde.omissions",
  "{omission}",
  "Things hidden or unreadable on this host",
  "length of omitted",
);
const discarded = counter(
  "sonde.points.discarded",
  "{point}",
  "Points left out of requests: no finite number, or larger than a request may be",
  "counted by the encoders",
);
const produced = counter("sonde.delivery.produced", "{item}", "Items handed to delivery", "courier account");
const settled = counter(
  "sonde.delivery.settled",
  "{item}",
  "Items whose fate is final, by outcome and, where discarded, reason",
  "courier account: delivered, rejected, dropped, merged, quarantined",
);
const queued = level(
  "sonde.delivery.queued",
  "{item}",
  "Items waiting in memory and spool",
  "courier account",
);
const queueSize = level("sonde.delivery.queue.size", "By", "Bytes waiting in memory", "courier account");
const spoolSize = level("sonde.delivery.spool.size", "By", "Bytes waiting on disk", "courier account");
const attempts = counter("sonde.delivery.attempts", "{request}", "Requests by status", "courier account");
const attemptDuration: Descriptor = {
  ...described([
    "otel.sdk.exporter.operation.duration",
    "s",
    "How long attempts to deliver took, by status and cause",
    "monotonic clock around each attempt, counted by the courier",
  ]),
  kind: "histogram",
  valueType: "double",
  bounds: DURATION_BOUNDS,
};
const requestSize = counter(
  "sonde.delivery.request.size",
  "By",
  "Body bytes sent, compressed",
  "courier account",
);
const breaker = gauge(
  "sonde.delivery.breaker.open",
  "1",
  "1 while the circuit breaker is open, 0.5 half open, 0 closed",
  "courier account",
);
const acceptedAge = gauge(
  "sonde.delivery.accepted.age",
  "s",
  "Time since the backend last accepted something",
  "cycle time minus the last accepted answer",
);
const skew = gauge("sonde.delivery.clock.skew", "s", "Backend clock minus ours", "Date header of answers");

const BREAKER = { closed: 0, half_open: 0.5, open: 1 } as const;

/** Series are made once per combination of names, which the host's configuration bounds. */
function cached(descriptor: Descriptor, began: () => number): (attributes: Attributes) => Series {
  const known = new Map<string, Series>();
  return (attributes) => {
    const key = Object.values(attributes).join("\0");
    let found = known.get(key);
    if (found === undefined) {
      known.set(key, found = series(descriptor, attributes, { beganSeconds: began() }));
    }
    return found;
  };
}

type SeriesOf = Readonly<Record<string, (attributes: Attributes) => Series>>;

function addLane(of: SeriesOf, lane: LaneFigures, out: Recorder): void {
  const at = { "sonde.destination": lane.destination, "sonde.signal": lane.signal };
  const add = (name: string, attributes: Attributes, value: number | Distribution) => {
    const make = of[name];
    if (make !== undefined) out.add(make(attributes), value);
  };
  add("produced", at, lane.produced);
  for (const outcome of ["delivered", "rejected", "merged", "quarantined"] as const) {
    add("settled", { ...at, "sonde.outcome": outcome }, lane[outcome]);
  }
  for (const [reason, items] of Object.entries(lane.dropped)) {
    add("settled", { ...at, "sonde.outcome": "dropped", "sonde.reason": reason }, items);
  }
  for (const [status, requests] of Object.entries(lane.attempts)) {
    const isStatus = /^\d{3}$/.test(status);
    const kind = isStatus ? { "http.response.status_code": Number(status) } : { "error.type": status };
    add("attempts", { ...at, ...kind }, requests);
  }
  for (const { status, errorType, bucketCounts, sum } of lane.durations) {
    const end = {
      ...(status !== undefined && { "http.response.status_code": status }),
      ...(errorType !== undefined && { "error.type": errorType }),
    };
    add("attemptDuration", { ...at, ...end }, { counts: bucketCounts, sum });
  }
  add("queued", at, lane.queued);
  add("queueSize", at, lane.queuedBytes);
  add("spoolSize", at, lane.spoolBytes);
  add("requestSize", at, lane.requestBytes);
  add("breaker", at, BREAKER[lane.breaker]);
  if (lane.lastAcceptedMs !== undefined) {
    const age = Number(out.cycle.timeNs / 1_000_000n) - lane.lastAcceptedMs;
    add("acceptedAge", at, Math.max(0, age / 1000));
  }
  if (lane.clockSkew !== undefined) add("skew", at, lane.clockSkew);
}

/** The collector of sonde's own figures, asked for at the start of each cycle. */
export function agent(figures: () => AgentFigures): Collector {
  const metrics = {
    duration,
    faults,
    omissions,
    discarded,
    produced,
    settled,
    queued,
    queueSize,
    spoolSize,
    attempts,
    attemptDuration,
    requestSize,
    breaker,
    acceptedAge,
    skew,
  };
  return {
    name: "agent",
    descriptors: Object.values(metrics),
    prepare: () => {
      // sonde's own counts begin with it, which for them is its first cycle.
      let began = 0;
      const entries = Object.entries(metrics).map(([name, metric]) =>
        [name, cached(metric, () => began)] as const
      );
      const of = Object.fromEntries(entries);
      return {
        files: [],
        collect: (_texts, out) => {
          began ||= out.cycle.uptime ?? 0;
          const now = figures();
          for (const { name, durationMs, faults: count } of now.collectors) {
            const at = { "sonde.collector": name };
            const add = (metric: string, value: number) => {
              const make = of[metric];
              if (make !== undefined) out.add(make(at), value);
            };
            add("duration", durationMs / 1000);
            // A series per healthy collector would be a fifth of all points, all of them 0.
            if (count > 0) add("faults", count);
          }
          const omitted = of["omissions"];
          if (omitted !== undefined) out.add(omitted({}), now.omissions);
          const left = of["discarded"];
          for (const [reason, points] of Object.entries(now.discarded)) {
            if (points > 0 && left !== undefined) out.add(left({ "sonde.reason": reason }), points);
          }
          for (const lane of now.lanes) addLane(of, lane, out);
        },
      };
    },
  };
}
