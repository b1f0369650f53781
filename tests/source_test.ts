/** Kept files, host roots and the runner, on real files. */
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import type { Collector, Cycle } from "../collectors/collector.ts";
import { hostRoot, locate, openHost, parseAuxv } from "../collectors/host.ts";
import { type Descriptor, series } from "../collectors/metric.ts";
import type { Ledger } from "../collectors/cycle_recorder.ts";
import { CollectorRun } from "../collectors/run.ts";
import { Source, SOURCE_BYTES_MAX, SourceError } from "../collectors/source.ts";

const noKernel = {
  statfs: () => Promise.resolve(undefined),
  adjtimex: () => undefined,
  fstat: () => undefined,
};
const plainLedger: Ledger = {
  enter: () => {},
  spare: () => {},
  observe: (_series, value) => ({ value, startNs: 1n }),
  endCycle: () => [],
};
const cycleAt = (monotonicMs: number): Cycle => ({ timeNs: 5n, uptime: 1, monotonicMs });

function inFolder(test: (path: string) => Promise<void> | void): () => Promise<void> {
  return async () => {
    const path = Deno.makeTempDirSync();
    try {
      await test(path);
    } finally {
      Deno.removeSync(path, { recursive: true });
    }
  };
}

Deno.test(
  "Source.read() reads to the end, once a cycle, and sees a file rewritten in place",
  inFolder((path) => {
    const long = "x".repeat(200_000) + "\n";
    Deno.writeTextFileSync(`${path}/f`, long);
    const source = new Source(`${path}/f`);
    assertEquals(source.read(1), long);
    Deno.writeTextFileSync(`${path}/f`, "short\n");
    assertEquals(source.read(1), long);
    assertEquals(source.read(2), "short\n");
    source.close();
  }),
);

Deno.test(
  "Source.read() refuses an absurdly long file",
  inFolder((path) => {
    Deno.writeFileSync(`${path}/f`, new Uint8Array(SOURCE_BYTES_MAX + 1));
    const source = new Source(`${path}/f`);
    assertThrows(() => source.read(1), SourceError, "longer than");
    source.close();
  }),
);

Deno.test("Source.read() gives every seq file whole, /proc/net/dev page by page", () => {
  const source = new Source("/proc/self/net/dev");
  assertMatch(source.read(1), /^Inter-.*\n.*\n/);
  source.close();
});

Deno.test("Source.readAsync() gives a table of many pages whole, and one read to all who wait", async () => {
  const path = await Deno.makeTempFile();
  const text = "0123456789abcde\n".repeat(20_000);
  await Deno.writeTextFile(path, text);
  const source = new Source(path);
  try {
    const [first, second] = await Promise.all([source.readAsync(), source.readAsync()]);
    assertEquals([first === text, second === text], [true, true]);
  } finally {
    source.close();
    await Deno.remove(path);
  }
});

Deno.test("locate() puts proc, sys and etc where they stand, and all else below the root", () => {
  const root = hostRoot("/hostfs/", { sys: "/other/sys" });
  assertEquals(locate(root, "/proc/stat"), "/hostfs/proc/stat");
  assertEquals(locate(root, "/sys/block"), "/other/sys/block");
  assertEquals(locate(root, "/processes"), "/hostfs/processes");
  assertEquals(locate(hostRoot("/"), "/proc/stat"), "/proc/stat");
});

Deno.test("parseAuxv() reads 64-bit and 32-bit vectors, and nothing into garbage", () => {
  const words = (bytes: 4 | 8, values: number[]) => {
    const buffer = new Uint8Array(values.length * bytes);
    const view = new DataView(buffer.buffer);
    values.forEach((value, at) =>
      bytes === 8 ? view.setBigUint64(at * 8, BigInt(value), true) : view.setUint32(at * 4, value, true)
    );
    return buffer;
  };
  assertEquals(parseAuxv(words(8, [17, 100, 6, 16384, 0, 0])), {
    pageSize: 16384,
    ticksPerSecond: 100,
    wordBytes: 8,
  });
  assertEquals(parseAuxv(words(4, [6, 4096, 17, 100, 0, 0])), {
    pageSize: 4096,
    ticksPerSecond: 100,
    wordBytes: 4,
  });
  assertEquals(parseAuxv(new Uint8Array(7)).pageSize, undefined);
});

