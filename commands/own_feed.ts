/**
 * What sonde sends about itself to where an OpAMP server says (opamp 3.8): its own metrics of each cycle, and its log
 * lines since the one before. Both become batches here; the courier delivers them beside the operator's lanes.
 * @module
 */
import type { Attributes, Snapshot } from "../collectors/metric.ts";
import type { LogFields, LogLevel } from "../config/log.ts";
import type { OwnReport } from "../config/opamp_port.ts";
import type { BatchMessage } from "../exporters/batch.ts";
import { nanoseconds } from "../exporters/clock.ts";
import { batchOf } from "../exporters/encoder.ts";
import type { FanOut } from "../exporters/fan_out.ts";
import type { LaneConfig } from "../exporters/lane_config.ts";
import type { LogRecordData } from "../exporters/otlp_data.ts";
import { encodeLogs } from "../exporters/otlp_logs.ts";
import { VERSION } from "./build.ts";
import { openFanOut } from "./delivery.ts";
import { isOwn } from "./own_points.ts";

/** What a feed is made of. */
export interface FeedParts {
  readonly send: (batch: BatchMessage) => void;
  /** As it is now. */
  readonly resource: () => Attributes;
  readonly bootId: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Lines between two cycles; more are dropped, the oldest first. */
const LINES_MAX = 256;
/** OTLP's number and word for each level. */
const SEVERITY: Readonly<Record<LogLevel, readonly [number, string]>> = {
  error: [17, "ERROR"],
  warn: [13, "WARN"],
  info: [9, "INFO"],
  debug: [5, "DEBUG"],
};

/** The sensor's part of own telemetry. */
export class OwnFeed {
  readonly #parts: FeedParts;
  readonly #scope = { name: "sonde", version: VERSION };
  #fanOut: FanOut | undefined;
  #logs: LaneConfig | undefined;
  #lines: LogRecordData[] = [];
  #dropped = 0;
  #sequence = 0;

  constructor(parts: FeedParts) {
    this.#parts = parts;
  }

  /** Makes batches for these lanes from now on; without any, it forgets what it holds. */
  async follow(lanes: readonly LaneConfig[]): Promise<void> {
    this.#logs = lanes.find(({ signal }) => signal === "logs");
    if (this.#logs === undefined) this.#lines = [];
    const { bootId, now, send } = this.#parts;
    const metrics = lanes.filter(({ signal }) => signal === "metrics");
    const startedNs = nanoseconds(now());
    this.#fanOut = metrics.length === 0
      ? undefined
      : await openFanOut(metrics, { bootId, startedNs, baselines: [], send });
  }

  /** Takes a line that was written. */
  line(level: LogLevel, event: string, fields: LogFields): void {
    if (this.#logs === undefined) return;
    const timeNs = nanoseconds(this.#parts.now());
    const [severity, severityText] = SEVERITY[level];
    const attributes = Object.fromEntries(
      Object.entries(fields).flatMap(([key, value]) => value === undefined ? [] : [[key, value]]),
    );
    this.#lines.push({ timeNs, observedNs: timeNs, severity, severityText, body: event, attributes });
    if (this.#lines.length <= LINES_MAX) return;
    this.#lines.shift();
    this.#dropped++;
  }

  /** After each cycle. */
  cycle(snapshot: Snapshot): void {
    this.#fanOut?.deliver(this.#parts.resource(), { ...snapshot, points: snapshot.points.filter(isOwn) });
    this.flush();
  }

  /** Hands over the lines that wait. */
  flush(): void {
    if (this.#logs === undefined || this.#lines.length === 0) return;
    const lane = this.#logs;
    const lines = this.#lines;
    this.#lines = [];
    const head = { resource: this.#parts.resource(), scope: this.#scope };
    const { batches } = encodeLogs(lines, head, lane);
    for (const encoded of batches) {
      const sequence = ++this.#sequence;
      this.#parts.send(batchOf(encoded, { origin: "sensor", lanes: [lane], sequence }));
    }
  }

  /** The courier's account with what never reached it. */
  account(reports: readonly OwnReport[]): readonly OwnReport[] {
    return reports.map((report) => {
      if (report.signal !== "logs" || this.#dropped === 0) return report;
      const { produced, dropped } = report;
      const queue_full = (dropped["queue_full"] ?? 0) + this.#dropped;
      return { ...report, produced: produced + this.#dropped, dropped: { ...dropped, queue_full } };
    });
  }
}
