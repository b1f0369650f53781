/**
 * The sensor: everything a cycle needs, opened while all permissions are there and used after they are gone.
 * Opening takes the host's files; a cycle only re-reads them.
 * @module
 */
import { BootClock, type SavedBoot } from "../collectors/boot_clock.ts";
import type { Collector, Cycle } from "../collectors/collector.ts";
import { CounterLedger } from "../collectors/counters.ts";
import { type HostRoot, hostRoot, locate, openHost } from "../collectors/host.ts";
import type { Attributes, Descriptor, Naming, Snapshot } from "../collectors/metric.ts";
import { hostResource } from "../collectors/resource.ts";
import { CollectorRun, type CollectorStats, type Selection } from "../collectors/run.ts";
import type { Source } from "../collectors/source.ts";
import { LIBC_SYMBOLS, type LibcCalls, openLibc } from "../collectors/statfs.ts";
import { type Choice, selector } from "../config/glob.ts";

/** What the sensor has to know of the configuration. */
export interface SensorSettings {
  readonly root: string;
  readonly collectors: readonly Choice[];
  readonly metrics: readonly Choice[];
}

/** What an earlier life remembered of its counters (counters.json); every part may be missing or stale. */
export interface Remembered {
  readonly boot?: SavedBoot | undefined;
  readonly ledger?: unknown;
}

/** Time as a cycle needs it. */
export interface CycleClock {
  /** Wall clock, milliseconds since 1970. */
  readonly wall: () => number;
  readonly mono: () => number;
}

/** No clock before this can be right: when this version was written (otlp M4). */
const PLAUSIBLE_NS = BigInt(Date.UTC(2026, 10, 1)) * 1_000_000n;

/** How long the first cycle waits for figures that may block. */
const FIRST_REFRESH_MS = 1000;

/** Decides about every metric by the operator's choices; opt-in metrics are off by default. */
export function selectionOf(metrics: readonly Choice[], namings: readonly Naming[]): Selection {
  const isChosen = selector(metrics);
  return { namings, wants: (descriptor: Descriptor) => isChosen(descriptor.name, descriptor.on !== false) };
}

/** The collectors the operator wants; one named in a choice of metrics needs its collector too. */
export function enabledCollectors(all: readonly Collector[], settings: SensorSettings): Collector[] {
  const isChosen = selector(settings.collectors);
  const asked = selector(settings.metrics);
  const isAsked = (collector: Collector) => collector.descriptors.some((metric) => asked(metric.name, false));
  return all.filter((collector) => isChosen(collector.name, collector.on !== false || isAsked(collector)));
}

/** Where /proc, /sys and /etc stand: below the root, or where the environment says (host-metrics P22). */
export function rootOf(root: string, env: Readonly<Record<string, string>>): HostRoot {
  const part = (name: string) => env[name] === undefined || env[name] === "" ? undefined : env[name];
  const [proc, sys, etc] = [part("HOST_PROC"), part("HOST_SYS"), part("HOST_ETC")];
  const own = root === "/";
  return hostRoot(root, {
    ...(own && proc !== undefined ? { proc } : {}),
    ...(own && sys !== undefined ? { sys } : {}),
    ...(own && etc !== undefined ? { etc } : {}),
  });
}

/** The open sensor. */
export class Sensor {
  readonly resource: Attributes;
  readonly #run: CollectorRun;
  readonly #libc: LibcCalls | undefined;
  readonly #uptime: Source | undefined;
  readonly #clock: CycleClock;
  readonly #boot: BootClock;
  readonly #ledger: CounterLedger;
  #cycle = 0;
  #omissions = 0;

  constructor(parts: {
    readonly run: CollectorRun;
    readonly resource: Attributes;
    readonly libc: LibcCalls | undefined;
    readonly uptimePath: string;
    readonly clock: CycleClock;
    readonly boot: BootClock;
    readonly ledger: CounterLedger;
  }) {
    this.#run = parts.run;
    this.resource = parts.resource;
    this.#libc = parts.libc;
    this.#clock = parts.clock;
    this.#boot = parts.boot;
    this.#ledger = parts.ledger;
    this.#uptime = parts.run.sources.open(parts.uptimePath);
  }

