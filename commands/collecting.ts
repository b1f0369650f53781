/**
 * The collecting half of an agent: its collectors, its sensor, and what of them can change while it lives. A file of
 * its own because it brings most of the program's code: an agent loads it while its courier starts.
 * @module
 */
import { agent as agentCollector, type AgentFigures } from "../collectors/agent.ts";
import type { Attributes, Naming } from "../collectors/metric.ts";
import { collectors } from "../collectors/registry.ts";
import type { Settings } from "../config/settings.ts";
import { CollectorChoice } from "./collector_choice.ts";
import type { Context } from "./context.ts";
import { openSensor, rememberedOf, type Sensor } from "./sensor.ts";

/** Collectors that run, and what an operator may change about them. */
export interface Collecting {
  readonly sensor: Sensor;
  /** Takes what of other settings can change live; gives the names of collectors that need a restart. */
  follow(settings: Settings): string[];
}

/** What the agent knows and its collectors want to. */
export interface CollectingOptions {
  /** Root of an earlier recording of the host, to be looked at first. */
  readonly previous: string | undefined;
  /** Attributes that are not the host's. */
  readonly attributes: Attributes;
  /** What an earlier life left in counters.json. */
  readonly found: unknown;
  /** Seconds to add to our clock to have a backend's. */
  readonly clockSkew: () => number | undefined;
  /** What it can tell about itself. */
  readonly own: (sensor: Sensor) => AgentFigures;
}

/** Name sets that somebody wants: the lanes', and the console's where something is printed. */
function namingsOf({ lanes, isConsole, naming }: Settings): Naming[] {
  const wanted = lanes.filter((lane) => lane.signal === "metrics").map((lane) => lane.naming);
  return [...new Set(isConsole || wanted.length === 0 ? [...wanted, naming] : wanted)];
}

/** Opens every file that is read from now on. Throws UsageError for an earlier recording that is none. */
export function openCollecting(
  settings: Settings,
  { now }: Pick<Context, "now">,
  { previous, attributes, found, clockSkew, own }: CollectingOptions,
): Collecting {
  const opened: { sensor?: Sensor } = {};
  const self = agentCollector(() =>
    opened.sensor === undefined
      ? { collectors: [], omissions: 0, discarded: {}, lanes: [] }
      : own(opened.sensor)
  );
  const choice = new CollectorChoice(settings, clockSkew);
  const host = collectors(choice);
  const all = settings.hasSelfTelemetry ? [...host, self] : host;
  const sensor = opened.sensor = openSensor(all, { ...settings, previous }, {
    namings: namingsOf(settings),
    walks: choice.processStates,
    commandLines: choice.processesBy === "command_line",
    clock: { wall: now, mono: () => performance.now() },
    attributes,
    remembered: rememberedOf(found),
  });
  const follow = (next: Settings): string[] => {
    choice.follow(next);
    return sensor.select(next, namingsOf(next));
  };
  return { sensor, follow };
}