Deno.test("openHost() of this machine knows its page size and lists its block devices", () => {
  const host = openHost(hostRoot("/"), noKernel);
  assertEquals(host.ticksPerSecond, 100);
  assertEquals(host.isForeign, false);
  assertMatch(host.read("/proc/sys/kernel/osrelease") ?? "", /^\d+\.\d+/);
  assertEquals(host.read("/proc/nonexistent"), undefined);
  assertEquals(host.list("/nonexistent"), []);
});

const value: Descriptor = {
  kind: "gauge",
  name: "test.value",
  unit: "1",
  description: "",
  valueType: "int",
  source: "",
};

function fileCollector(name: string, file: string): Collector {
  const point = series(value, { name });
  return {
    name,
    descriptors: [value],
    prepare: () => ({
      files: [file],
      collect: ([text], out) => {
        if (text === undefined) return;
        out.add(point, Number(text));
        if (text.includes("bad")) throw new SyntaxError(`Cannot parse "${file}"`);
      },
    }),
  };
}

Deno.test(
  "CollectorRun.collect() withdraws the points of a collector that fails, and no other's",
  inFolder((path) => {
    Deno.mkdirSync(`${path}/proc`);
    Deno.writeTextFileSync(`${path}/proc/a`, "1");
    Deno.writeTextFileSync(`${path}/proc/b`, "2");
    const root = hostRoot(path);
    const run = new CollectorRun(
      [fileCollector("a", "/proc/a"), fileCollector("b", "/proc/b"), fileCollector("gone", "/proc/gone")],
      openHost(root, noKernel),
      {
        ledger: plainLedger,
        selection: { namings: ["semconv"], wants: () => true },
        locate: (host) => locate(root, host),
      },
    );
    const values = (n: number) => run.collect(cycleAt(n)).points.map((point) => point.value);
    assertEquals(values(1), [1, 2]);
    Deno.writeTextFileSync(`${path}/proc/a`, "bad");
    assertEquals(values(2), [2]);
    assertEquals(run.stats().map(({ name, faults }) => [name, faults]), [["a", 1], ["b", 0]]);
    assertEquals(run.collect(cycleAt(3)).omitted, [{
      what: "gone",
      why: '"/proc/gone": file does not exist',
    }]);
    run.close();
  }),
);

Deno.test(
  "CollectorRun.collect() looks every 5 s only at what changes seldom",
  inFolder((path) => {
    Deno.mkdirSync(`${path}/proc`);
    Deno.writeTextFileSync(`${path}/proc/a`, "1");
    const root = hostRoot(path);
    const often = fileCollector("often", "/proc/a");
    const seldom: Collector = {
      ...fileCollector("seldom", "/proc/a"),
      prepare: (host) => ({ ...often.prepare(host), seldom: ["/proc/a"] }),
    };
    const run = new CollectorRun([seldom], openHost(root, noKernel), {
      ledger: plainLedger,
      selection: { namings: ["semconv"], wants: () => true },
      locate: (host) => locate(root, host),
    });
    const valueAt = (monotonicMs: number) =>
      run.collect({ ...cycleAt(1), monotonicMs }).points.map((point) => point.value);
    assertEquals(valueAt(0), [1]);
    Deno.writeTextFileSync(`${path}/proc/a`, "2");
    assertEquals([valueAt(1000), valueAt(4999), valueAt(5000)], [[1], [1], [2]]);
    run.close();
  }),
);

Deno.test(
  "CollectorRun.refresh() waits no longer than its deadline and never asks twice",
  inFolder(async (path) => {
    let asked = 0;
    let release = () => {};
    const slow: Collector = {
      name: "slow",
      descriptors: [value],
      prepare: () => ({
        files: [],
        collect: () => {},
        refresh: () => {
          asked++;
          return new Promise<void>((resolve) => release = resolve);
        },
      }),
    };
    const run = new CollectorRun([slow], openHost(hostRoot(path), noKernel), {
      ledger: plainLedger,
      selection: { namings: ["semconv"], wants: () => true },
      locate: (host) => host,
    });
    await run.refresh(0, 5);
    await run.refresh(1000, 5);
    assertEquals(asked, 1);
    release();
    await run.refresh(2000, 0);
    release();
    await run.refresh(3000, 5);
    assertEquals(asked >= 2, true);
    release();
    run.close();
  }),
);
