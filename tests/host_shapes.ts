/**
 * Whole hosts by shape (host-metrics 4): each is what makes one kind of machine worth a test. Files by path for each
 * of two moments, ten seconds apart.
 * @module
 */
import type { Statfs } from "../collectors/collector.ts";
import type { Tree } from "./fixture_host.ts";
import * as text from "./kernel_text.ts";
import type { Moment } from "./kernel_text.ts";

type Files = Readonly<Record<string, string>>;

/** One kind of machine. */
export interface HostShape {
  readonly name: string;
  readonly facts?: Tree["facts"];
  readonly statfs?: Tree["statfs"];
  /** Too large to be kept in the checkout. */
  readonly isLarge?: true;
  files(t: Moment): Files;
}

export const range = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

/** A file system of 10 GB, 65 % full, with reserved blocks (V12). */
const FS: Statfs = {
  ...{ blockSize: 4096, blocks: 2_560_000, blocksFree: 900_000, blocksAvailable: 770_000 },
  ...{ files: 655_360, filesFree: 600_000 },
};

/** "/" and its figures. */
const ROOT = "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n";
const PSEUDO =
  "23 22 0:21 / /proc rw - proc proc rw\n24 22 0:22 / /sys rw - sysfs sysfs rw\n25 22 0:23 / /run rw - tmpfs tmpfs rw\n";

/** What a plain cloud machine has; a shape says what is different. Undefined: not there. */
function host(t: Moment, differs: Readonly<Record<string, string | undefined>> = {}): Files {
  const files: Record<string, string | undefined> = {
    "/proc/uptime": `${3600 + 10 * t}.50 3000.00\n`,
    "/proc/loadavg": "0.52 0.58 0.59 1/118 12345\n",
    "/proc/stat": text.stat({ online: [0] }, t),
    "/proc/meminfo": text.meminfo({}),
    "/proc/vmstat": text.vmstat(t),
    "/proc/swaps": "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n",
    "/proc/diskstats": text.disk("254 0 vda", t) + text.disk("254 1 vda1", t),
    "/proc/filesystems": "nodev\tsysfs\nnodev\ttmpfs\n\text4\n\tvfat\n\txfs\n",
    "/proc/1/mountinfo": ROOT + PSEUDO,
    "/proc/sys/fs/file-nr": "917\t0\t9223372036854775807\n",
    "/proc/1/net/dev": text.netDev(["lo", "eth0"], t),
    "/proc/1/net/sockstat":
      "sockets: used 300\nTCP: inuse 8 orphan 0 tw 2 alloc 12 mem 7\nUDP: inuse 5 mem 3\n",
    "/proc/1/net/softnet_stat": "000019b9 00000002 00000001\n",
    "/proc/pressure/cpu": text.pressure(8_023_529 + 1_000_000 * t),
    "/proc/pressure/memory": text.pressure(1000),
    "/proc/pressure/io": text.pressure(500_000),
    "/sys/block/vda/diskseq": "9\n",
    "/sys/class/block/vda/size": "20971520\n",
    "/sys/class/block/vda1/partition": "1\n",
    "/sys/class/net/eth0/operstate": "up\n",
    "/sys/class/net/eth0/speed": "-1\n",
    "/sys/class/net/eth0/carrier_changes": "2\n",
  };
  for (const [name, body] of Object.entries(text.protocols(t))) files[`/proc/1/net/${name}`] = body;
  for (const [name, body] of Object.entries(text.ownProcess(t))) files[`/proc/self/${name}`] = body;
  const entries = Object.entries({ ...files, ...differs });
  return Object.fromEntries(entries.flatMap(([path, body]) => body === undefined ? [] : [[path, body]]));
}

const VNETS = range(20).map((at) => `vnet${at}`);

const NO_PRESSURE = {
  "/proc/pressure/cpu": undefined,
  "/proc/pressure/memory": undefined,
  "/proc/pressure/io": undefined,
};

const PLAIN: Tree["statfs"] = { "/": FS };

