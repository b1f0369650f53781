/**
 * The sensor: everything a cycle needs, opened while all permissions are there and used after they are gone.
 * Opening takes the host's files; a cycle only re-reads them.
 * @module
 */
import type { Collector, Cycle } from "../collectors/collector.ts";
import { type HostRoot, hostRoot, locate, openHost } from "../collectors/host.ts";
import type { Attributes, Descriptor, Naming, Snapshot } from "../collectors/metric.ts";
import { hostResource } from "../collectors/resource.ts";
import { CollectorRun, type CollectorStats, type Ledger, type Selection } from "../collectors/run.ts";
import { readFileOnce, Source } from "../collectors/source.ts";
import { LIBC_SYMBOLS, type LibcCalls, openLibc } from "../collectors/statfs.ts";
import { type Choice, selector } from "../config/glob.ts";

/** What the sensor has to know of the configuration. */
export interface SensorSettings {
  readonly root: string;
  readonly collectors: readonly Choice[];
  readonly metrics: readonly Choice[];
}

/** Time as a cycle needs it. */
export interface CycleClock {
  /** Wall clock, milliseconds since 1970. */
  readonly wall: () => number;
  readonly mono: () => number;
}

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
  #cycle = 0;

  constructor(parts: {
    readonly run: CollectorRun;
    readonly resource: Attributes;
    readonly libc: LibcCalls | undefined;
    readonly uptimePath: string;
    readonly clock: CycleClock;
  }) {
    this.#run = parts.run;
    this.resource = parts.resource;
    this.#libc = parts.libc;
    this.#clock = parts.clock;
    this.#uptime = parts.run.sources.open(parts.uptimePath);
  }

  /** Starts the slow work that is due and waits for it at most this long. */
  async refresh(deadlineMs: number = FIRST_REFRESH_MS): Promise<void> {
    await this.#run.refresh(this.#clock.mono(), deadlineMs);
  }

  /** One turn. Never throws for what the kernel says. */
  collect(): Snapshot {
    this.#cycle++;
    return this.#run.collect(this.#now());
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
  readonly ledger: (host: { bootId: string | undefined; uptime: number | undefined }) => Ledger;
}): Sensor {
  const root = rootOf(settings.root, options.env);
  const libc = openLibc();
  const host = openHost(root, {
    statfs: (path) => libc?.statfs(path) ?? Promise.resolve(undefined),
    adjtimex: () => libc?.adjtimex(),
  });
  const at = (path: string) => locate(root, path);
  const ledger = options.ledger({
    bootId: host.read("/proc/sys/kernel/random/boot_id")?.trim(),
    uptime: uptimeOf(readOrUndefined(at("/proc/uptime"))),
  });
  const run = new CollectorRun(enabledCollectors(all, settings), host, {
    ledger,
    selection: selectionOf(settings.metrics, options.namings),
    locate: at,
  });
  const resource = { ...hostResource(host, Deno.build.arch), ...options.attributes };
  return new Sensor({ run, resource, libc, uptimePath: at("/proc/uptime"), clock: options.clock });
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileOnce(path);
  } catch {
    return undefined;
  }
}
