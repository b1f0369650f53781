/**
 * The two unions that cross the port between sensor and courier, and nothing else.
 * @module
 */
import type { BatchMessage, Signal } from "./batch.ts";
import type { LaneConfig } from "./lane_config.ts";
import type { Probe } from "./probe.ts";
import type { DeliveryReport } from "./report.ts";

/** What the courier is started with. */
export interface CourierStart {
  readonly type: "start";
  /** `sonde/1.2.3`, put in front of the exporter's own User-Agent. */
  readonly product: string;
  readonly lanes: readonly LaneConfig[];
  readonly queueBytesMax: number;
  readonly spool?: {
    readonly mode: "auto" | "always";
    /** `STATE/spool`; the courier's only folder. */
    readonly path: string;
    readonly bytesMax: number;
  };
  /** Other senders (receiver, control socket): each port speaks `BatchMessage`. */
  readonly ports: readonly MessagePort[];
}

/** Deliver what is there, keep the rest, and say how it ended. */
export interface CourierFlush {
  readonly type: "flush";
  /** Matches the answer to the question. */
  readonly id: number;
  readonly deadlineMs: number;
  /** True: stop for good afterwards (seal the spool, close clients). */
  readonly final: boolean;
  /** True: what is safe on disk need not be sent; ends well before the deadline (the stop of `run`). */
  readonly brief?: boolean;
}

/** Try what must not be possible, and tell (probe.ts). */
export interface CourierProbe {
  readonly type: "probe";
  readonly id: number;
}

/** Renewed headers, certificates or proxy of lanes that keep their URL (SIGHUP, `reload`). */
export interface CourierRenew {
  readonly type: "renew";
  readonly lanes: readonly LaneConfig[];
}

/** Room on the state directory's filesystem, which the courier may not ask for itself. */
export interface CourierDisk {
  readonly type: "disk";
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export type ToCourier =
  | CourierStart
  | BatchMessage
  | CourierFlush
  | CourierProbe
  | CourierRenew
  | CourierDisk;

/** Sent once, when ports are attached and the spool is open. */
export interface CourierReady {
  readonly type: "ready";
  readonly notes: readonly LogRecord[];
  /** Delta lanes: the ledger state of the last batch that was kept, from the spool (otlp M13). */
  readonly baselines?: readonly LaneBaseline[];
}

/** Where a delta lane goes on. */
export interface LaneBaseline {
  readonly destination: string;
  readonly signal: Signal;
  /** As it came in `deltaBaseline`. */
  readonly baseline: string;
}

/** A line for the log: the courier has no logger of its own. */
export interface LogRecord {
  readonly level: "error" | "warn" | "info" | "debug";
  readonly event: string;
  readonly fields?: Readonly<Record<string, string | number | boolean>>;
}

export type FromCourier =
  | CourierReady
  | { readonly type: "log"; readonly record: LogRecord }
  /** Sent at least every 10 s (the beat) and, at most once a second, after a change. */
  | { readonly type: "report"; readonly report: DeliveryReport }
  | { readonly type: "flushed"; readonly id: number; readonly report: DeliveryReport }
  | { readonly type: "probed"; readonly id: number; readonly probes: readonly Probe[] };
