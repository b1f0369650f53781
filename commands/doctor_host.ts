/**
 * The host's side of a diagnosis: who runs this, what the kernel shows, whether the clock can be believed.
 * @module
 */
import type { Snapshot } from "../collectors/metric.ts";
import type { CollectorStats } from "../collectors/run.ts";
import type { Check } from "./doctor_check.ts";

/** Capabilities that matter here, by their bit (linux/capability.h). */
const CAPABILITIES: Readonly<Record<number, string>> = {
  2: "CAP_DAC_READ_SEARCH",
  19: "CAP_SYS_PTRACE",
  21: "CAP_SYS_ADMIN",
};
const SHOWN_MAX = 3;
/** Backends refuse data that is minutes off; a warning comes earlier. */
const SKEW_SECONDS_MAX = 30;

function field(status: string, name: string): string | undefined {
  return new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1];
}

/** From /proc/self/status: user, capabilities, seccomp, no-new-privileges. */
export function checkPrivileges(status: string): Check {
  const uid = field(status, "Uid") ?? "?";
  const bits = BigInt(`0x${field(status, "CapEff") ?? "0"}`);
  const named = Object.entries(CAPABILITIES).filter(([bit]) => (bits >> BigInt(bit)) & 1n).map(([, name]) =>
    name
  );
  const words = [
    `uid ${uid}`,
    bits === 0n ? "no capabilities" : `capabilities ${named.join(" ") || `0x${bits.toString(16)}`}`,
    field(status, "NoNewPrivs") === "1" ? "no new privileges" : "",
    Number(field(status, "Seccomp") ?? 0) > 0 ? "seccomp filter" : "",
  ].filter((word) => word !== "");
  return { name: "privileges", state: "ok", what: words.join(", ") };
}

/** What this host hides or gets wrong, from a real cycle. */
export function checkSources({ points, omitted }: Snapshot, stats: readonly CollectorStats[]): Check {
  const faulty = stats.filter(({ fault }) => fault !== undefined).map(({ name, fault }) =>
    `${name}: ${fault}`
  );
  const missing = [...faulty, ...omitted.map(({ what, why }) => `${what}: ${why}`)];
  const what = `${points.length} points from ${stats.length} collectors`;
  if (missing.length === 0) return { name: "sources", state: "ok", what };
  const more = missing.length > SHOWN_MAX ? `; and ${missing.length - SHOWN_MAX} more` : "";
  return {
    name: "sources",
    state: "warn",
    what: `${what}; left out, not guessed: ${missing.slice(0, SHOWN_MAX).join("; ")}${more}`,
    next:
      "Type sonde once --dry-run --format json for the whole list, or take what you do not need out with " +
      "SONDE_COLLECTORS=-NAME",
  };
}

/** What decides about the clock. */
export interface ClockFacts {
  /** The kernel's own word; undefined where it cannot be asked. */
  readonly synchronized: boolean | undefined;
  /** Backend's clock minus ours, seconds. */
  readonly skew: number | undefined;
}

export function checkClock({ synchronized, skew }: ClockFacts): Check {
  const words = [
    synchronized === undefined
      ? ""
      : synchronized
      ? "synchronised"
      : "not synchronised by the kernel's account",
    skew === undefined ? "" : `the backend's clock differs by ${Math.abs(skew).toFixed(0)} s`,
  ].filter((word) => word !== "");
  const what = words.join(", ") || "nobody could be asked";
  const isOff = skew !== undefined && Math.abs(skew) > SKEW_SECONDS_MAX;
  if (!isOff && synchronized !== false) return { name: "clock", state: "ok", what };
  const next =
    "Type timedatectl set-ntp true, or start chronyd; backends refuse data from the future or the past";
  return { name: "clock", state: "warn", what, next };
}
