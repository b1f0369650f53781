/**
 * Pressure stall information: how long tasks waited for CPU, memory, disks or interrupts. Kernel:
 * Documentation/accounting/psi.rst. Files are absent without PSI and unreadable until it is switched on
 * (host-metrics P30); the irq file has no "some", and "full" of cpu is always 0 for the whole system.
 *
 *     some avg10=1.21 avg60=1.43 avg300=0.85 total=8023529
 * @module
 */
import type { Collector, Host, Prepared, Recorder } from "./collector.ts";
import { type Descriptor, type Series, series } from "./metric.ts";
import { count, decimal, quote, wordAfter } from "./text.ts";

const FOLDER = "/proc/pressure";
const RESOURCES = ["cpu", "memory", "io", "irq"] as const;
type Resource = typeof RESOURCES[number];

const MICROSECONDS_PER_SECOND = 1e6;
const PERCENT = 100;

/** The averages the kernel keeps: their key in the file and what they are called here. */
const WINDOWS = [
  { key: "avg10", name: "10s" },
  { key: "avg60", name: "1m" },
  { key: "avg300", name: "5m" },
] as const;

/** A file of stall times: whose they are, where it is, and which of its two lines say something. */
export interface PressurePlace {
  /** "system" or "container". */
  readonly area: string;
  readonly resource: Resource;
  readonly stallTypes: readonly ("some" | "full")[];
  /** As a person would name the file. */
  readonly source: string;
}

function totalOf({ area, resource, source }: PressurePlace): Descriptor {
  return {
    name: `${area}.${resource}.linux.pressure.total`,
    kind: "sum",
    monotonic: true,
    unit: "s",
    valueType: "double",
    description: `Time in which some or all busy tasks waited for ${resource}`,
    source: `${source}, total, us / 1e6`,
  };
}

function averageOf({ area, resource, source }: PressurePlace, window: typeof WINDOWS[number]): Descriptor {
  return {
    name: `${area}.${resource}.linux.pressure.${window.name}`,
    kind: "gauge",
    unit: "1",
    valueType: "double",
    description: `Share of the last ${window.name} in which some or all busy tasks waited for ${resource}`,
    source: `${source}, ${window.key} / 100`,
    on: false,
  };
}

/** One line of a file: who stalls, and the series of its figures. */
interface Stall {
  readonly label: string;
  readonly total: Series;
  readonly averages: readonly { readonly label: string; readonly one: Series }[];
}

/** How a file is read. */
export interface PressureFile {
  readonly descriptors: readonly Descriptor[];
  readonly stalls: readonly Stall[];
}

/** Makes the metrics and series of a file. */
export function pressureFile(place: PressurePlace): PressureFile {
  const total = totalOf(place);
  const averages = WINDOWS.map((window) => ({
    label: ` ${window.key}=`,
    descriptor: averageOf(place, window),
  }));
  const stalls = place.stallTypes.map((type) => {
    const attributes = { "system.linux.pressure.stall_type": type };
    return {
      label: `\n${type} `,
      total: series(total, attributes),
      averages: averages.map(({ label, descriptor }) => ({ label, one: series(descriptor, attributes) })),
    };
  });
  const descriptors = [total, ...averages.map(({ descriptor }) => descriptor)];
  return { descriptors, stalls };
}

const STALL_TYPES = {
  cpu: ["some"],
  memory: ["some", "full"],
  io: ["some", "full"],
  irq: ["full"],
} as const;

const FILES = RESOURCES.map((resource) => {
  const path = `${FOLDER}/${resource}`;
  const stallTypes = STALL_TYPES[resource];
  return { path, ...pressureFile({ area: "system", resource, stallTypes, source: path }) };
});

/** Adds what a file says. */
export function collectPressure(
  { path, stalls }: PressureFile & { readonly path: string },
  content: string,
  out: Recorder,
): void {
  const text = "\n" + content;
  for (const { label, total, averages } of stalls) {
    const at = text.indexOf(label);
    const end = text.indexOf("\n", at + label.length);
    const line = at < 0 ? "" : text.slice(at, end < 0 ? undefined : end + 1);
    const microseconds = count(wordAfter(line, " total="));
    if (microseconds === undefined) {
      out.fault(
        `Cannot parse "${path}": ${quote(line.trim())}, expected${label.trimEnd()} … total=`.replace(
          "\n",
          " ",
        ),
      );
    } else out.add(total, microseconds / MICROSECONDS_PER_SECOND);
    for (const average of averages) {
      if (!out.wants(average.one)) continue;
      const percent = decimal(wordAfter(line, average.label));
      if (percent !== undefined) out.add(average.one, percent / PERCENT);
    }
  }
}

/** True when the file is there and the kernel refuses to read it, as it does until PSI is switched on at boot. */
const isOff = ({ path }: { readonly path: string }, host: Host): boolean =>
  host.exists(path) && host.read(path) === undefined;

/** Pressure stall totals and averages. */
export const pressure: Collector = {
  name: "pressure",
  descriptors: FILES.flatMap((file) => file.descriptors),
  prepare(host): Prepared {
    const off = FILES.filter((file) => isOff(file, host));
    const files = FILES.filter((file) => !off.includes(file));
    return {
      files: files.map((file) => file.path),
      collect(texts, out) {
        for (const [at, file] of files.entries()) {
          const text = texts[at];
          if (text !== undefined) collectPressure(file, text, out);
        }
        for (const { path } of off) {
          out.omit(path, "pressure stall information is switched off (kernel parameter psi=1)");
        }
      },
    };
  },
};
