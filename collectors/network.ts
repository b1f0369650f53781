/**
 * Interface counters. The whole table is kept open, so interfaces that appear later are seen; one that is made
 * anew under an old name counts from its own start. Kernel: net/core/net-procfs.c.
 *
 *     eth0: 77741500 1851 0 2 0 0 0 0 106200 1189 0 0 0 0 0 0
 *     name: bytes packets errs drop fifo frame compressed multicast (received), the same eight (sent)
 * @module
 */
import type { Collector, Prepared, Recorder } from "./collector.ts";
import { matcher } from "./glob.ts";
import { type Attributes, type Descriptor, type Series, series } from "./metric.ts";
import { netFolder } from "./net_text.ts";
import { indexTables, InterfaceIndex, INTERFACES_MAX, NETWORK_EXCLUDE } from "./network_interfaces.ts";
import { fields, quote, unsigned, wholeLines } from "./text.ts";

type Words = readonly [name: string, unit: string, description: string, columns: string];

const counter = ([name, unit, description, columns]: Words): Descriptor => ({
  name,
  kind: "sum",
  monotonic: true,
  unit,
  valueType: "int",
  description,
  source: `/proc/net/dev: ${columns}`,
  fall: { rule: "ulong" },
});

const io = counter(["system.network.io", "By", "Bytes received and sent", "columns 1 and 9"]);
const packets = counter([
  "system.network.packet.count",
  "{packet}",
  "Packets received and sent",
  "columns 2 and 10",
]);
const errors = counter(["system.network.errors", "{error}", "Errors detected", "columns 3 and 11"]);
const dropped = counter([
  "system.network.packet.dropped",
  "{packet}",
  "Packets dropped without an error",
  "columns 4 and 12; received: dropped and missed",
]);

/** Fields of a line after its name: eight for each direction. */
const FIELDS_MIN = 16;

/** One interface's series with the field each takes. */
interface Interface {
  /** Learnt late when the index tables name it only after its counters appeared. */
  index: string | undefined;
  readonly series: readonly (readonly [at: number, series: Series])[];
}

function track(name: string, index: string | undefined): Interface {
  const of = (direction: string): Attributes => ({
    "network.interface.name": name,
    "network.io.direction": direction,
  });
  const identity = index === undefined ? name : `${name}#${index}`;
  const directions = [["receive", 0], ["transmit", 8]] as const;
  return {
    index,
    series: directions.flatMap(([direction, first]) => [
      [first, series(io, of(direction), { identity })],
      // The registry names this one's device twice, unlike its siblings (host-metrics 1.2).
      [
        first + 1,
        series(packets, { ...of(direction), "system.device": name }, { identity }),
      ],
      [first + 2, series(errors, of(direction), { identity })],
      [first + 3, series(dropped, of(direction), { identity })],
    ]),
  };
}

/** Splits at the colon: old kernels glue the first number to it (host-metrics P6). */
function splitLine(line: string): readonly [name: string, rest: string] | undefined {
  const colon = line.lastIndexOf(":");
  return colon <= 0 ? undefined : [line.slice(0, colon).trim(), line.slice(colon + 1)];
}

/** What the operator decides about interfaces; patterns are globs of their names. */
export interface NetworkOptions {
  /** Replaces the default list. */
  readonly networkExclude?: readonly string[];
}

/** The interfaces that are reported, over the cycles. */
class Interfaces {
  #patterns: readonly string[] = [];
  #isExcluded: (name: string) => boolean = () => false;
  /** Answers of the patterns; forgotten with the interface. */
  #excluded = new Map<string, boolean>();
  #tracked = new Map<string, Interface>();

  /** Takes the operator's patterns; cheap while they stay the same list. */
  exclude(patterns: readonly string[]): void {
    if (patterns === this.#patterns) return;
    this.#patterns = patterns;
    this.#isExcluded = matcher(patterns);
    this.#excluded.clear();
  }

  /** Adds the points of all lines and forgets the interfaces that have gone. */
  collect(text: string, index: InterfaceIndex, out: Recorder): void {
    const tracked = new Map<string, Interface>();
    const excluded = new Map<string, boolean>();
    const newcomers: (readonly [string, string])[] = [];
    for (const line of wholeLines(text).slice(2)) {
      const split = splitLine(line);
      if (split === undefined) {
        out.fault(`Cannot parse interface ${quote(line)}: expected a name and a colon`);
        continue;
      }
      const [name, rest] = split;
      const isExcluded = this.#excluded.get(name) ?? this.#isExcluded(name);
      excluded.set(name, isExcluded);
      if (isExcluded) continue;
      const known = this.#tracked.get(name);
      if (known === undefined) newcomers.push(split);
      else tracked.set(name, this.#collectLine(name, rest, { known, index, out }));
    }
    // Interfaces in view keep their places: the limit must not swap one set of series for another.
    for (const [name, rest] of newcomers.slice(0, Math.max(0, INTERFACES_MAX - tracked.size))) {
      tracked.set(name, this.#collectLine(name, rest, { known: undefined, index, out }));
    }
    const left = this.#countLeft(newcomers, tracked);
    if (left > 0) out.omit("network", `${left} interfaces above the limit of ${INTERFACES_MAX}`);
    this.#tracked = tracked;
    this.#excluded = excluded;
  }

  #countLeft(
    newcomers: readonly (readonly [string, string])[],
    tracked: ReadonlyMap<string, Interface>,
  ): number {
    return newcomers.filter(([name]) => !tracked.has(name)).length;
  }

  #collectLine(name: string, rest: string, { known, index, out }: {
    readonly known: Interface | undefined;
    readonly index: InterfaceIndex;
    readonly out: Recorder;
  }): Interface {
    const now = index.of(name);
    const isSame = known !== undefined &&
      (known.index === undefined || now === undefined || known.index === now);
    const one = isSame ? known : track(name, now);
    one.index ??= now;
    const values = fields(rest);
    if (values.length < FIELDS_MIN) {
      out.fault(`Cannot parse interface ${quote(name)}: ${values.length} fields, expected ${FIELDS_MIN}`);
      return one;
    }
    for (const [at, target] of one.series) {
      const value = unsigned(values[at]);
      if (value === undefined) out.fault(`Cannot parse number ${quote(values[at] ?? "")} of ${quote(name)}`);
      else out.add(target, value);
    }
    return one;
  }
}

/** Interface counters of the host, except those of excluded interfaces. */
export function network(options: NetworkOptions = {}): Collector {
  return {
    name: "network",
    descriptors: [io, packets, errors, dropped],
    prepare(host): Prepared {
      const index = new InterfaceIndex();
      const interfaces = new Interfaces();
      return {
        files: [`${netFolder(host)}/dev`, ...indexTables(host)],
        collect([text, ...tables], out) {
          if (text === undefined) return;
          index.follow(tables);
          interfaces.exclude(options.networkExclude ?? NETWORK_EXCLUDE);
          interfaces.collect(text, index, out);
        },
      };
    },
  };
}