  /** Starts the slow work that is due and waits for it at most this long. */
  async refresh(deadlineMs: number = FIRST_REFRESH_MS): Promise<void> {
    await this.#run.refresh(this.#clock.mono(), deadlineMs);
  }

  /** One turn. Never throws for what the kernel says. */
  collect(): Snapshot {
    this.#cycle++;
    const cycle = this.#now();
    this.#boot.observe(cycle);
    const snapshot = this.#run.collect(cycle);
    this.#omissions = snapshot.omitted.length;
    return snapshot;
  }

  /** Things the last cycle could not say. */
  get omissions(): number {
    return this.#omissions;
  }

  /** What to remember for the next life, and what the delta baseline belongs to. */
  remember(): Remembered {
    return { boot: this.#boot.save(), ledger: this.#ledger.save() };
  }

  /** Identifier of this boot, "" where the kernel gives none. */
  get bootId(): string {
    return this.#boot.bootId ?? "";
  }

  #now(): Cycle {
    return {
      timeNs: BigInt(Math.round(this.#clock.wall() * 1000)) * 1000n,
      uptime: this.#readUptime(),
      monotonicMs: this.#clock.mono(),
    };
  }

  #readUptime(): number | undefined {
    try {
      return uptimeOf(this.#uptime?.read(this.#cycle));
    } catch {
      return undefined;
    }
  }

  /** Reads every kept file once more: how many there are, and how many fail. */
  reread(): { files: number; failed: number } {
    return this.#run.reread();
  }

  /** The account of every collector. */
  stats(): CollectorStats[] {
    return this.#run.stats();
  }

  /** Changes what is wanted, from the next cycle on. */
  select(selection: Selection): void {
    this.#run.select(selection);
  }

  /** What it still holds, for `sandbox`. */
  holdings(): { files: string[]; symbols: readonly string[] } {
    return { files: this.#run.sources.paths, symbols: this.#libc === undefined ? [] : LIBC_SYMBOLS };
  }

  close(): void {
    this.#run.close();
    this.#libc?.close();
  }
}

/** Seconds since boot: the first field of /proc/uptime. */
export function uptimeOf(text: string | undefined): number | undefined {
  const seconds = Number(text?.split(" ", 1)[0]);
  return Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
}

/** Opens the host and every file of the enabled collectors. */
export function openSensor(all: readonly Collector[], settings: SensorSettings, options: {
  readonly env: Readonly<Record<string, string>>;
  readonly namings: readonly Naming[];
  readonly clock: CycleClock;
  /** Attributes that are not the host's: service.*, the operator's own. */
  readonly attributes: Attributes;
  readonly remembered: Remembered;
}): Sensor {
  const root = rootOf(settings.root, options.env);
  const libc = openLibc();
  const host = openHost(root, {
    statfs: (path) => libc?.statfs(path) ?? Promise.resolve(undefined),
    adjtimex: () => libc?.adjtimex(),
  });
  const at = (path: string) => locate(root, path);
  const bootId = host.read("/proc/sys/kernel/random/boot_id")?.trim();
  const boot = new BootClock({ bootId, plausibleNs: PLAUSIBLE_NS, saved: options.remembered.boot });
  const ledger = new CounterLedger({ clock: boot, is32Bit: host.is32Bit, saved: options.remembered.ledger });
  const run = new CollectorRun(enabledCollectors(all, settings), host, {
    ledger,
    selection: selectionOf(settings.metrics, options.namings),
    locate: at,
  });
  const resource = { ...hostResource(host, Deno.build.arch), ...options.attributes };
  return new Sensor({
    run,
    resource,
    libc,
    uptimePath: at("/proc/uptime"),
    clock: options.clock,
    boot,
    ledger,
  });
}