/** Machines in data centres and clouds. */
const SERVERS: readonly HostShape[] = [
  {
    name: "vm1",
    statfs: PLAIN,
    files: (t) => host(t, { "/proc/stat": text.stat({ online: [0], steal: 1200 }, t) }),
  },
  {
    name: "numa128",
    isLarge: true,
    statfs: PLAIN,
    files: (t) =>
      host(t, {
        "/proc/stat": text.stat({ online: range(128), interrupts: 1500 }, t),
        "/proc/diskstats": range(12).map((at) =>
          text.disk(`259 ${at} nvme${at}n1`, t) + text.disk(`0 ${at} nvme${at}c0n1`, t)
        ).join(""),
        "/proc/1/net/dev": text.netDev(["lo", "bond0", "eno1", "eno2"], t),
        ...text.links(["bond0", "eno1", "eno2"]),
        "/proc/1/net/softnet_stat": "000019b9 00000000 00000001\n".repeat(128),
        "/proc/meminfo": text.meminfo({ MemTotal: 2_113_000_000, MemAvailable: 1_900_000_000 }),
      }),
  },
  {
    name: "cpu512gap",
    isLarge: true,
    statfs: PLAIN,
    files: (t) => {
      const online = range(512).filter((cpu) => cpu % 4 < 2);
      return host(t, { "/proc/stat": text.stat({ online, interrupts: 20_000 }, t) });
    },
  },
  {
    name: "kvmhost",
    statfs: PLAIN,
    files: (t) =>
      host(t, {
        "/proc/stat": text.stat({ online: range(8), guest: 3000 }, t),
        "/proc/1/net/dev": text.netDev(["lo", "eno1", "virbr0", ...VNETS], t),
        ...text.links(["eno1", "virbr0", ...VNETS]),
      }),
  },
  {
    name: "xen",
    statfs: PLAIN,
    files: (t) =>
      host(t, {
        "/proc/diskstats": text.disk("202 1 xvda1", t) + text.disk("202 2 xvda2", t),
        "/sys/block/xvda1/size": "20971520\n",
        "/sys/block/xvda2/size": "20971520\n",
        "/sys/class/block/vda1/partition": undefined,
        "/sys/block/vda/diskseq": undefined,
      }),
  },
  {
    name: "nodisk",
    files: (t) =>
      host(t, {
        "/proc/diskstats": "",
        "/proc/1/mountinfo": "22 1 0:20 / / rw - nfs4 10.0.0.1:/root rw\n" + PSEUDO,
      }),
  },
  {
    name: "nfsdead",
    statfs: { ...PLAIN, "/data": null },
    files: (t) =>
      host(t, {
        "/proc/1/mountinfo": ROOT + PSEUDO + "40 22 8:16 / /data rw - ext4 /dev/sdb rw\n" +
          "41 22 0:45 / /nas rw - nfs4 nas:/x rw\n",
      }),
  },
  {
    name: "noswap",
    statfs: PLAIN,
    files: (t) => host(t, { "/proc/meminfo": text.meminfo({ SwapTotal: 0, SwapFree: 0 }) }),
  },
  {
    name: "manyswap",
    statfs: PLAIN,
    files: (t) =>
      host(t, {
        "/proc/swaps": "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n" +
          "/dev/dm-1 partition\t2097148\t\t524288\t\t-2\n/swap\\040file file\t0\t\t0\t\t-3\n" +
          "/dev/zram0 partition\t1048572\t\t1024\t\t100\n",
        "/sys/block/zram0/mm_stat": "4096000 1200000 1500000 0 1500000 10 0 0 0\n",
        "/sys/block/zram0/size": "2097144\n",
      }),
  },
];

/** Old kernels. */
const OLD: readonly HostShape[] = [
  {
    name: "el7",
    statfs: PLAIN,
    files: (t) =>
      host(t, {
        ...NO_PRESSURE,
        "/proc/diskstats": text.disk("8 0 sda", t, 14) + text.disk("8 1 sda1", t, 14),
        "/proc/vmstat": text.vmstat(t, true),
        "/proc/meminfo": text.meminfo({ MemAvailable: -1 }),
        "/proc/zoneinfo":
          "Node 0, zone   Normal\n  pages free     250000\n        min      10000\n        low      12500\n",
        "/proc/1/net/snmp": text.pairs("Tcp", { InSegs: 900 + t, OutSegs: 800, RetransSegs: 42 }),
        "/sys/block/sda/size": "20971520\n",
      }),
  },
  {
    name: "el6ish",
    statfs: PLAIN,
    files: (t) =>
      host(t, {
        ...NO_PRESSURE,
        "/proc/stat": text.stat({ online: [0, 1], columns: 9 }, t),
        "/proc/diskstats": text.disk("8 0 sda", t, 14),
        "/proc/vmstat": text.vmstat(t, true),
        "/proc/1/net/dev": text.netDev(["lo", "eth0"], t, true),
        "/proc/meminfo": text.meminfo({ MemAvailable: -1 }),
      }),
  },
];

export const MACHINES: readonly HostShape[] = [...SERVERS, ...OLD];
export { FS, host, NO_PRESSURE, PLAIN, PSEUDO, ROOT };
