/**
 * The sensor: everything a cycle needs, opened while all permissions are there and used after they are gone.
 * Opening takes the host's files; a cycle only re-reads them.
 * @module
 */
import { BootClock, type SavedBoot } from "../collectors/boot_clock.ts";
import type { Collector, Cycle, Host, Statfs } from "../collectors/collector.ts";
import { CounterLedger } from "../collectors/counters.ts";
import { type HostRoot, hostRoot, type KernelCalls, locate, openHost } from "../collectors/host.ts";
import type { Attributes, Naming, Snapshot } from "../collectors/metric.ts";
import { hostResource } from "../collectors/resource.ts";
import { CollectorRun, type CollectorStats } from "../collectors/run.ts";
import type { Source } from "../collectors/source.ts";
import { LIBC_SYMBOLS, type LibcCalls, openLibc } from "../collectors/statfs.ts";
import type { Choice } from "../config/glob.ts";
import type { HostFolders } from "../config/host_folders.ts";
import { nanoseconds } from "../exporters/clock.ts";
import { PLAUSIBLE_NS } from "./clock_guard.ts";
import { UsageError } from "./command_line.ts";
import { collectorSelector, selectionOf } from "./collector_choice.ts";
import { openWalker, type Walker } from "./process_walker.ts";
import { earlierCycle, type Recorded, recordedAt, uptimeOf } from "./replay.ts";

/** What the sensor has to know of the configuration. */
export interface SensorSettings {
  readonly root: string;
  readonly collectors: readonly Choice[];
  readonly metrics: readonly Choice[];
  readonly hostFolders?: HostFolders;
  /** Root of an earlier recording of the same host. */
  readonly previous?: string | undefined;
}

/** What an earlier life remembered of its counters (counters.json); every part may be missing or stale. */
export interface Remembered {
  readonly boot?: SavedBoot | undefined;
  readonly ledger?: unknown;
}

const isText = (value: unknown): value is string => typeof value === "string";

/** Reads what `remember` gave in an earlier life; parts that are not what they should be are left out. */
export function rememberedOf(found: unknown): Remembered {
  if (typeof found !== "object" || found === null) return {};
  const { boot, ledger }: { boot?: Partial<SavedBoot>; ledger?: unknown } = { ...found };
  const isBoot = isText(boot?.bootId) && isText(boot.bootNs);
  return { ...(isBoot ? { boot: { bootId: boot.bootId, bootNs: boot.bootNs } } : {}), ledger };
}

/** Time as a cycle needs it. */
export interface CycleClock {
  /** Wall clock, milliseconds since 1970. */
  readonly wall: () => number;
  readonly mono: () => number;
}

/** How long the first cycle waits for figures that may block. */
const FIRST_REFRESH_MS = 1000;

/** Where /proc, /sys and /etc stand: below the root, or where the environment says (host-metrics P22). */
const rootOf = ({ root, hostFolders = {} }: SensorSettings): HostRoot => hostRoot(root, hostFolders);

/** The open sensor. */
export class Sensor {
  #resource: Attributes;
  readonly #run: CollectorRun;
  readonly #libc: LibcCalls | undefined;
  readonly #uptime: Source | undefined;
  readonly #clock: CycleClock;
  readonly #boot: BootClock;
  readonly #ledger: CounterLedger;
  readonly #collectors: readonly Collector[];
  readonly #recorded: readonly [later: Recorded, earlier: Recorded] | undefined;
  readonly #walker: Walker | undefined;
  #omissions = 0;

  constructor(parts: {
    readonly run: CollectorRun;
    readonly resource: Attributes;
    readonly libc: LibcCalls | undefined;
    readonly uptimePath: string;
    readonly clock: CycleClock;
    readonly boot: BootClock;
    readonly ledger: CounterLedger;
    readonly collectors: readonly Collector[];
    readonly recorded: readonly [later: Recorded, earlier: Recorded] | undefined;
    readonly walker: Walker | undefined;
  }) {
    this.#run = parts.run;
    this.#collectors = parts.collectors;
    this.#recorded = parts.recorded;
    this.#walker = parts.walker;
    this.#resource = parts.resource;
    this.#libc = parts.libc;
    this.#clock = parts.clock;
    this.#boot = parts.boot;
    this.#ledger = parts.ledger;
    this.#uptime = parts.run.sources.open(parts.uptimePath);
  }

  /** Who the data is about. */
  get resource(): Attributes {
    return this.#resource;
  }

  /** Takes another identity of the installation, from the next cycle on. */
  identify(uid: string): void {
    this.#resource = { ...this.#resource, "service.instance.id": uid };
  }

  /** Starts the slow work that is due and waits for it at most this long. */
  async refresh(deadlineMs: number = FIRST_REFRESH_MS): Promise<void> {
    await this.#run.refresh(this.#clock.mono(), deadlineMs);
  }

  /** True when slow work falls due within so many milliseconds. */
  hasSlowWork(withinMs: number): boolean {
    return this.#run.hasSlowWork(this.#clock.mono() + withinMs);
  }

