/**
 * The names of all collectors, for whoever checks a configuration: it need not load what they are made of, which is
 * the larger half of the program.
 * @module
 */

/** In the order of registry.ts, which they are tested against. */
export const COLLECTOR_NAMES: readonly string[] = [
  "cpu",
  "cpu_events",
  "cpu_frequency",
  "cpu_throttle",
  "load_average",
  "memory",
  "hugepages",
  "reclaim",
  "paging",
  "disk",
  "block_size",
  "processes",
  "process_table",
  "pressure",
  "file_handles",
  "kernel",
  "sysctl",
  "uptime",
  "filesystem",
  "network",
  "link",
  "socket",
  "tcp",
  "udp",
  "ip",
  "softnet",
  "conntrack",
  "connections",
  "wireless",
  "temperature",
  "hardware",
  "power_supply",
  "storage_health",
  "redundancy",
  "container",
  "container_pressure",
  "clock",
  "process",
];
