/**
 * The two unions that cross the port between sensor and courier, and nothing else.
 * @module
 */
import type { BatchMessage, Encoding, Signal } from "./batch.ts";
import type { LaneConfig } from "./lane_config.ts";
import type { NotifySocket } from "./notify.ts";
import type { Probe } from "./probe.ts";
import type { DeliveryReport, LaneLeft } from "./report.ts";
import type { SpoolOrder, SpoolOrderResult } from "./spool_order.ts";

/** What the courier is started with. */
export interface CourierStart {
  readonly type: "start";
  /** `sonde/1.2.3`, put in front of the exporter's own User-Agent. */
  readonly product: string;
  readonly lanes: readonly LaneConfig[];
  readonly queueBytesMax: number;
  /** The installation's id, for lanes that send one. */
  readonly agentId?: string;
  readonly spool?: {
    readonly mode: "auto" | "always";
    /** `STATE/spool`; the courier's only folder. */
    readonly path: string;
    readonly bytesMax: number;
    /** One-shot verbs: where another process holds the lock, what is left at the end goes to the inbox, under this name. */
    readonly leftover?: string;
  };
  /** Other senders (receiver, control socket): each port speaks `BatchMessage`. */
  readonly ports: readonly MessagePort[];
  /** Present when an OpAMP session is to be hosted: it speaks config/opamp_port.ts. */
  readonly opamp?: MessagePort;
  /** Present when a service manager wants to know how this process is. */
  readonly notify?: NotifySocket;
}

/** Tell the service manager. */
export interface CourierNotify {
  readonly type: "notify";
  /** Lines of sd_notify(3). */
  readonly state: string;
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
  /** True: nothing is tried twice (`exec`, whose job is not to wait). */
  readonly hasty?: boolean;
}

/** Something an operator asks of the spool. */
export interface CourierOrder {
  readonly type: "order";
  readonly id: number;
  readonly order: SpoolOrder;
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

/** Read one of the files that the read list names, for a reload. */
export interface CourierRead {
  readonly type: "read";
  readonly id: number;
  readonly path: string;
}

/** Give the account as it is now. */
export interface CourierAccount {
  readonly type: "account";
  readonly id: number;
}

/** Tell of every attempt, or stop telling (`tap`). */
export interface CourierTap {
  readonly type: "tap";
  readonly isOn: boolean;
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
  | CourierNotify
  | CourierOrder
  | CourierProbe
  | CourierRenew
  | CourierDisk
  | CourierRead
  | CourierAccount
  | CourierTap;

/** One attempt as it left, with what the backend made of it. */
export interface Posted {
  readonly destination: string;
  readonly signal: Signal;
  readonly encoding: Encoding;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly gzipped: boolean;
  /** "accepted", else the cause of outcome.ts. */
  readonly outcome: string;
  readonly status?: number;
  /** Refused in part. */
  readonly rejected: number;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
}

/** What decides whether a file may be trusted. */
export interface ReadFacts {
  readonly isFile: boolean;
  readonly mode: number;
  readonly uid: number;
}

/** A file as the courier found it. */
export type FileRead =
  | { readonly text: string; readonly facts: ReadFacts; readonly fault?: never }
  | { readonly fault: string; readonly text?: never };

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
  | { readonly type: "read"; readonly id: number; readonly file: FileRead }
  | { readonly type: "posted"; readonly posted: Posted }
  | { readonly type: "account"; readonly id: number; readonly report: DeliveryReport }
  | {
    readonly type: "flushed";
    readonly id: number;
    readonly report: DeliveryReport;
    readonly left: readonly LaneLeft[];
  }
  | {
    readonly type: "ordered";
    readonly id: number;
    readonly result: SpoolOrderResult;
    readonly report: DeliveryReport;
  }
  | { readonly type: "probed"; readonly id: number; readonly probes: readonly Probe[] };
