/**
 * Hosts at the edge and inside containers, by shape (host-metrics 4): boards, laptops, odd names, borrowed roots.
 * @module
 */
import { FS, host, type HostShape, NO_PRESSURE, PLAIN, PSEUDO, range, ROOT } from "./host_shapes.ts";
import * as text from "./kernel_text.ts";

const CGROUP = {
  "/sys/fs/cgroup/memory.current": "200000000\n",
  "/sys/fs/cgroup/memory.stat": "anon 120000000\ninactive_file 50000000\n",
  "/sys/fs/cgroup/memory.max": "536870912\n",
  "/sys/fs/cgroup/memory.events": "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\n",
  "/sys/fs/cgroup/cpu.max": "50000 100000\n",
  "/sys/fs/cgroup/cpu.stat":
    "usage_usec 9000000\nuser_usec 6000000\nsystem_usec 3000000\nthrottled_usec 2500000\n",
};

/** Containers, with and without the host's root. */
const CONTAINERS: readonly HostShape[] = [
  {
    name: "docker",
    facts: { isForeign: false },
    statfs: PLAIN,
    files: (t) =>
      host(t, {
        ...CGROUP,
        "/proc/self/cgroup": "0::/\n",
        "/proc/self/mountinfo":
          "600 500 0:90 / / rw - overlay overlay rw\n601 600 8:1 /x /etc/hosts rw - ext4 /dev/sda1 rw\n",
        "/proc/1/mountinfo": "600 500 0:90 / / rw - overlay overlay rw\n",
        "/proc/self/net/dev": text.netDev(["lo", "eth0"], t),
        "/proc/net/dev": text.netDev(["lo", "eth0"], t),
        "/.dockerenv": "",
      }),
  },
  {
    name: "hostfs",
    statfs: { ...PLAIN, "/boot": FS },
    files: (t) =>
      host(t, {
        "/proc/1/mountinfo": ROOT + PSEUDO + "40 22 254:2 / /boot rw - ext4 /dev/vda2 rw\n" +
          "41 22 8:32 / /var/lib/kubelet/pods/a/mount rw - ext4 /dev/sdc rw\n" +
          "42 22 8:32 / /var/lib/kubelet/plugins/csi/globalmount rw - ext4 /dev/sdc rw\n",
        "/proc/self/net/dev": text.netDev(["lo", "container0"], t),
      }),
  },
  {
    name: "lxcfs",
    facts: { isForeign: false },
    statfs: PLAIN,
    files: (t) =>
      host(t, {
        ...CGROUP,
        "/proc/self/cgroup": "0::/\n",
        // lxcfs has been seen to say that more is available than there is.
        "/proc/meminfo": text.meminfo({
          MemTotal: 524_288,
          MemAvailable: 600_000,
          MemFree: 300_000,
          SUnreclaim: 0,
        }),
        "/proc/self/mountinfo": "600 500 0:90 / / rw - zfs rpool/lxc/101 rw\n" +
          "610 600 0:70 /proc/meminfo /proc/meminfo rw - fuse.lxcfs lxcfs rw\n",
        "/proc/1/mountinfo": "600 500 0:90 / / rw - zfs rpool/lxc/101 rw\n",
        "/proc/uptime": `${500 + 10 * t}.00 400.00\n`,
        "/proc/net/dev": text.netDev(["lo", "eth0"], t),
      }),
  },
];

const BOARD_NET = { "/sys/class/net/eth0/speed": "1000\n" };

/** Boards and laptops. */
const EDGE: readonly HostShape[] = [
  {
    name: "pi3-32",
    facts: { is32Bit: true },
    statfs: PLAIN,
    files: (t) =>
      host(t, {
        "/proc/stat": text.stat({ online: range(4) }, t),
        "/proc/diskstats": text.disk("179 0 mmcblk0", t) + text.disk("179 1 mmcblk0p1", t) +
          text.disk("179 2 mmcblk0p2", t),
        "/proc/1/net/dev": text.netDev(["lo"], t) + (t === 0
          ? "  eth0:4294960000 500 0 0 0 0 0 0 100 2 1 3 0 0 0 0\n"
          : "  eth0: 1000 510 0 0 0 0 0 0 100 2 1 3 0 0 0 0\n"),
        "/sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
        "/sys/class/thermal/thermal_zone0/temp": "47774\n",
        "/sys/block/mmcblk0/device/life_time": "0x02 0x01\n",
        "/proc/1/mountinfo": "22 1 179:2 / / rw - ext4 /dev/mmcblk0p2 rw\n" + PSEUDO,
      }),
  },
  {
    name: "pi5-16k",
    facts: { pageSize: 16_384 },
    statfs: PLAIN,
    files: (t) =>
      host(t, {
        ...NO_PRESSURE,
        ...BOARD_NET,
        "/proc/stat": text.stat({ online: range(4) }, t),
        "/proc/diskstats": text.disk("259 0 nvme0n1", t) + text.disk("259 1 nvme0n1p1", t),
        "/sys/class/hwmon/hwmon1/name": "rpi_volt\n",
        "/sys/class/hwmon/hwmon1/in0_lcrit_alarm": "0\n",
        "/sys/class/hwmon/hwmon0/name": "cpu_thermal\n",
        "/sys/class/hwmon/hwmon0/temp1_input": "51000\n",
      }),
  },
  {
    name: "laptop",
    statfs: PLAIN,
    files: (t) =>
      host(t, {
        // It slept for an hour between the moments: the uptime goes on, the CPU times do not.
        "/proc/uptime": `${3600 + 3610 * t}.50 3000.00\n`,
        "/proc/1/net/dev": text.netDev(["lo", "wlan0"], t),
        "/proc/1/net/wireless":
          "Inter-| sta-|   Quality        |\n face | tus | link level noise |\n wlan0: 0000   54.  -56.  -256        0      0      0      0      0        0\n",
        "/sys/class/power_supply/BAT0/type": "Battery\n",
        "/sys/class/power_supply/BAT0/capacity": "83\n",
        "/sys/class/power_supply/BAT0/status": "Discharging\n",
        "/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1800000\n",
        "/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq": "4200000\n",
        "/sys/class/net/wlan0/operstate": "up\n",
        "/sys/class/net/wlan0/carrier_changes": "7\n",
      }),
  },
  {
    name: "weird",
    statfs: { "/": FS, "/mnt/back\\slash": FS },
    files: (t) =>
      host(t, {
        "/proc/diskstats": text.disk("104 0 cciss/c0d0", t) + text.disk("104 1 cciss/c0d0p1", t),
        "/sys/block/cciss!c0d0/diskseq": "4\n",
        "/proc/1/net/dev": text.netDev(["lo", "wl-ü"], t),
        ...text.links(["wl-ü"]),
        "/proc/1/mountinfo": ROOT + PSEUDO +
          "40 22 104:2 / /mnt/back\\134slash rw - ext4 /dev/cciss/c0d0p2 rw\n" +
          "41 22 104:3 / /mnt/bad\\377name rw - ext4 /dev/cciss/c0d0p3 rw\n",
        "/proc/self/stat":
          "4242 (a) R (b) S 1 4242 4242 0 -1 4194560 1500 0 7 0 250 75 0 0 20 0 3 0 36000 123456789 12000 0\n",
      }),
  },
];

export const EDGE_HOSTS: readonly HostShape[] = [...CONTAINERS, ...EDGE];
