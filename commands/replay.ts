/**
 * Two recordings of one host as two moments: how much time lies between them is in the recordings themselves, and a
 * clock that was set in between shows as well (contract: `once --root A --previous B`).
 * @module
 */
import type { Cycle, Host } from "../collectors/collector.ts";
import { count, lineAfter } from "../collectors/text.ts";
import { nanoseconds } from "../exporters/clock.ts";

/** When a tree was recorded, by its own clocks; seconds. */
export interface Recorded {
  readonly uptime: number | undefined;
  /** Boot instant by the wall clock; whole seconds. */
  readonly bootTime: number | undefined;
}

/** Boot times that differ by no more are the same one, rounded. */
const SAME_BOOT_SECONDS = 1;

/** Seconds since boot: the first field of /proc/uptime. */
export function uptimeOf(text: string | undefined): number | undefined {
  const seconds = Number(text?.split(" ", 1)[0]);
  return Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
}

/** Reads a tree's clocks. */
export function recordedAt(host: Pick<Host, "read">): Recorded {
  return {
    uptime: uptimeOf(host.read("/proc/uptime")),
    bootTime: count(lineAfter("\n" + (host.read("/proc/stat") ?? ""), "\nbtime ")),
  };
}

/** The clock of the earlier recording, when the later one is now. */
export function earlierCycle(now: Cycle, later: Recorded, earlier: Recorded): Cycle {
  if (later.uptime === undefined || earlier.uptime === undefined) {
    return { ...now, uptime: earlier.uptime };
  }
  // After a reboot nothing tells how long the host was off: it was up for at least so long.
  const passed = later.uptime > earlier.uptime ? later.uptime - earlier.uptime : later.uptime;
  const stepped = (later.bootTime ?? 0) - (earlier.bootTime ?? later.bootTime ?? 0);
  const wall = passed + (Math.abs(stepped) > SAME_BOOT_SECONDS ? stepped : 0);
  return {
    timeNs: now.timeNs - nanoseconds(wall * 1000),
    uptime: earlier.uptime,
    monotonicMs: now.monotonicMs - passed * 1000,
  };
}
