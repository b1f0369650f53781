/**
 * Reserved huge pages: the default size from /proc/meminfo (counts of pages, not kB), other sizes from sysfs.
 *
 *     HugePages_Total:       8
 *     Hugepagesize:       2048 kB
 * @module
 */
import type { Collector, Host, Recorder } from "./collector.ts";
import { type Attributes, type Descriptor, type Series, series } from "./metric.ts";
import { count, quote, wholeValue, wordAfter } from "./text.ts";

const MEMINFO = "/proc/meminfo";
const FOLDER = "/sys/kernel/mm/hugepages";
const KIB = 1024;
const SOURCE = `${MEMINFO}, other sizes ${FOLDER}/hugepages-*kB`;

function upDown(part: string, unit: string, about: { description: string; fields: string }): Descriptor {
  return {
    name: `system.memory.linux.hugepages.${part}`,
    kind: "sum",
    monotonic: false,
    unit,
    valueType: "int",
    description: about.description,
    source: `${SOURCE}: ${about.fields}`,
  };
}

const limit = upDown("limit", "{page}", { description: "Huge pages there are", fields: "HugePages_Total" });
const reserved = upDown("reserved", "{page}", {
  description: "Huge pages promised to programs and not yet touched",
  fields: "HugePages_Rsvd",
});
const surplus = upDown("surplus", "{page}", {
  description: "Huge pages above the configured number",
  fields: "HugePages_Surp",
});
const pageSize = upDown("page_size", "By", {
  description: "Size of a huge page",
  fields: "Hugepagesize * 1024",
});
const usage = upDown("usage", "{page}", {
  description: "Huge pages by state",
  fields: "free HugePages_Free, used HugePages_Total - HugePages_Free",
});
const utilization: Descriptor = {
  name: "system.memory.linux.hugepages.utilization",
  kind: "gauge",
  unit: "1",
  valueType: "double",
  description: "Share of the huge pages by state",
  source: `${SOURCE}: each state of usage / HugePages_Total`,
};

/** What the kernel says about one size, in pages. */
interface Figures {
  readonly total: number | undefined;
  readonly free: number | undefined;
  readonly reserved: number | undefined;
  readonly surplus: number | undefined;
}

/** The series of one size; the default size has no attribute of its own. */
class HugepageSeries {
  readonly #series: (descriptor: Descriptor, state?: "free" | "used") => Series;
  readonly #known = new Map<string, Series>();

  constructor(attributes: Attributes) {
    this.#series = (descriptor, state) => {
      const key = `${descriptor.name} ${state}`;
      let one = this.#known.get(key);
      if (one === undefined) {
        const own = state === undefined ? {} : { "system.memory.linux.hugepages.state": state };
        this.#known.set(key, one = series(descriptor, { ...attributes, ...own }));
      }
      return one;
    };
  }

  add({ total, free, reserved: promised, surplus: extra }: Figures, out: Recorder): void {
    if (total !== undefined) out.add(this.#series(limit), total);
    if (promised !== undefined) out.add(this.#series(reserved), promised);
    if (extra !== undefined) out.add(this.#series(surplus), extra);
    if (free === undefined || total === undefined || free > total) return;
    for (const [state, pages] of [["free", free], ["used", total - free]] as const) {
      out.add(this.#series(usage, state), pages);
      if (total > 0) out.add(this.#series(utilization, state), pages / total);
    }
  }

  addSize(bytes: number, out: Recorder): void {
    out.add(this.#series(pageSize), bytes);
  }
}

const FILES = ["nr_hugepages", "free_hugepages", "resv_hugepages", "surplus_hugepages"];

/** kB of the sizes in sysfs, without the default one. */
function otherSizes(host: Host): number[] {
  const standard = count(wordAfter("\n" + (host.read(MEMINFO) ?? ""), "\nHugepagesize:"));
  return host.list(FOLDER)
    .map((name) => count(/^hugepages-(\d+)kB$/.exec(name)?.[1]))
    .filter((size) => size !== undefined && size !== standard)
    .map(Number);
}

function collectMeminfo(meminfo: string, all: HugepageSeries, out: Recorder): void {
  const text = "\n" + meminfo;
  const pages = (label: string): number | undefined => {
    const word = wordAfter(text, `\n${label}:`);
    const value = count(word);
    if (word !== undefined && value === undefined) {
      out.fault(`Cannot parse "${MEMINFO}": ${label} is ${quote(word)}, expected a number`);
    }
    return value;
  };
  const size = pages("Hugepagesize");
  if (size !== undefined) all.addSize(size * KIB, out);
  all.add({
    total: pages("HugePages_Total"),
    free: pages("HugePages_Free"),
    reserved: pages("HugePages_Rsvd"),
    surplus: pages("HugePages_Surp"),
  }, out);
}

/** Huge pages; opt-in. */
export const hugepages: Collector = {
  name: "hugepages",
  on: false,
  descriptors: [limit, reserved, surplus, pageSize, usage, utilization],
  prepare(host) {
    const standard = new HugepageSeries({});
    const others = otherSizes(host).map((size) => ({
      size,
      all: new HugepageSeries({ "system.memory.linux.hugepages.page_size": size * KIB }),
    }));
    return {
      files: [
        MEMINFO,
        ...others.flatMap(({ size }) => FILES.map((name) => `${FOLDER}/hugepages-${size}kB/${name}`)),
      ],
      collect([meminfo, ...texts], out) {
        if (meminfo !== undefined) collectMeminfo(meminfo, standard, out);
        for (const [at, { all }] of others.entries()) {
          const [total, free, promised, extra] = texts
            .slice(at * FILES.length, (at + 1) * FILES.length)
            .map((text) => count(wholeValue(text)));
          all.add({ total, free, reserved: promised, surplus: extra }, out);
        }
      },
    };
  },
};
