/**
 * The table for people: one golden screen, and what must hold whatever a host calls its devices.
 * `deno test -A tests/console_table_test.ts -- --update` rewrites the golden.
 */
import { assert, assertEquals } from "@std/assert";
import { type Attributes, type Point, series, type Snapshot } from "../collectors/metric.ts";
import { table } from "../exporters/console_table.ts";
import {
  amount,
  bytes,
  clean,
  cut,
  duration,
  fold,
  left,
  paint,
  percent,
  perSecond,
} from "../exporters/console_text.ts";
import * as model from "./metrics_model.ts";

const GIB = 2 ** 30;
const HOST: Attributes = {
  "host.name": "edge-1",
  "os.description": "Debian GNU/Linux 13 (trixie)",
  "host.arch": "arm64",
};
const PLAIN = { width: 80, color: false, resource: HOST };

type Kind = "counter" | "updowncounter" | "gauge";

/** Name, kind, value now, growth since ten seconds ago, attributes. */
type Row = readonly [name: string, kind: Kind, now: number, grown: number, attributes?: Attributes];

function mode(mode: string, now: number, grown: number): Row {
  return ["system.cpu.time", "counter", now, grown, { "cpu.mode": mode }];
}

function device(name: string): readonly Row[] {
  const of = (way: string): Attributes => ({ "system.device": name, "disk.io.direction": way });
  return [
    ["system.disk.io", "counter", 9 * GIB, 12_345_678, of("read")],
    ["system.disk.io", "counter", 5 * GIB, 345_000, of("write")],
    ["system.disk.operations", "counter", 90_000, 521, of("read")],
    ["system.disk.operations", "counter", 50_000, 40, of("write")],
    ["system.disk.io_time", "counter", 800, 7.6, { "system.device": name }],
  ];
}

function network(name: string): readonly Row[] {
  const of = (way: string): Attributes => ({ "network.interface.name": name, "network.io.direction": way });
  return ["receive", "transmit"].flatMap((way, i): Row[] => [
    ["system.network.io", "counter", 1e12, 98_765 * (i + 1), of(way)],
    ["system.network.packet.count", "counter", 1e9, 123_456, of(way)],
    ["system.network.errors", "counter", 3, 3, of(way)],
    ["system.network.packet.dropped", "counter", 7, 0, of(way)],
  ]);
}

function filesystem(mountpoint: string, states: Readonly<Record<string, number>>): readonly Row[] {
  return Object.entries(states).map(([state, value]): Row => [
    "system.filesystem.usage",
    "updowncounter",
    value * GIB,
    0,
    { "system.filesystem.mountpoint": mountpoint, "system.filesystem.state": state },
  ]);
}

const ROWS: readonly Row[] = [
  ["system.uptime", "gauge", 273_600.5, 10],
  ...[
    mode("user", 100, 4),
    mode("system", 50, 2),
    mode("iowait", 9, 1),
    mode("idle", 9000, 12.8),
    mode("steal", 1, 0.2),
  ],
  ["system.cpu.load_average.1m", "gauge", 0.52, 0],
  ["system.cpu.load_average.5m", "gauge", 1.4, 0],
  ["system.cpu.load_average.15m", "gauge", 12, 0],
  ["system.cpu.logical.count", "updowncounter", 2, 0],
  ["system.process.linux.runnable", "updowncounter", 3, 0],
  ["system.process.linux.blocked", "updowncounter", 0, 0],
  ["system.memory.usage", "updowncounter", 3.2 * GIB, 0, { "system.memory.state": "used" }],
  ["system.memory.linux.available", "updowncounter", 0.8 * GIB, 0],
  ["system.paging.usage", "updowncounter", 0.1 * GIB, 0, {
    "system.paging.state": "used",
    "system.device": "a",
  }],
  ["system.paging.usage", "updowncounter", 1.9 * GIB, 0, {
    "system.paging.state": "free",
    "system.device": "a",
  }],
  ["system.cpu.linux.pressure.total", "counter", 7, 0.031, { "system.linux.pressure.stall_type": "some" }],
  ["system.io.linux.pressure.total", "counter", 7, 1.25, { "system.linux.pressure.stall_type": "some" }],
  ["hw.temperature", "gauge", 61.4, 0, { "hw.name": "cpu_thermal" }],
  ...device("mmcblk0"),
  ...network("eth0"),
  ...filesystem("/", { used: 20, free: 8, reserved: 2 }),
  ...filesystem("/srv/data", { used: 470, free: 20, reserved: 0 }),
  ["system.cpu.linux.context_switches", "counter", 1e9, 123_400],
  ["system.process.created", "counter", 1e5, 7],
  ["system.memory.linux.oom_kills", "counter", 2, 0],
  ["process.cpu.time", "counter", 12, 0.011, { "cpu.mode": "user" }],
  ["process.memory.usage", "updowncounter", 49 * 2 ** 20, 0],
];

/** The snapshots of now and of ten seconds ago. */
function pair(rows: readonly Row[]): readonly [Snapshot, Snapshot] {
  const points = (when: (now: number, grown: number) => number): Point[] =>
    rows.map(([name, kind, now, grown, attributes]) =>
      model.point(series(model.descriptor(name, kind, "double"), attributes), when(now, grown))
    );
  const now = {
    ...model.snapshot(points((now) => now)),
    omitted: [{ what: "/proc/pressure/irq", why: "absent" }],
  };
  return [now, model.snapshot(points((now, grown) => now - grown), model.TIME_NS - 10_000_000_000n)];
}

Deno.test("table() gives the golden screen", async () => {
  const text = table(...pair(ROWS), PLAIN);
  const path = new URL("./fixtures/console/table.txt", import.meta.url);
  if (Deno.args.includes("--update")) await Deno.writeTextFile(path, text);
  assertEquals(text, await Deno.readTextFile(path));
});

