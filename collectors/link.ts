/**
 * Network links: up or down, how fast, and how often the carrier was lost. Their files belong to single devices, so
 * a device that appears after start cannot be read and is named as omitted. Reading `speed` waits for a lock of
 * the network stack, hence all of it happens beside the cycle. Kernel: Documentation/ABI/testing/sysfs-class-net.
 *
 *     /sys/class/net/eth0/{operstate: up, speed: 1000, carrier_changes: 2}
 * @module
 */
import type { Collector, FileReader, Host, Prepared, Recorder } from "./collector.ts";
import { matcher } from "./glob.ts";
import { type Descriptor, type Series, series } from "./metric.ts";
import { netFolder } from "./net_text.ts";
import { INTERFACES_MAX, NETWORK_EXCLUDE } from "./network_interfaces.ts";
import type { NetworkOptions } from "./network.ts";
import { SlowRead } from "./slow_read.ts";
import { quote, unsigned, wholeValue } from "./text.ts";

const up: Descriptor = {
  name: "hw.network.up",
  kind: "sum",
  monotonic: false,
  unit: "1",
  valueType: "int",
  description: "1 while the link can carry data, else 0",
  source: "/sys/class/net/<name>/operstate: up and unknown count as up",
};
const bandwidth: Descriptor = {
  name: "hw.network.bandwidth.limit",
  kind: "sum",
  monotonic: false,
  unit: "By/s",
  valueType: "int",
  description: "Speed of the link",
  source: "/sys/class/net/<name>/speed, Mbit/s * 125000; absent where the driver does not know",
};
const carrierChanges: Descriptor = {
  name: "system.network.linux.carrier_changes",
  kind: "sum",
  monotonic: true,
  unit: "{change}",
  valueType: "int",
  description: "Times the link came up or went down",
  source: "/sys/class/net/<name>/carrier_changes",
};

const REFRESH_MS = 10_000;
const LIMIT_MS = 1000;
const BYTES_PER_MEGABIT = 125_000;

/** One interface with the last text of its files. */
interface Link {
  readonly files: readonly (readonly [path: string, text: SlowRead<string>])[];
  readonly up: Series;
  readonly bandwidth: Series;
  readonly carrierChanges: Series;
}

function openLink(name: string): Link {
  const attributes = { "hw.id": name, "hw.name": name };
  const file = (field: string) => [`/sys/class/net/${name}/${field}`, new SlowRead<string>()] as const;
  return {
    files: [file("operstate"), file("speed"), file("carrier_changes")],
    up: series(up, attributes),
    bandwidth: series(bandwidth, attributes),
    carrierChanges: series(carrierChanges, { "network.interface.name": name }),
  };
}

function addLink(link: Link, out: Recorder): void {
  const [state, speedText, changesText] = link.files.map(([, read]) => wholeValue(read.value));
  // Drivers of virtual devices never report a state; the kernel asks to treat them as usable.
  if (state !== undefined) out.add(link.up, state === "up" || state === "unknown" ? 1 : 0);
  // -1 and 4294967295 stand for "unknown" and do not pass as plain numbers within reason.
  const speed = unsigned(speedText);
  if (typeof speed === "number" && speed > 0 && speed < 0xffffffff) {
    out.add(link.bandwidth, speed * BYTES_PER_MEGABIT);
  }
  const changes = unsigned(changesText);
  if (changes !== undefined) out.add(link.carrierChanges, changes);
  else if (changesText !== undefined) {
    out.fault(`Cannot parse carrier changes ${quote(changesText)}: not a number`);
  }
}

const NAMES = /^ *([^:\n]+):/gm;

/** Interfaces that were not opened at start: it is too late now. */
function omitNewcomers(text: string, known: (name: string) => boolean, out: Recorder): void {
  for (const [, name] of text.matchAll(NAMES)) {
    if (name === undefined || known(name)) continue;
    out.omit(
      `hw.network.* of ${name}`,
      "the interface was not there or excluded at start, and no file can be opened since",
    );
  }
}

/** Names to report of a host, and how many the limit leaves out. */
function linkNames(
  host: Host,
  isExcluded: (name: string) => boolean,
): readonly [names: string[], left: string[]] {
  const names = host.list("/sys/class/net").filter((name) =>
    !isExcluded(name) && host.exists(`/sys/class/net/${name}/operstate`)
  );
  return [names.slice(0, INTERFACES_MAX), names.slice(INTERFACES_MAX)];
}

/** Links of the host, except those of excluded interfaces. */
export function link(options: NetworkOptions = {}): Collector {
  const patterns = () => options.networkExclude ?? NETWORK_EXCLUDE;
  return {
    name: "link",
    descriptors: [up, bandwidth, carrierChanges],
    prepare(host): Prepared {
      let exclude = patterns();
      let isExcluded = matcher(exclude);
      const [names, left] = linkNames(host, isExcluded);
      const links = new Map(names.map((name) => [name, openLink(name)]));
      const files = [...links.values()].flatMap((one) => one.files);
      const isKnown = (name: string) => links.has(name) || left.includes(name) || isExcluded(name);
      return {
        files: [`${netFolder(host)}/dev`],
        slowFiles: files.map(([path]) => path),
        refreshMs: REFRESH_MS,
        refresh: async (read: FileReader) => {
          for (const [path, text] of files) await text.ask(() => read(path), LIMIT_MS);
        },
        collect([table], out) {
          if (exclude !== patterns()) isExcluded = matcher(exclude = patterns());
          for (const [name, one] of links) {
            if (!isExcluded(name)) addLink(one, out);
          }
          if (left.length > 0) {
            out.omit("hw.network.*", `${left.length} interfaces above the limit of ${INTERFACES_MAX}`);
          }
          if (table !== undefined) omitNewcomers(table, isKnown, out);
        },
      };
    },
  };
}
