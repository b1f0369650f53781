/**
 * Text as kernels write it, for host shapes: made from a few numbers, so that a hundred CPUs or thousands of
 * interrupts need no recording. `t` is the moment, 0 or 1; between the two lie ten seconds.
 * @module
 */

/** One moment of a recorded host. */
export type Moment = 0 | 1;

/** Numbers that have grown by the second moment. */
export const grow = (start: number, by: number, t: Moment): number => start + by * t;

export interface CpuShape {
  /** Numbers of the online CPUs. */
  readonly online: readonly number[];
  /** Columns of a line: 7 in 2.6.10, 9 in 2.6.32, 10 since. */
  readonly columns?: number;
  readonly steal?: number;
  readonly guest?: number;
  readonly interrupts?: number;
}

/** /proc/stat. Each CPU was idle for most of an hour and spent ten seconds between the moments. */
export function stat(shape: CpuShape, t: Moment): string {
  const { online, columns = 10, steal = 0, guest = 0, interrupts = 64 } = shape;
  const line = (cpu: number): number[] =>
    [
      ...[grow(4000 + cpu, 300, t), 10, grow(2000, 100, t), grow(350_000, 500 - 100 * Math.sign(steal), t)],
      ...[grow(800, 50, t), 0, grow(100, 50, t), grow(steal, 100 * Math.sign(steal), t)],
      ...[grow(guest, 200 * Math.sign(guest), t), 0],
    ].slice(0, columns);
  const lines = online.map(line);
  const total = lines.reduce((sum, each) => sum.map((value, at) => value + (each[at] ?? 0)));
  const text = (label: string, values: readonly number[]) => `${label} ${values.join(" ")}\n`;
  return text("cpu ", total) + online.map((cpu, at) => text(`cpu${cpu}`, lines[at] ?? [])).join("") +
    `intr ${grow(9_000_000, 5000, t)}${" 0".repeat(interrupts)}\nctxt ${grow(70_000_000, 8000, t)}\n` +
    `btime 1795220971\nprocesses ${grow(50_000, 30, t)}\nprocs_running ${1 + t}\nprocs_blocked 0\n` +
    (columns < 10 ? "" : `softirq ${grow(1000, 100, t)} 1 2 3 4 5 6 7 8 9 10\n`);
}

/** /proc/meminfo of fields in kB; MemAvailable only where it is given. */
export function meminfo(kib: Readonly<Record<string, number>>): string {
  const fields = {
    ...{ MemTotal: 4_000_000, MemFree: 1_000_000, MemAvailable: 2_500_000, Buffers: 100_000 },
    ...{ Cached: 1_200_000, "Active(file)": 600_000, "Inactive(file)": 500_000, SwapTotal: 0, SwapFree: 0 },
    ...{ Dirty: 120, Writeback: 0, Shmem: 20_000, SReclaimable: 200_000, SUnreclaim: 90_000 },
    ...{ CommitLimit: 2_000_000, Committed_AS: 1_500_000 },
    ...kib,
  };
  const shown = Object.entries(fields).filter(([, value]) => value >= 0);
  return shown.map(([key, value]) => `${`${key}:`.padEnd(16)}${String(value).padStart(8)} kB\n`).join("");
}

/** /proc/vmstat; kernels before 4.13 count no OOM kills. */
export function vmstat(t: Moment, isOld = false): string {
  const rows: readonly (readonly [string, number])[] = [
    ...[["pgpgin", grow(4000, 400, t)], ["pgpgout", grow(8000, 800, t)], ["pswpin", grow(10, 1, t)]] as const,
    ...[["pswpout", grow(20, 2, t)], ["pgfault", grow(500_000, 700, t)]] as const,
    ["pgmajfault", grow(1494, 3, t)],
    ...(isOld ? [] : [["oom_kill", grow(0, 1, t)]] as const),
  ];
  return rows.map(([key, value]) => `${key} ${value}\n`).join("");
}

