/**
 * psutil as a second reader of the same kernel: it looks, sonde looks, it looks again. Counters of sonde lie between
 * its two, what does not change is equal.
 */
import { assert, assertEquals } from "@std/assert";
import { collectors } from "../collectors/registry.ts";
import type { Snapshot } from "../collectors/metric.ts";
import { openSensor } from "../commands/sensor.ts";
import { peerTest } from "./peers/peer.ts";
import { pythonAbsence, startPython } from "./peers/python.ts";

/** What host.py answers, as far as it is compared. */
interface Look {
  readonly cpu: Readonly<Record<string, number>>;
  readonly cpus: number;
  readonly cores: number;
  readonly memory: Readonly<Record<string, number>>;
  readonly disks: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly nics: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly boot: number;
  readonly switches: number;
  readonly interrupts: number;
  readonly processes: number;
  readonly root: Readonly<Record<string, number>>;
}

function lookOf(answer: unknown): Look {
  const look: Look = JSON.parse(JSON.stringify(answer));
  return look;
}

function valueOf(snapshot: Snapshot, name: string, ...values: readonly string[]): number {
  const found = snapshot.points.filter(({ series, ended }) =>
    series.descriptor.name === name && !ended &&
    values.every((value) => Object.values(series.attributes).includes(value))
  );
  assertEquals(found.length, 1, `${name} ${values}`);
  return Number(found[0]?.value);
}

const sumOf = (record: Readonly<Record<string, number>>, ...keys: readonly string[]): number =>
  keys.reduce((sum, key) => sum + (record[key] ?? NaN), 0);

/** Values that lie between two looks: ours, and what to take of each of theirs. */
type Row = readonly [title: string, ours: number, theirs: (look: Look) => number];

const CPU_MODES = [
  ...[["user", "user"], ["nice", "nice"], ["system", "system"], ["idle", "idle"], ["steal", "steal"]],
  ["interrupt", "irq", "softirq"],
] as const;
const DISK_FIELDS = [
  ...[["system.disk.io", "read", "read_bytes"], ["system.disk.io", "write", "write_bytes"]],
  ...[["system.disk.operations", "read", "read_count"], [
    "system.disk.merged",
    "write",
    "write_merged_count",
  ]],
] as const;
const NIC_FIELDS = [
  ...[["system.network.io", "receive", "bytes_recv"], ["system.network.io", "transmit", "bytes_sent"]],
  ...[["system.network.packet.count", "receive", "packets_recv"], [
    "system.network.errors",
    "transmit",
    "errout",
  ]],
] as const;

function rowsOf(snapshot: Snapshot, { disks, nics }: Look): Row[] {
  const reported = (name: string) =>
    snapshot.points.filter(({ series }) => series.descriptor.name === name)
      .map(({ series }) => series.attributes);
  const whole = [...new Set(reported("system.disk.io").map((at) => String(at["system.device"])))];
  const named = [...new Set(reported("system.network.io").map((at) => String(at["network.interface.name"])))];
  return [
    ...CPU_MODES.map(([mode, ...keys]): Row => [
      `cpu ${mode}`,
      valueOf(snapshot, "system.cpu.time", mode),
      ({ cpu }) => sumOf(cpu, ...keys),
    ]),
    ...whole.filter((name) => disks[name] !== undefined).flatMap((name) =>
      DISK_FIELDS.map(([metric, direction, key]): Row => [
        `${metric} ${name} ${direction}`,
        valueOf(snapshot, metric, name, direction),
        (look) => sumOf(look.disks[name] ?? {}, key),
      ])
    ),
    ...named.filter((name) => nics[name] !== undefined).flatMap((name) =>
      NIC_FIELDS.map(([metric, direction, key]): Row => [
        `${metric} ${name} ${direction}`,
        valueOf(snapshot, metric, name, direction),
        (look) => sumOf(look.nics[name] ?? {}, key),
      ])
    ),
    ["context switches", valueOf(snapshot, "system.cpu.linux.context_switches"), ({ switches }) => switches],
    ["interrupts", valueOf(snapshot, "system.cpu.linux.interrupts"), ({ interrupts }) => interrupts],
  ];
}

peerTest("psutil and sonde read the same from this kernel", pythonAbsence(), async () => {
  const python = await startPython("host.py");
  const sensor = openSensor(collectors(), {
    root: "/",
    collectors: [],
    metrics: [{ on: true, pattern: "system.memory.limit" }],
  }, {
    namings: ["semconv"],
    clock: { wall: Date.now, mono: () => performance.now() },
    attributes: {},
    remembered: {},
  });
  try {
    await sensor.refresh(5000);
    await python.ask("look");
    const before = lookOf(await python.ask("look"));
    const snapshot = sensor.collect();
    const after = lookOf(await python.ask("look"));
    for (const [title, ours, theirs] of rowsOf(snapshot, before)) {
      const [low, high] = [theirs(before), theirs(after)];
      assert(ours >= low - 0.011 && ours <= high + 0.011, `${title}: ${ours}, psutil ${low} and ${high}`);
    }
    assertEquals(valueOf(snapshot, "system.memory.limit"), before.memory["total"]);
    assertEquals(valueOf(snapshot, "system.cpu.logical.count"), before.cpus);
    assertEquals(valueOf(snapshot, "system.cpu.physical.count"), before.cores);
    const started = snapshot.points.find(({ series }) => series.descriptor.name === "system.cpu.time")
      ?.startNs;
    assert(Math.abs(Number(started) / 1e9 - before.boot) < 1, `${started}, psutil ${before.boot}`);
    const processes = valueOf(snapshot, "system.process.count");
    const [low, high] = [before.processes, after.processes].sort((a, b) => a - b);
    assert(
      processes >= (low ?? 0) - 10 && processes <= (high ?? 0) + 10,
      `${processes} processes, ${low} ${high}`,
    );
    const used = valueOf(snapshot, "system.filesystem.usage", "/", "used");
    assert(Math.abs(used - (before.root["used"] ?? 0)) < 256 * 2 ** 20, `${used}`);
  } finally {
    await sensor.close();
    await python.stop();
  }
});
