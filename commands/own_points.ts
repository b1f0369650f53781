/**
 * Which points of a cycle tell of sonde itself: the processes of the host that the operator asked for have metrics of the
 * same names.
 * @module
 */
import type { Point } from "../collectors/metric.ts";

/** True for a point about sonde's own process. */
export function isOwnProcess({ series: { descriptor: { name }, attributes } }: Point): boolean {
  return name.startsWith("process.") && !("process.executable.name" in attributes);
}

/** True for what tells of sonde: its account, how long its attempts took, and its process. */
export function isOwn(point: Point): boolean {
  const { name } = point.series.descriptor;
  return name.startsWith("sonde.") || name.startsWith("otel.sdk.") || isOwnProcess(point);
}

/** CPU time of sonde's process in seconds; undefined where the cycle does not say. Waiting for storage is none. */
export function ownCpuSeconds(points: readonly Point[]): number | undefined {
  const times = points.filter((point) =>
    point.series.descriptor.name === "process.cpu.time" && isOwnProcess(point) &&
    point.series.attributes["cpu.mode"] !== "wait" && point.ended !== true
  );
  return times.length === 0 ? undefined : times.reduce((sum, { value }) => sum + Number(value), 0);
}
