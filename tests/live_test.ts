/**
 * Against this machine's kernel: an interface pair and a tmpfs mount that appear and vanish under running
 * collectors, and values that agree with the kernel's own at the same moment. Needs root and `ip`.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { BootClock } from "../collectors/boot_clock.ts";
import type { Collector, Cycle } from "../collectors/collector.ts";
import { CounterLedger } from "../collectors/counters.ts";
import { filesystem } from "../collectors/filesystem.ts";
import { hostRoot, locate, openHost } from "../collectors/host.ts";
import type { Snapshot } from "../collectors/metric.ts";
import { network } from "../collectors/network.ts";
import { CollectorRun } from "../collectors/run.ts";
import { collectors } from "../collectors/registry.ts";
import { openLibc } from "../collectors/statfs.ts";

const CYCLE: Cycle = { timeNs: 1_795_220_971_000_000_000n, uptime: 1000, monotonicMs: 1_000_000 };

function command(name: string, ...args: string[]): boolean {
  try {
    return new Deno.Command(name, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/** The collectors over the real host. */
function open(which: readonly Collector[]): { run: CollectorRun; [Symbol.dispose](): void } {
  const root = hostRoot("/");
  const libc = openLibc();
  assert(libc !== undefined);
  const run = new CollectorRun(which, openHost(root, libc), {
    ledger: new CounterLedger({
      clock: new BootClock({ bootId: undefined, plausibleNs: 0n }),
      is32Bit: false,
    }),
    selection: { namings: ["semconv"], wants: () => true },
    locate: (path) => locate(root, path),
  });
  return {
    run,
    [Symbol.dispose]() {
      run.close();
      libc.close();
    },
  };
}

const attributesOf = (snapshot: Snapshot, name: string, key: string): string[] => [
  ...new Set(
    snapshot.points.filter(({ series, ended }) => series.descriptor.name === name && !ended)
      .map(({ series }) => String(series.attributes[key])),
  ),
];

const PAIR = ["sondea0", "sondeb0"] as const;
const canLink = Deno.uid() === 0 &&
  command("ip", "link", "add", PAIR[0], "type", "veth", "peer", "name", PAIR[1]);
if (canLink) command("ip", "link", "del", PAIR[0]);

Deno.test({
  name: "network sees a veth pair appear, tells a second one apart and forgets it",
  ignore: !canLink,
  fn() {
    using opened = open([network()]);
    const look = () => opened.run.collect(CYCLE);
    const names = (snapshot: Snapshot) =>
      attributesOf(snapshot, "system.network.io", "network.interface.name").filter((name) =>
        name === PAIR[0]
      );
    const identity = (snapshot: Snapshot) =>
      snapshot.points.find(({ series }) => series.attributes["network.interface.name"] === PAIR[0])?.series
        .identity;
    const add = () => assert(command("ip", "link", "add", PAIR[0], "type", "veth", "peer", "name", PAIR[1]));
    const remove = () => assert(command("ip", "link", "del", PAIR[0]));
    assertEquals(names(look()), []);
    add();
    try {
      const first = look();
      assertEquals(names(first), [PAIR[0]]);
      remove();
      add();
      const second = look();
      assertEquals(names(second), [PAIR[0]]);
      assert(identity(first) !== identity(second), `identity stayed ${identity(first)}`);
    } finally {
      remove();
    }
    const last = look();
    assertEquals(names(last), []);
    const ended = last.points.filter((point) => point.ended).map(({ series }) => series.identity);
    assertEquals(ended.length, 16, "each series of both ends is ended");
  },
});

const folder = Deno.makeTempDirSync({ prefix: "sonde-live-" });
const canMount = Deno.uid() === 0 && command("mount", "-t", "tmpfs", "-o", "size=1m", "sonde", folder);
if (canMount) command("umount", folder);
globalThis.addEventListener("unload", () => Deno.removeSync(folder));

Deno.test({
  name: "filesystem sees a tmpfs mount, how it is filled to the last byte, and its removal",
  ignore: !canMount,
  async fn() {
    using opened = open([filesystem({ filesystemTypes: ["tmpfs"] })]);
    let nowMs = 0;
    const look = async () => {
      const cycle = { ...CYCLE, monotonicMs: nowMs += 60_000 };
      opened.run.collect(cycle);
      await opened.run.refresh(nowMs, 5000);
      return opened.run.collect(cycle);
    };
    const usage = (snapshot: Snapshot, state: string) =>
      snapshot.points.find(({ series, ended }) =>
        !ended && series.attributes["system.filesystem.mountpoint"] === folder &&
        series.attributes["system.filesystem.state"] === state &&
        series.descriptor.name === "system.filesystem.usage"
      )?.value;
    const used = (snapshot: Snapshot) => usage(snapshot, "used");
    assertEquals(used(await look()), undefined);
    assert(command("mount", "-t", "tmpfs", "-o", "size=1m", "sonde", folder));
    try {
      assertEquals(used(await look()), 0);
      Deno.writeFileSync(`${folder}/half`, new Uint8Array(512 * 1024));
      assertEquals(used(await look()), 512 * 1024);
      assertThrows(() => Deno.writeFileSync(`${folder}/rest`, new Uint8Array(1024 * 1024)));
      assertEquals(
        [used(await look()), usage(await look(), "free")],
        [1024 * 1024, 0],
        "full to the last byte",
      );
    } finally {
      assert(command("umount", folder));
    }
    assertEquals(used(await look()), undefined);
  },
});

Deno.test("collectors read this host without a fault", async () => {
  using opened = open(collectors());
  await opened.run.refresh(0, 5000);
  opened.run.collect(CYCLE);
  const snapshot = opened.run.collect(CYCLE);
  assertEquals(opened.run.stats().filter(({ fault }) => fault !== undefined), []);
  const keys = snapshot.points.map(({ series }) =>
    series.descriptor.name + JSON.stringify(series.attributes)
  );
  assertEquals(keys.filter((key, at) => keys.indexOf(key) !== at), [], "the same series twice");
  const own = attributesOf(snapshot, "system.network.linux.tcp.segments", "network.io.direction");
  assertEquals(own, ["receive", "transmit"]);
});
