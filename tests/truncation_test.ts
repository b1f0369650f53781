/**
 * Damage: any recorded file cut at any byte, or with any byte changed, gives for each series its full value or
 * nothing, never another number and never a throw (host-metrics 4, property tests).
 */
import { assert, assertEquals } from "@std/assert";
import { collectors } from "../collectors/registry.ts";
import { hostOf, readJson, readTree, type Tree, turn, valuesOf } from "./fixture_host.ts";

const ROOT = new URL("./fixtures/collectors", import.meta.url).pathname;

/** Collector and case, with the files to damage. */
const CASES: readonly (readonly [collector: string, name: string, files: readonly string[]])[] = [
  ["network", "kvmhost", ["/proc/net/dev", "/proc/net/igmp6"]],
  ["socket", "vm618", ["/proc/net/sockstat", "/proc/net/sockstat6"]],
  ["tcp", "el7", ["/proc/net/snmp", "/proc/net/netstat"]],
  ["udp", "vm618", ["/proc/net/snmp", "/proc/net/snmp6"]],
  ["ip", "el7", ["/proc/net/snmp"]],
  ["softnet", "vm618", ["/proc/net/softnet_stat", "/sys/devices/system/cpu/online"]],
  ["conntrack", "vm618", ["/proc/net/stat/nf_conntrack", "/proc/sys/net/netfilter/nf_conntrack_count"]],
  ["link", "kvmhost", ["/sys/class/net/eno1/speed", "/sys/class/net/eno1/carrier_changes"]],
  ["wireless", "laptop", ["/proc/net/wireless"]],
  ["filesystem", "btrfs", ["/proc/1/mountinfo"]],
  ["temperature", "pi3_32", ["/sys/class/thermal/thermal_zone0/temp"]],
  ["hardware", "laptop", ["/sys/class/hwmon/hwmon0/fan1_input", "/sys/class/hwmon/hwmon0/energy1_input"]],
  ["power_supply", "laptop", ["/sys/class/power_supply/BAT0/capacity"]],
  ["storage_health", "pi5_16k", ["/sys/block/mmcblk0/device/life_time"]],
  ["redundancy", "numa128", ["/sys/devices/system/edac/mc/mc0/ce_count"]],
  ["container", "v23", [
    "/sys/fs/cgroup/a/memory.max",
    "/sys/fs/cgroup/a/b/cpu.stat",
    "/sys/fs/cgroup/a/b/cpu.max",
  ]],
  ["process", "vm618", ["/proc/self/stat", "/proc/self/status", "/proc/self/io"]],
];

/** What a whole tree gives, prepared while everything was whole. */
async function values(collector: string, path: string, tree: Tree): Promise<Record<string, number | bigint>> {
  const whole = readTree(path);
  const found = collectors(readJson(`${path}/options.json`) ?? {}).find(({ name }) => name === collector);
  assert(found !== undefined);
  return valuesOf(await turn(found.prepare(hostOf(whole)), tree, { uptime: 1_000_000 }));
}

const withText = (tree: Tree, path: string, text: string): Tree => ({
  ...tree,
  files: new Map(tree.files).set(path, text),
});

/** Places to cut: all of a short text, two hundred spread over a long one. */
function cuts(length: number): number[] {
  const step = Math.max(1, Math.ceil(length / 200));
  return Array.from({ length: Math.ceil(length / step) }, (_, at) => at * step);
}

for (const [collector, name, files] of CASES) {
  const path = `${ROOT}/${collector}/${name}`;
  Deno.test(`${collector} gives the full value or none when ${name} is cut anywhere`, async () => {
    const whole = readTree(path);
    const full = await values(collector, path, whole);
    assert(Object.keys(full).length > 0);
    for (const file of files) {
      const text = whole.files.get(file) ?? "";
      assert(text !== "", `fixture has no ${file}`);
      for (const at of cuts(text.length)) {
        const found = await values(collector, path, withText(whole, file, text.slice(0, at)));
        const wrong = Object.keys(found).filter((key) =>
          found[key] !== full[key] && !key.startsWith("sonde.")
        );
        assertEquals(wrong, [], `${file} cut at ${at}`);
      }
    }
  });

  Deno.test(`${collector} never makes 0 of garbage in ${name}`, async () => {
    const whole = readTree(path);
    const full = await values(collector, path, whole);
    for (const file of files) {
      const text = whole.files.get(file) ?? "";
      for (const at of cuts(text.length)) {
        const garbled = text.slice(0, at) + "#" + text.slice(at + 1);
        const found = await values(collector, path, withText(whole, file, garbled));
        const zeros = Object.keys(found).filter((key) => Number(found[key]) === 0 && Number(full[key]) !== 0);
        assertEquals(zeros.filter((key) => key in full), [], `${file} garbled at ${at}`);
      }
    }
  });
}
