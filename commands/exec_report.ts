/**
 * What `sonde exec` tells about a job that has ended: a span, a duration, an outcome, the time of the last success, and
 * the end of its output where it is wanted (semantic conventions: CLI programs). Loaded while the job runs.
 * @module
 */
import type { MeasuredAttributes, Measurement } from "../exporters/measurement.ts";
import { encodeOneShot } from "../exporters/one_shot.ts";
import type { GaugeData, LogRecordData, SpanData } from "../exporters/otlp_data.ts";
import type { DeliveryReport } from "../exporters/report.ts";
import { recordedAs, recordedMetrics } from "../exporters/series.ts";
import { VERSION } from "./build.ts";
import type { Outlet } from "./outlet.ts";

/** How a job ended. */
export type JobEnd =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "killed"; readonly signal: string; readonly code: number }
  | { readonly kind: "timeout"; readonly code: 124 }
  /** It never began: 126 or 127. */
  | { readonly kind: "absent"; readonly code: number; readonly why: string };

/** A job as it was. Times are nanoseconds since 1970. */
export interface Job {
  /** `--name`, else the program's. */
  readonly name: string;
  readonly program: string;
  readonly pid: number | undefined;
  readonly startNs: bigint;
  readonly endNs: bigint;
  /** By the monotonic clock: a step of the wall clock is no duration. */
  readonly durationMs: number;
  readonly end: JobEnd;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly flags: number;
  /** The end of its output; absent when it is not wanted. */
  readonly tail: string | undefined;
}

/** Upper bounds of durations, seconds: from a blink to a day. */
const BOUNDS: readonly number[] = [
  ...[0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 14_400, 43_200, 86_400],
];
const SEVERITIES = { failure: [17, "ERROR"], success: [9, "INFO"] } as const;

/** "success", or what was wrong in one word. */
export function outcomeOf({ kind, code }: JobEnd): "success" | "failure" | "killed" | "timeout" | "absent" {
  if (kind === "exited") return code === 0 ? "success" : "failure";
  return kind;
}

function errorTypeOf(end: JobEnd): string | undefined {
  switch (end.kind) {
    case "exited":
      return end.code === 0 ? undefined : String(end.code);
    case "killed":
      return end.signal;
    case "timeout":
      return "timeout";
    case "absent":
      return end.code === 127 ? "not_found" : "not_executable";
  }
}

function messageOf(end: JobEnd): string {
  switch (end.kind) {
    case "exited":
      return `exit code ${end.code}`;
    case "killed":
      return `killed by ${end.signal}`;
    case "timeout":
      return "took too long";
    case "absent":
      return end.why;
  }
}

function jobAttributes({ name, end }: Job): MeasuredAttributes {
  return { "sonde.job.name": name, "sonde.job.outcome": outcomeOf(end) };
}

/** The job's span. */
export function spanOf(job: Job): SpanData {
  const { name, program, pid, end, startNs, endNs, traceId, spanId, parentSpanId, flags } = job;
  const errorType = errorTypeOf(end);
  return {
    ...{ traceId, spanId, name, startNs, endNs, flags },
    ...(parentSpanId !== undefined && { parentSpanId }),
    attributes: {
      ...jobAttributes(job),
      "process.executable.name": program,
      ...(pid !== undefined && { "process.pid": pid }),
      ...(end.kind !== "killed" && { "process.exit.code": end.code }),
      ...(errorType !== undefined && { "error.type": errorType }),
    },
    ...(errorType !== undefined && { status: { code: "error", message: messageOf(end) } }),
  };
}

/** The end of its output, in the trace of its span. */
export function recordsOf(job: Job): LogRecordData[] {
  const { tail, end, endNs, traceId, spanId, flags } = job;
  if (tail === undefined || tail === "") return [];
  const [severity, severityText] = SEVERITIES[outcomeOf(end) === "success" ? "success" : "failure"];
  const attributes = { ...jobAttributes(job), "process.exit.code": end.code };
  const record = { timeNs: endNs, observedNs: endNs, severity, severityText, attributes };
  return [{ ...record, traceId, spanId, flags, body: tail }];
}

/** Its duration and its outcome, to be added to the job's series. */
export function measurementsOf(job: Job): Measurement[] {
  const attributes = jobAttributes(job);
  return [
    {
      ...{ kind: "histogram", name: "sonde.job.duration", unit: "s", bounds: BOUNDS, count: 1, attributes },
      description: "How long a job took",
      values: [job.durationMs / 1_000],
    },
    {
      ...{ kind: "counter", name: "sonde.job.runs", unit: "{run}", count: 1, attributes },
      description: "Runs of a job by how they ended",
      values: [1],
    },
  ];
}

/** When it succeeded; nothing when it did not, so that the last time stays the last time. */
export function lastSuccessOf({ name, end, endNs }: Job): GaugeData[] {
  if (outcomeOf(end) !== "success") return [];
  const value = Number(endNs / 1_000_000n) / 1_000;
  return [{
    ...{ kind: "gauge", name: "sonde.job.last_success", unit: "s", valueType: "double" },
    description: "When a job last succeeded, seconds since 1970",
    points: [{ attributes: { "sonde.job.name": name }, timeNs: endNs, value }],
  }];
}

/** Delivers a job's data or leaves it where it will be delivered from. `deadlineMs`: until this must be done. */
export async function reportJob(
  job: Job,
  outlet: Outlet,
  deadlineMs: number,
): Promise<DeliveryReport> {
  const begunMs = performance.now();
  const measurements = measurementsOf(job);
  const rows = await outlet.record(measurements);
  const recorded = recordedAs(measurements, rows);
  let count = 0;
  const batches = await encodeOneShot(
    {
      resource: outlet.resource,
      scope: { name: "sonde", version: VERSION },
      metrics: (temporality) => [...recordedMetrics(recorded, temporality), ...lastSuccessOf(job)],
      logs: recordsOf(job),
      spans: [spanOf(job)],
    },
    outlet.lanes,
    () => ++count,
  );
  const left = Math.max(0, begunMs + deadlineMs - performance.now());
  return await outlet.deliver(batches, { deadlineMs: left, final: true, isLeft: true });
}
