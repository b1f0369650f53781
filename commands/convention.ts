/**
 * Which metrics the semantic conventions know, and where they describe them: release 1.44.0, the one all names are
 * pinned to. Everything else is the Collector's or sonde's own (host-metrics 1.2 and 2).
 * @module
 */

const SITE = "https://opentelemetry.io/docs/specs/semconv";

/** Pages with the names each of them describes; "*" stands for the rest of a name. */
const PAGES: readonly (readonly [page: string, names: readonly string[]])[] = [
  ["system/system-metrics", [
    ...["system.cpu.time", "system.cpu.utilization", "system.cpu.logical.count", "system.cpu.physical.count"],
    ...["system.cpu.frequency", "system.memory.usage", "system.memory.utilization", "system.memory.limit"],
    ...["system.memory.linux.available", "system.memory.linux.shared", "system.memory.linux.slab.usage"],
    ...["system.memory.linux.hugepages.*", "system.disk.io", "system.disk.operations", "system.disk.merged"],
    ...["system.disk.operation_time", "system.disk.io_time", "system.disk.limit", "system.filesystem.usage"],
    ...["system.filesystem.utilization", "system.filesystem.limit", "system.network.io"],
    ...["system.network.packet.count", "system.network.errors", "system.network.packet.dropped"],
    ...["system.network.connection.count", "system.paging.usage", "system.paging.utilization"],
    ...["system.paging.operations", "system.paging.faults", "system.process.created", "system.process.count"],
    ...["system.process.limit", "system.uptime"],
  ]],
  ["system/process-metrics", ["process.*"]],
  ["system/container-metrics", [
    ...["container.cpu.time", "container.memory.usage", "container.memory.working_set"],
    "container.memory.available",
  ]],
  ["otel/sdk-metrics", ["otel.sdk.*"]],
  ["hardware/battery", ["hw.battery.*"]],
  ["hardware/cpu", ["hw.cpu.*"]],
  ["hardware/fan", ["hw.fan.*"]],
  ["hardware/network", ["hw.network.*"]],
  ["hardware/physical-disk", ["hw.physical_disk.*"]],
  ["hardware/temperature", ["hw.temperature*"]],
  ["hardware/voltage", ["hw.voltage*"]],
  ["hardware/common", ["hw.*"]],
];

/** Address of a metric's description in the conventions; undefined when they do not know it. */
export function conventionOf(metric: string): string | undefined {
  const matches = (name: string) =>
    name.endsWith("*") ? metric.startsWith(name.slice(0, -1)) : name === metric;
  const page = PAGES.find(([, names]) => names.some(matches))?.[0];
  return page === undefined ? undefined : `${SITE}/${page}/#metric-${metric.replaceAll(".", "")}`;
}
