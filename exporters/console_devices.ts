/**
 * The table's lists of devices: disks, network interfaces, filesystems; the busiest or fullest first, and not more
 * than fit a screen.
 * @module
 */
import type { Attributes } from "../collectors/metric.ts";
import type { Reading } from "./console_reading.ts";
import * as show from "./console_text.ts";
import type { Line, Span } from "./console_text.ts";

/** Devices of one kind on the screen. */
const DEVICES_MAX = 8;
/** Columns of a figure, and of a device's name on a screen of 80. */
const FIGURE = 13;
const FIGURES = 5;

/** A device as one line, with what it is sorted by. */
interface Row {
  readonly name: string;
  readonly weight: number;
  readonly cells: readonly Span[];
}

/** Blocks of lines, one a kind of device. */
export function deviceLines(reading: Reading, width: number): readonly (readonly Line[])[] {
  const nameWidth = Math.max(8, Math.min(48, width - FIGURE * FIGURES));
  return [
    list(["disk", "read", "write", "reads", "writes", "busy"], disks(reading), nameWidth),
    list(["network", "receive", "transmit", "packets", "errors", "dropped"], interfaces(reading), nameWidth),
    list(["filesystem", "size", "used", "free", "full", ""], filesystems(reading), nameWidth),
  ];
}

function list(titles: readonly string[], rows: readonly Row[], nameWidth: number): readonly Line[] {
  if (rows.length === 0) return [];
  const [kind = "", ...columns] = titles;
  const head: Line = [
    [show.left(kind, nameWidth), "title"],
    ...columns.map((title): Span => [show.right(title, FIGURE), "dim"]),
  ];
  const shown = rows.toSorted((a, b) => b.weight - a.weight || a.name.localeCompare(b.name)).slice(
    0,
    DEVICES_MAX,
  );
  const lines = shown.map(({ name, cells }): Line => [[show.left(show.clean(name), nameWidth)], ...cells]);
  const more = rows.length - shown.length;
  return more === 0 ? [head, ...lines] : [head, ...lines, [[`and ${more} more`, "dim"]]];
}

/** A figure in its column; nothing to report is dim. */
function cell(text: string, style: Span[1] = "plain"): Span {
  const isQuiet = text === show.UNKNOWN || text.startsWith("0 ") || text === "0/s" || text === "0.0 %";
  return [show.right(text, FIGURE), isQuiet ? "dim" : style];
}

function disks(reading: Reading): readonly Row[] {
  return reading.values("system.disk.io", "system.device").map((name) => {
    const of = (direction: string): Attributes => ({ "system.device": name, "disk.io.direction": direction });
    const [read, written] = ["read", "write"].map((way) => reading.rate("system.disk.io", of(way)));
    const [reads, writes] = ["read", "write"].map((way) => reading.rate("system.disk.operations", of(way)));
    const busy = reading.rate("system.disk.io_time", { "system.device": name });
    const cells = [
      cell(show.bytesRate(read)),
      cell(show.bytesRate(written)),
      cell(show.perSecond(reads)),
      cell(show.perSecond(writes)),
      cell(show.percent(busy), show.level(busy)),
    ];
    return { name, weight: (read ?? 0) + (written ?? 0), cells };
  });
}

function interfaces(reading: Reading): readonly Row[] {
  const key = "network.interface.name";
  return reading.values("system.network.io", key).map((name) => {
    const [received, sent] = ["receive", "transmit"].map((way) =>
      reading.rate("system.network.io", { [key]: name, "network.io.direction": way })
    );
    const cells = [
      cell(show.bytesRate(received)),
      cell(show.bytesRate(sent)),
      cell(show.perSecond(reading.rate("system.network.packet.count", { [key]: name }))),
      cell(show.perSecond(reading.rate("system.network.errors", { [key]: name })), "bad"),
      cell(show.perSecond(reading.rate("system.network.packet.dropped", { [key]: name })), "warn"),
    ];
    return { name, weight: (received ?? 0) + (sent ?? 0), cells };
  });
}

function filesystems(reading: Reading): readonly Row[] {
  const key = "system.filesystem.mountpoint";
  return reading.values("system.filesystem.usage", key).map((name) => {
    const of = (state: string): number =>
      reading.value("system.filesystem.usage", { [key]: name, "system.filesystem.state": state }) ?? 0;
    const [used, free, reserved] = [of("used"), of("free"), of("reserved")];
    // As df reckons: what is reserved for root is neither used nor free.
    const full = used + free > 0 ? used / (used + free) : undefined;
    const cells: Span[] = [
      cell(show.bytes(used + free + reserved)),
      cell(show.bytes(used)),
      cell(show.bytes(free)),
      cell(show.percent(full), show.level(full)),
      ["   "],
      ...show.bar(full, 10),
    ];
    return { name, weight: full ?? 0, cells };
  });
}