Deno.test("table() shows no rate without an earlier snapshot", () => {
  const [now] = pair(ROWS);
  const text = table(now, undefined, PLAIN);
  assert(text.includes("rates from the next reading on"));
  assertEquals(text.match(/\d\/s/g), null);
});

Deno.test("table() shows no rate after a reset, a fall or another device behind the name", () => {
  const [now, before] = pair([["system.process.created", "counter", 100, 7]]);
  const [point] = now.points;
  assert(point !== undefined && table(now, before, PLAIN).includes("new processes 0.7/s"));
  const others: readonly Point[] = [
    { ...point, startNs: point.startNs + 1n },
    { ...point, value: 1 },
    { ...point, series: { ...point.series, identity: "2" } },
  ];
  for (const other of others) {
    assert(table({ ...now, points: [other] }, before, PLAIN).includes("new processes -"));
  }
});

Deno.test("table() lists the busiest and fullest first, eight at most", () => {
  const rows = Array.from({ length: 11 }, (_, i) => filesystem(`/m${i}`, { used: i, free: 10 })).flat();
  const lines = table(...pair(rows), PLAIN).split("\n");
  const shown = lines.filter((line) => line.startsWith("/m")).map((line) => line.split(" ")[0]);
  assertEquals(shown, [10, 9, 8, 7, 6, 5, 4, 3].map((i) => `/m${i}`));
  assert(lines.includes("and 3 more"));
});

Deno.test("table() fits the width and holds no control character, whatever devices are called", () => {
  const names = [
    "\x1b]0;owned\x07",
    "a\nb",
    "\u202eevil",
    "x".repeat(300),
    "日本語".repeat(20),
    "\ud800",
    "",
  ];
  const rows = [
    ...ROWS,
    ...names.flatMap((
      name,
    ) => [...filesystem(name, { used: 1, free: 1 }), ...device(name), ...network(name)]),
  ];
  for (const width of [20, 60, 80, 132]) {
    const text = table(...pair(rows), { ...PLAIN, width, resource: { "host.name": "\x1b[31mh" } });
    assertEquals(text.match(/[^\P{C}\n]/gu), null);
    for (const line of text.split("\n")) assertEquals(cut(line, width), line);
  }
});

Deno.test("table() colours only when asked, and colour changes no character", () => {
  const [now, before] = pair(ROWS);
  const colored = table(now, before, { ...PLAIN, color: true });
  const stripped = colored.replaceAll(/\p{Cc}\[\d*m/gu, "").split("\n").map((line) => line.trimEnd()).join(
    "\n",
  );
  assert(colored !== stripped);
  assertEquals(stripped, table(now, before, PLAIN));
});

Deno.test("table() of a host that shows nothing is a heading and a count", () => {
  assertEquals(table(model.snapshot([]), model.snapshot([], 1n), { width: 80, color: false }).split("\n"), [
    "this host",
    "",
    "0 points in 0 metrics",
    "",
  ]);
});

Deno.test("table() ignores series of the other namings", () => {
  const [now, before] = pair([mode("user", 10, 5), mode("idle", 10, 5)]);
  const extra = now.points.map((point) => ({
    ...point,
    series: { ...point.series, namings: ["collector" as const] },
  }));
  assert(table({ ...now, points: [...now.points, ...extra] }, before, PLAIN).includes("50.0 %"));
});

Deno.test("bytes(), amount(), percent(), perSecond() and duration() use few digits", () => {
  assertEquals([0, 1, 999, 1023, 1024, 10_240, 1e6, 5e12, 2 ** 62].map(bytes), [
    ...["0 B", "1 B", "999 B", "1.00 KiB", "1.00 KiB", "10.0 KiB", "977 KiB", "4.55 TiB", "4096 PiB"],
  ]);
  assertEquals([0, 7, 1234, 56_789, 9e9].map(amount), ["0", "7", "1.23k", "56.8k", "9.00G"]);
  assertEquals([0, 0.1234, 1].map(percent), ["0.0 %", "12.3 %", "100.0 %"]);
  assertEquals([0, 0.04, 0.7, 9.96, 1234].map(perSecond), ["0/s", "0/s", "0.7/s", "10/s", "1.23k/s"]);
  assertEquals([0, 59, 61, 3600, 90_061].map(duration), ["0 s", "59 s", "1 min 1 s", "1 h 0 min", "1 d 1 h"]);
  assertEquals([bytes(undefined), amount(undefined), percent(undefined), perSecond(undefined)], [
    "-",
    "-",
    "-",
    "-",
  ]);
});

Deno.test("cut(), left() and clean() count columns, not characters", () => {
  assertEquals([cut("日本語", 6), cut("日本語", 5), cut("abc", 2), cut("e\u0301e", 2), cut("ab", 0)], [
    ...["日本語", "日本…", "a…", "e\u0301e", ""],
  ]);
  assertEquals(left("日", 4), "日  ");
  assertEquals(clean("a\x1b[0m\u2028b\ud800"), "a\ufffd[0m\ufffdb\ufffd");
});

Deno.test("fold() lets a long line go on below, words whole and in their colour", () => {
  const line = [["failed  ", "dim"], ["no answer from the backend", "bad"]] as const;
  assertEquals(
    paint(fold([line, [["short"]]], 22), 22, false),
    "failed  no answer from\n    the backend\nshort\n",
  );
  assertEquals(
    paint(fold([line], 22), 22, true),
    "\x1b[2mfailed  \x1b[0m\x1b[31mno answer from\x1b[0m\n    \x1b[31mthe backend\x1b[0m\n",
  );
  assertEquals(paint(fold([[["x".repeat(30)]]], 10), Infinity, false), `${"x".repeat(30)}\n`);
});
