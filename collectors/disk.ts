/**
 * Disks from /proc/diskstats. Kernels write 14, 18 or 20 columns, future ones more; what is not there is absent.
 *
 *     254 0 vda 9000 100 2050000 12500 7000 300 4100008 8000 2 3688 20500 10 5 640 30 18 7
 *     major minor name, reads merged sectors ms, writes merged sectors ms, pending busy-ms weighted-ms,
 *     discards merged sectors ms, flushes ms
 * @module
 */
import type { Collector, Prepared, Recorder } from "./collector.ts";
import { DISK_EXCLUDE, DiskChoice } from "./disk_choice.ts";
import {
  DISK_DESCRIPTORS,
  type DiskSeries,
  diskSeries,
  MS_PER_SECOND,
  READ_MS,
  READS,
  SECTOR,
  WRITE_MS,
  WRITES,
} from "./disk_metrics.ts";
import type { Series } from "./metric.ts";
import { count, fields, quote, times, unsigned, wholeLines } from "./text.ts";

const DISKSTATS = "/proc/diskstats";
/** Columns since Linux 2.6; lines with fewer are partitions of kernels before 2.6.25. */
const COLUMNS_MIN = 14;
/** Disks reported at most; more are counted as a fault (host-metrics P36). */
const DISKS_MAX = 256;

/** What the operator decides; read again in every cycle. */
export interface DiskOptions {
  /** Globs of device names to leave out. Default: loop, ram, floppy, optical and zram devices. */
  readonly diskExclude?: readonly string[];
}

/** One line, split: kept while the text of the line stays the same, as it does for idle devices. */
interface Row {
  readonly line: string;
  readonly columns: readonly string[];
  readonly name: string;
}

/** A disk as it was in the last cycle. */
interface Disk {
  row: Row;
  readonly identity: string;
  readonly series: DiskSeries;
}

/** Splits lines; undefined with a fault for what is no line of diskstats. */
function rowOf(line: string, out: Recorder): Row | undefined {
  const columns = fields(line);
  const name = columns[2];
  if (name === undefined || columns.length < COLUMNS_MIN) {
    out.fault(
      `Cannot parse "${DISKSTATS}": line has ${columns.length} fields, expected at least ${COLUMNS_MIN}: ${
        quote(line)
      }`,
    );
    return undefined;
  }
  return { line, columns, name };
}

const UPPER_HALF = 2 ** 31;

/** The disks of one host, from cycle to cycle. */
class Disks {
  readonly #choice: DiskChoice;
  readonly #is32Bit: boolean;
  readonly #known = new Map<string, Disk>();
  #rows: readonly (Row | undefined)[] = [];
  /** Tells replaced disks apart whose numbers are the same. */
  #generation = 0;

  constructor(choice: DiskChoice, is32Bit: boolean) {
    this.#choice = choice;
    this.#is32Bit = is32Bit;
  }

  collect(text: string, out: Recorder): void {
    const lines = wholeLines(text);
    this.#rows = lines.map((line, at) => {
      const last = this.#rows[at];
      return last?.line === line ? last : rowOf(line, out);
    });
    const taken = this.#chosen();
    if (taken.length > DISKS_MAX) out.fault(`Cannot report ${taken.length} disks: limit is ${DISKS_MAX}`);
    const seen = new Set<string>();
    for (const row of taken.slice(0, DISKS_MAX)) {
      seen.add(row.name);
      this.#add(row, out);
    }
    for (const name of this.#known.keys()) {
      if (seen.has(name)) continue;
      this.#known.delete(name);
      this.#choice.forget(name);
    }
  }

  #chosen(): Row[] {
    const rows = this.#rows.filter((row) => row !== undefined);
    const names = new Set(rows.map((row) => row.name));
    const has = (name: string) => names.has(name);
    // A device that never did anything says nothing, until it does (host-metrics P20).
    return rows.filter((row) =>
      (this.#known.has(row.name) || !isUnused(row)) &&
      this.#choice.takes(row.name, Number(row.columns[0]), has)
    );
  }

  #add(row: Row, out: Recorder): void {
    const last = this.#known.get(row.name);
    const numbers = `${row.columns[0]}:${row.columns[1]}`;
    const isSame = last !== undefined && last.identity === numbers && !this.#fell(last.row, row);
    const disk = isSame ? last : this.#begin(row, numbers, last !== undefined);
    addColumns(disk.series, row, out);
    if (isSame) addAwaits(disk, row, out);
    disk.row = row;
  }

  #begin(row: Row, numbers: string, isReplaced: boolean): Disk {
    if (isReplaced) {
      this.#choice.forget(row.name);
      this.#generation++;
    }
    const identity = `${numbers} ${this.#choice.sequence(row.name)} ${this.#generation}`;
    const disk = { row, identity: numbers, series: diskSeries(row.name, identity) };
    this.#known.set(row.name, disk);
    return disk;
  }

  /** True when a count of operations fell, which only another device behind the same name explains. */
  #fell(last: Row, row: Row): boolean {
    if (last === row) return false;
    return [READS, WRITES].some((at) => {
      const [before, now] = [count(last.columns[at]), count(row.columns[at])];
      if (before === undefined || now === undefined || now >= before) return false;
      return !(this.#is32Bit && before >= UPPER_HALF && now < UPPER_HALF);
    });
  }
}

const isUnused = (row: Row): boolean =>
  !/[1-9]/.test(row.line.slice(row.line.indexOf(row.name) + row.name.length));

function addColumns(disk: DiskSeries, row: Row, out: Recorder): void {
  for (const { at, one, form } of disk.columns) {
    if (!out.wants(one)) continue;
    const token = row.columns[at];
    if (token === undefined) continue;
    const value = form === "seconds" ? count(token) : unsigned(token);
    if (value === undefined) {
      out.fault(`Cannot parse "${DISKSTATS}": column ${at + 1} of ${row.name} is ${quote(token)}`);
    } else if (form === "seconds") out.add(one, Number(value) / MS_PER_SECOND);
    else out.add(one, form === "bytes" ? times(value, SECTOR) : value);
  }
}

function addAwaits(disk: Disk, row: Row, out: Recorder): void {
  addAwait(disk.series.readAwait, [READS, READ_MS], { last: disk.row, row, out });
  addAwait(disk.series.writeAwait, [WRITES, WRITE_MS], { last: disk.row, row, out });
}

function addAwait(
  one: Series,
  at: readonly [number, number],
  turn: { last: Row; row: Row; out: Recorder },
): void {
  if (!turn.out.wants(one)) return;
  const [operations, ms] = at.map((column) => {
    const [before, now] = [count(turn.last.columns[column]), count(turn.row.columns[column])];
    return before === undefined || now === undefined ? undefined : now - before;
  });
  // Milliseconds wrap at 2^32; such an interval has no mean rather than a negative one.
  if (operations === undefined || ms === undefined || operations <= 0 || ms < 0) return;
  turn.out.add(one, ms / MS_PER_SECOND / operations);
}

/** Disks. */
export function disk(options: DiskOptions = {}): Collector {
  return {
    name: "disk",
    descriptors: DISK_DESCRIPTORS,
    prepare(host): Prepared {
      const choice = new DiskChoice(host);
      const disks = new Disks(choice, host.is32Bit);
      return {
        files: [DISKSTATS],
        collect([text], out) {
          choice.exclude(options.diskExclude ?? DISK_EXCLUDE);
          if (text !== undefined) disks.collect(text, out);
        },
      };
    },
  };
}
