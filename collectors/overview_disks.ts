/**
 * Disks of the overview: each device, and one total without attributes. The total counts no byte twice (a device
 * that stands on others is left out, V26) and does not fall when a disk goes: what it has done stays in the total.
 * @module
 */
import type { Host, Recorder } from "./collector.ts";
import { DiskChoice } from "./disk_choice.ts";
import { READS, SECTOR, WRITES } from "./disk_metrics.ts";
import { type Series, series, type Sum } from "./metric.ts";
import { count, fields, wholeLines } from "./text.ts";

const DISKSTATS = "/proc/diskstats";
const READ_SECTORS = 5;
const WRITTEN_SECTORS = 9;
/** Disks reported at most (host-metrics P36). */
const DISKS_MAX = 256;

/** What is counted: the name behind the prefix, the 0-based column, and bytes or operations a unit. */
const COUNTS = [
  { name: "disk_read_bytes_total", column: READ_SECTORS, scale: SECTOR, what: "Bytes read" },
  { name: "disk_write_bytes_total", column: WRITTEN_SECTORS, scale: SECTOR, what: "Bytes written" },
  { name: "disk_reads_total", column: READS, scale: 1, what: "Reads completed" },
  { name: "disk_writes_total", column: WRITES, scale: 1, what: "Writes completed" },
] as const;

/** The four counters; each has a series per device and one without attributes. */
export function overviewDiskDescriptors(prefix: string): readonly Sum[] {
  return COUNTS.map(({ name, column, scale, what }): Sum => ({
    name: `${prefix}${name}`,
    kind: "sum",
    monotonic: true,
    unit: scale === 1 ? "count" : "bytes",
    valueType: "int",
    description: `${what}, by device; without a device: by all that stand on no other`,
    source: `${DISKSTATS}, column ${column + 1}${scale === 1 ? "" : ` * ${scale}`}`,
  }));
}

/** A disk as it was last seen. */
interface Seen {
  readonly series: readonly Series[];
  readonly isStacked: boolean;
  values: readonly number[];
}

/** The disks of one host, from cycle to cycle. */
export class OverviewDisks {
  readonly #descriptors: readonly Sum[];
  readonly #host: Host;
  readonly #choice: DiskChoice;
  readonly #stacked: ReadonlySet<string>;
  readonly #totals: readonly Series[];
  readonly #seen = new Map<string, Seen>();
  /** What disks that are gone, or began anew, had counted. */
  readonly #past: number[] = COUNTS.map(() => 0);

  constructor(descriptors: readonly Sum[], host: Host) {
    this.#descriptors = descriptors;
    this.#host = host;
    this.#choice = new DiskChoice(host);
    this.#totals = descriptors.map((each) => series(each));
    const names = host.list("/sys/block");
    this.#stacked = new Set(names.filter((name) => this.#host.list(`/sys/block/${name}/slaves`).length > 0));
  }

  collect(diskstats: string, exclude: readonly string[], out: Recorder): void {
    this.#choice.exclude(exclude);
    const rows = wholeLines(diskstats).map(fields);
    const names = new Set(rows.map((row) => row[2]));
    const present = new Set<string>();
    for (const row of rows) {
      const name = row[2];
      if (name === undefined || !this.#choice.takes(name, Number(row[0]), (each) => names.has(each))) {
        continue;
      }
      const values = COUNTS.map(({ column, scale }) => (count(row[column]) ?? NaN) * scale);
      if (values.some(Number.isNaN)) {
        out.fault(`Cannot parse "${DISKSTATS}": columns of "${name}" are no numbers`);
        continue;
      }
      if (present.size >= DISKS_MAX) break;
      present.add(name);
      this.#see(name, values);
    }
    this.#addAll(present, out);
  }

  #see(name: string, values: readonly number[]): void {
    const seen = this.#seen.get(name);
    if (seen !== undefined) {
      for (const [at, value] of values.entries()) if (value < (seen.values[at] ?? 0)) this.#retire(seen, at);
      seen.values = values;
      return;
    }
    const isStacked = this.#stacked.has(name) || /^(?:dm-|md)\d/.test(name);
    const own = this.#descriptors.map((each) => series(each, { device: name }));
    this.#seen.set(name, { series: own, isStacked, values });
  }

  #retire({ isStacked, values }: Seen, at: number): void {
    if (!isStacked) this.#past[at] = (this.#past[at] ?? 0) + (values[at] ?? 0);
  }

  #addAll(present: ReadonlySet<string>, out: Recorder): void {
    const totals = [...this.#past];
    for (const [name, seen] of this.#seen) {
      if (!present.has(name)) {
        for (const at of COUNTS.keys()) {
          this.#retire(seen, at);
          if (!seen.isStacked) totals[at] = (totals[at] ?? 0) + (seen.values[at] ?? 0);
        }
        this.#seen.delete(name);
        continue;
      }
      for (const [at, value] of seen.values.entries()) {
        const one = seen.series[at];
        if (one !== undefined) out.add(one, value);
        if (!seen.isStacked) totals[at] = (totals[at] ?? 0) + value;
      }
    }
    for (const [at, total] of totals.entries()) {
      const one = this.#totals[at];
      if (one !== undefined && this.#seen.size > 0) out.add(one, total);
    }
  }
}
