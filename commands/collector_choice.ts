/**
 * What the operator decided about collectors, in the form collectors ask for it: read again in every cycle, so that
 * what may change live does (design 2).
 * @module
 */
import type { Collector } from "../collectors/collector.ts";
import type { Descriptor, Naming } from "../collectors/metric.ts";
import type { CollectorOptions } from "../collectors/registry.ts";
import type { Selection } from "../collectors/run.ts";
import { type Choice, selector } from "../config/glob.ts";
import type { Settings } from "../config/settings.ts";

/** The settings that collectors depend on. */
export type CollectorSettings = Pick<
  Settings,
  | "collectors"
  | "metrics"
  | "perCpu"
  | "diskExclude"
  | "networkExclude"
  | "filesystemExclude"
  | "filesystemTypes"
  | "sysctl"
  | "processesTop"
  | "processesBy"
  | "overviewPrefix"
  | "root"
>;

/** Decides about every metric by the operator's choices; opt-in metrics are off by default. */
export function selectionOf(metrics: readonly Choice[], namings: readonly Naming[]): Selection {
  const isChosen = selector(metrics);
  return { namings, wants: (descriptor: Descriptor) => isChosen(descriptor.name, descriptor.on !== false) };
}

/** Whether a collector is wanted; one named in a choice of metrics needs its collector too. */
export function collectorSelector(
  settings: Pick<Settings, "collectors" | "metrics">,
): (collector: Collector) => boolean {
  const isChosen = selector(settings.collectors);
  const asked = selector(settings.metrics);
  return (collector) => {
    const isAsked = collector.descriptors.some((metric) => asked(metric.name, false));
    return isChosen(collector.name, collector.on !== false || isAsked);
  };
}

/** True when somebody asked for the walk over /proc: by its collector's name or by a top list. */
export function wantsWalk(settings: Pick<Settings, "collectors" | "processesTop">): boolean {
  return selector(settings.collectors)("process_table", settings.processesTop > 0);
}

/** The options of all collectors, following the settings they were last given. */
export class CollectorChoice implements CollectorOptions {
  readonly sysctl: readonly string[];
  readonly rootPrefix: string;
  readonly processStates: boolean;
  readonly processesTop: number;
  readonly processesBy: "executable" | "pid" | "command_line";
  readonly overviewPrefix?: string;
  readonly httpOffset: () => number | undefined;
  #settings: CollectorSettings;

  constructor(settings: CollectorSettings, httpOffset: () => number | undefined = () => undefined) {
    this.#settings = settings;
    this.httpOffset = httpOffset;
    // These decide about files and processes, which can only be opened at start.
    this.sysctl = settings.sysctl;
    this.rootPrefix = settings.root === "/" ? "" : settings.root;
    this.processStates = wantsWalk(settings);
    this.processesTop = settings.processesTop;
    this.processesBy = settings.processesBy;
    if (settings.overviewPrefix !== undefined) this.overviewPrefix = settings.overviewPrefix;
  }

  /** Takes other settings, from the next cycle on. */
  follow(settings: CollectorSettings): void {
    this.#settings = settings;
  }

  get perCpu(): boolean {
    return this.#settings.perCpu;
  }

  get diskExclude(): readonly string[] {
    return this.#settings.diskExclude;
  }

  get networkExclude(): readonly string[] {
    return this.#settings.networkExclude;
  }

  get filesystemExclude(): readonly string[] {
    return this.#settings.filesystemExclude;
  }

  get filesystemTypes(): readonly string[] {
    return this.#settings.filesystemTypes;
  }

  /** The own control group is of interest outside a container once it is asked for by name. */
  get containerEverywhere(): boolean {
    const { collectors, metrics } = this.#settings;
    return selector(collectors)("container", false) || selector(metrics)("container.cpu.time", false) ||
      metrics.some(({ on, pattern }) => on && pattern.startsWith("container."));
  }
}
