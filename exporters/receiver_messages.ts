/**
 * What crosses the receiver's two ports: to and from the sensor that started it, and to and from the courier that
 * takes its batches. Nothing else is said on either.
 * @module
 */
import type { Attributes } from "../collectors/metric.ts";
import type { BatchMessage, Encoding, Signal, Temporality } from "./batch.ts";
import type { LogRecord } from "./messages.ts";
import type { Probe } from "./probe.ts";

/** What the receiver must know of a lane; a destination without a lane for a signal does not accept that signal. */
export interface ReceiverLane {
  readonly destination: string;
  readonly signal: Signal;
  /** What the courier posts there (`LaneConfig.encoding`). */
  readonly encoding: Encoding;
  /** All that the destination's row accepts, not only what sonde's own data uses. */
  readonly temporalities: readonly Temporality[];
  readonly batchBytesMax: number;
  readonly batchItemsMax: number;
}

/** Bounds of the receiver; `RECEIVER_LIMITS` has those in use. */
export interface ReceiverLimits {
  readonly connections: number;
  /** One request's body, on the wire and after decompression. */
  readonly bodyBytes: number;
  /** All bodies being read or worked on. */
  readonly bytesInFlight: number;
  /** From the first byte of a request to the end of its header. */
  readonly headMs: number;
  /** From the header to the last byte of the body. */
  readonly bodyMs: number;
  /** A connection without a request. */
  readonly idleMs: number;
  /** Writing an answer, and reading on after a refusal. */
  readonly answerMs: number;
  /** Series whose last value is remembered for delta-only rows. */
  readonly series: number;
}

export const RECEIVER_LIMITS: ReceiverLimits = {
  connections: 64,
  bodyBytes: 2_097_152,
  bytesInFlight: 3_145_728,
  headMs: 5_000,
  bodyMs: 15_000,
  idleMs: 90_000,
  answerMs: 3_000,
  series: 10_000,
};

/** What the receiver is started with. */
export interface ReceiverStart {
  readonly type: "start";
  readonly hostname: string;
  /** 0 takes a free one; `ReceiverReady` names it. */
  readonly port: number;
  /** Further names a Host header may have, for an address that is not loopback. */
  readonly hostNames: readonly string[];
  readonly destinations: readonly string[];
  readonly lanes: readonly ReceiverLane[];
  /** Added to each resource where absent: who the host is, never `service.*` of sonde itself. */
  readonly resource: Attributes;
  readonly limits: ReceiverLimits;
  /** Its far end belongs to the courier (`CourierStart.ports`). */
  readonly courierPort: MessagePort;
}

/** A metrics cycle went out: received metrics follow it. */
export interface ReceiverCycle {
  readonly type: "cycle";
}

/** Hand over what is grouped; final: stop listening first. Answered with `flushed`. */
export interface ReceiverFlush {
  readonly type: "flush";
  readonly id: number;
  readonly final: boolean;
}

/** Try what must not be possible, and tell (probe.ts). Answered with `probed`. */
export interface ReceiverProbe {
  readonly type: "probe";
  readonly id: number;
}

export type ToReceiver = ReceiverStart | ReceiverCycle | ReceiverFlush | ReceiverProbe;

/** One lane's account at the receiver, in items: taken = forwarded + dropped + grouped, at every moment. */
export interface ReceivedLaneReport {
  readonly destination: string;
  readonly signal: Signal;
  /** Items of accepted requests. */
  readonly taken: number;
  /** Handed to the courier, which counts them as produced. */
  readonly forwarded: number;
  /** By reason: "unsupported_signal", "unsupported_temporality", "series_limit", "first_value", … */
  readonly dropped: Readonly<Record<string, number>>;
  /** Waiting for their batch to be full or due. */
  readonly grouped: number;
}

/** All that happened at the port, for `status` and own metrics. */
export interface ReceiverReport {
  /** Requests answered, by status. */
  readonly requests: Readonly<Record<string, number>>;
  /** Requests and connections refused, by reason: "host", "origin", "too_large", "full", "head_timeout", … */
  readonly refused: Readonly<Record<string, number>>;
  /** Items of accepted requests, by signal. */
  readonly received: Readonly<Record<Signal, number>>;
  /** Items in requests that were answered 429 or 503: the client still has them. */
  readonly deferred: number;
  readonly lanes: readonly ReceivedLaneReport[];
  readonly connections: number;
  readonly bytesInFlight: number;
  readonly batches: number;
  /** Series remembered for delta-only rows. */
  readonly series: number;
}

export type FromReceiver =
  /** Listening. */
  | { readonly type: "ready"; readonly hostname: string; readonly port: number }
  /** It cannot listen; the sensor decides what that means. */
  | { readonly type: "failed"; readonly message: string }
  | { readonly type: "log"; readonly record: LogRecord }
  /** Sent every 10 s (the beat) and, at most once a second, after a change. */
  | { readonly type: "report"; readonly report: ReceiverReport }
  | { readonly type: "flushed"; readonly id: number; readonly report: ReceiverReport }
  | { readonly type: "probed"; readonly id: number; readonly probes: readonly Probe[] };

/**
 * From the courier: how much it can still take. It must be sent once the port is attached (until then every request
 * is answered 503), after batches of the receiver were taken, and when the room changed by more than a tenth.
 */
export interface Room {
  readonly type: "room";
  /**
   * Body bytes that fit into queue and spool now, after the batch `sequence`: a batch for two lanes counts twice.
   * 0 stops the receiver, so that programs keep their data rather than see older data dropped.
   */
  readonly bytes: number;
  /** Highest `BatchHeader.sequence` already taken from this port; 0 for none. */
  readonly sequence: number;
}

export type ToCourierPort = BatchMessage;
export type FromCourierPort = Room;