  /** One turn. Never throws for what the kernel says. */
  collect(): Snapshot {
    const cycle = this.#now();
    this.#boot.observe(cycle);
    const snapshot = this.#run.collect(cycle);
    this.#omissions = snapshot.omitted.length;
    return snapshot;
  }

  /** The turn of the earlier recording, before any other; undefined when there is none. */
  collectEarlier(): Snapshot | undefined {
    if (this.#recorded === undefined) return undefined;
    const cycle = earlierCycle(this.#now(), ...this.#recorded);
    this.#boot.observe(cycle);
    return this.#run.collectEarlier(cycle);
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
      timeNs: nanoseconds(this.#clock.wall()),
      uptime: this.#readUptime(),
      monotonicMs: this.#clock.mono(),
    };
  }

  #readUptime(): number | undefined {
    try {
      return uptimeOf(this.#uptime?.read(this.#run.nextCycle));
    } catch {
      return undefined;
    }
  }

  /** Reads every kept file once more: how many there are, and how many fail. */
  reread(): { files: number; failed: number } {
    return this.#run.reread();
  }

  /** What a filesystem has left; undefined where it cannot be asked. */
  async statfs(path: string): Promise<Statfs | undefined> {
    return await this.#libc?.statfs(path);
  }

  /** The account of every collector. */
  stats(): CollectorStats[] {
    return this.#run.stats();
  }

  /**
   * Changes what is wanted, from the next cycle on. Names of collectors that are wanted now and were not prepared
   * come back: their files can only be opened by a restart.
   */
  select(settings: Pick<SensorSettings, "collectors" | "metrics">, namings: readonly Naming[]): string[] {
    const isWanted = collectorSelector(settings);
    const wanted = new Set(this.#collectors.filter(isWanted).map(({ name }) => name));
    this.#run.select(selectionOf(settings.metrics, namings));
    return this.#run.enable(wanted);
  }

  /** What it still holds, for `sandbox`. */
  holdings(): { files: string[]; symbols: readonly string[]; processes: readonly string[] } {
    return {
      files: this.#run.sources.paths,
      symbols: this.#libc === undefined ? [] : LIBC_SYMBOLS,
      processes: this.#walker === undefined ? [] : [this.#walker.description],
    };
  }

  async close(): Promise<void> {
    this.#run.close();
    await this.#walker?.close();
    this.#libc?.close();
  }
}

/** The clocks of the earlier recording. Throws UsageError when there is none. */
function earlierRecording(host: Host, { proc }: HostRoot): Recorded {
  if (!host.exists("/proc")) {
    throw new UsageError(
      `--previous needs a recording: "${proc}" is not there`,
      "name a folder that holds proc",
    );
  }
  return recordedAt(host);
}

/** Opens the host and every file of the enabled collectors. Throws UsageError for an earlier recording that is none. */
export function openSensor(all: readonly Collector[], settings: SensorSettings, options: {
  readonly namings: readonly Naming[];
  /** A walker over /proc may be started: somebody asked for what only it can tell. */
  readonly walks?: boolean;
  /** The walker also reads command lines. */
  readonly commandLines?: boolean;
  readonly clock: CycleClock;
  /** Attributes that are not the host's: service.*, the operator's own. */
  readonly attributes: Attributes;
  readonly remembered: Remembered;
}): Sensor {
  const root = rootOf(settings);
  const libc = openLibc();
  const walker = options.walks === true ? openWalker(root.proc, options.commandLines === true) : undefined;
  const kernel: KernelCalls = {
    statfs: (path) => libc?.statfs(path) ?? Promise.resolve(undefined),
    adjtimex: () => libc?.adjtimex(),
    fstat: (descriptor) => libc?.fstat(descriptor),
    getrusage: () => libc?.getrusage(),
    ...(walker === undefined ? {} : { walk: () => walker.walk() }),
  };
  const host = openHost(root, kernel);
  const earlier = settings.previous === undefined ? undefined : hostRoot(settings.previous);
  const at = (path: string) => locate(root, path);
  const bootId = host.read("/proc/sys/kernel/random/boot_id")?.trim();
  const boot = new BootClock({ bootId, plausibleNs: PLAUSIBLE_NS, saved: options.remembered.boot });
  const ledger = new CounterLedger({ clock: boot, is32Bit: host.is32Bit, saved: options.remembered.ledger });
  const run = new CollectorRun(all.filter(collectorSelector(settings)), host, {
    ledger,
    selection: selectionOf(settings.metrics, options.namings),
    locate: at,
    ...(earlier === undefined ? {} : { locateEarlier: (path: string) => locate(earlier, path) }),
  });
  const recorded = earlier === undefined
    ? undefined
    : [recordedAt(host), earlierRecording(openHost(earlier, kernel), earlier)] as const;
  const resource = { ...hostResource(host, Deno.build.arch), ...options.attributes };
  return new Sensor({
    run,
    resource,
    libc,
    uptimePath: at("/proc/uptime"),
    clock: options.clock,
    boot,
    ledger,
    collectors: all,
    recorded,
    walker,
  });
}