/** A line of /proc/diskstats that begins "8 0 sda" and has so many columns; reads, writes and milliseconds grow. */
export function disk(device: string, t: Moment, columns = 20): string {
  const values = [
    ...[grow(9000, 100, t), 100, grow(2_050_000, 8000, t), grow(12_500, 600, t)],
    ...[grow(7000, 50, t), 300, grow(4_100_008, 4000, t), grow(8000, 1000, t), 2],
    ...[grow(3688, 500, t), grow(20_500, 1600, t), 10, 5, 640, 30, 18, 7],
  ];
  return `${device} ${values.slice(0, columns - 3).join(" ")}\n`;
}

const NET_HEADER = "Inter-|   Receive                                                |  Transmit\n" +
  " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n";

/** /proc/net/dev; `glue` writes the first number next to the colon, as old kernels do. */
export function netDev(names: readonly string[], t: Moment, glue = false): string {
  return NET_HEADER + names.map((name, at) => {
    const received = [grow(1_000_000 + at, 50_000, t), grow(9000, 400, t), 1, 2, 0, 0, 0, 0];
    const sent = [grow(500_000 + at, 20_000, t), grow(6000, 300, t), 0, 3, 0, 0, 0, 0];
    return `${name.padStart(6)}:${glue ? "" : " "}${[...received, ...sent].join(" ")}\n`;
  }).join("");
}

/** /sys/class/net of these interfaces, all of them up at 1 Gbit/s. */
export function links(names: readonly string[]): Readonly<Record<string, string>> {
  const entries = names.flatMap((name) => [
    [`/sys/class/net/${name}/operstate`, "up\n"],
    [`/sys/class/net/${name}/speed`, "1000\n"],
    [`/sys/class/net/${name}/carrier_changes`, "2\n"],
  ]);
  return Object.fromEntries(entries);
}

/** A row of headers and a row of numbers, as in /proc/net/snmp. */
export function pairs(label: string, values: Readonly<Record<string, number>>): string {
  return `${label}: ${Object.keys(values).join(" ")}\n${label}: ${Object.values(values).join(" ")}\n`;
}

/** /proc/net/snmp and netstat. */
export function protocols(t: Moment): Readonly<Record<string, string>> {
  const tcp = {
    ...{ RtoMin: 200, MaxConn: -1, ActiveOpens: grow(400, 5, t), PassiveOpens: grow(300, 6, t) },
    ...{ AttemptFails: 3, CurrEstab: 7, InSegs: grow(90_000, 900, t), OutSegs: grow(80_000, 800, t) },
    ...{ RetransSegs: grow(42, 1, t), OutRsts: 5 },
  };
  const udp = { InDatagrams: grow(1000, 10, t), NoPorts: 4, InErrors: 1, OutDatagrams: grow(900, 9, t) };
  return {
    snmp: pairs("Tcp", tcp) + pairs("Udp", { ...udp, RcvbufErrors: 1, SndbufErrors: 0, InCsumErrors: 0 }),
    netstat: pairs("TcpExt", { ListenOverflows: 0, ListenDrops: 0, TCPTimeouts: grow(9, 1, t) }),
  };
}

/** /proc/pressure/<what>. */
export function pressure(total: number, hasFull = true): string {
  const line = (label: string) => `${label} avg10=1.21 avg60=1.43 avg300=0.85 total=${total}\n`;
  return line("some") + (hasFull ? line("full") : "");
}

/** /proc/self/{stat,io,status}: the agent itself. */
export function ownProcess(t: Moment): Readonly<Record<string, string>> {
  const ticks = [grow(250, 3, t), grow(75, 1, t)];
  return {
    stat:
      `4242 (sonde) S 1 4242 4242 0 -1 4194560 1500 0 7 0 ${
        ticks.join(" ")
      } 0 0 20 0 3 0 36000 123456789 12000 ` +
      `${new Array(18).fill(0).join(" ")} 0\n`,
    io: `rchar: 9\nwchar: 9\nsyscr: 40\nsyscw: 30\nread_bytes: ${grow(4096, 0, t)}\nwrite_bytes: ${
      grow(8192, 4096, t)
    }\n`,
    status: "Name:\tsonde\nSigQ:\t0/96365\nvoluntary_ctxt_switches:\t17\nnonvoluntary_ctxt_switches:\t3\n",
  };
}
