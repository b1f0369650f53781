/**
 * The start of a life: open everything, spawn the courier, drop all permissions, assert that they are gone. `run`,
 * `once` and `sandbox` all begin here; afterwards nothing can be opened any more (design 2).
 * @module
 */
import { giveBackCode } from "../collectors/libc_pages.ts";
import type { Attributes } from "../collectors/metric.ts";
import { CountersFile } from "../config/counters_file.ts";
import type { Settings } from "../config/settings.ts";
import { openStateDir } from "../config/state_dir.ts";
import { nanoseconds } from "../exporters/clock.ts";
import type { LogRecord } from "../exporters/messages.ts";
import type { NotifySocket } from "../exporters/notify.ts";
import type { LaneReport } from "../exporters/report.ts";
import type { Context } from "./context.ts";
import { type Delivery, type HostFacts, openDelivery } from "./delivery.ts";
import { dropPermissions } from "./drop.ts";
import { installationAttributes, installationId } from "./identity.ts";
import { openOwnState } from "./own_state.ts";
import type { Sensor } from "./sensor.ts";

/** Everything a life needs, open, with no permission left. */
export interface Agent {
  readonly settings: Settings;
  readonly sensor: Sensor;
  /**
   * Applies what of other settings can change live to collecting: excludes, per CPU, collectors, metrics, names. Gives
   * the names of collectors that need a restart.
   */
  follow(settings: Settings): string[];
  /** Leaves to the next life what it has to know of this one's counters. */
  remember(): void;
  /** Has its own metrics tell of these lanes, too. */
  alsoCount(lanes: () => readonly LaneReport[]): void;
  /** Absent when nothing is to be delivered. */
  readonly delivery?: Delivery;
  /** Absent when nothing can be remembered. */
  readonly stateDir?: string;
}

/** What the caller decides about this life. */
export interface AgentOptions {
  /** False: collect only; no state directory, no courier. */
  readonly delivers: boolean;
  /** Root of an earlier recording of the host, to be looked at first. */
  readonly previous?: string | undefined;
  /** The installation as a running agent knows it, when that one delivers; else it is found out here. */
  readonly attributes?: Attributes | undefined;
  /** True for a life that ends by itself: what another process's lock keeps from the spool goes to its inbox. */
  readonly isBrief?: boolean;
  /** Files a reload may read again. */
  readonly files?: readonly string[];
  /** Present when a service manager wants to know how this life goes. */
  readonly notify?: NotifySocket | undefined;
  /** Present when the courier shall host an OpAMP session. */
  readonly opamp?: MessagePort | undefined;
  /** Where the courier's code is, beside main. */
  readonly courierUrl: URL;
  /** True: programs on this host may hand in data, when `SONDE_RECEIVE` says where. */
  readonly receives?: true;
  readonly log: (record: LogRecord) => void;
  /** The courier is dead; the process must end with 70. */
  readonly dead: (why: string) => void;
  /** Done last, with all permissions still there. */
  readonly beforeDrop?: (agent: Agent) => Promise<void>;
}

function stateDirOf(
  settings: Settings,
  { env }: Pick<Context, "env">,
  { delivers, log, isBrief }: AgentOptions,
): string | undefined {
  if (!delivers) return undefined;
  if (isBrief) return openOwnState(settings, env, log).path;
  const { path, fault } = openStateDir(settings.stateDirs);
  if (fault !== undefined) log({ level: "warn", event: "state directory unusable", fields: { why: fault } });
  return path;
}

/** What an earlier life knew of the counters. A recording's are not this host's. */
function countersOf({ root }: Settings, stateDir: string | undefined): CountersFile | undefined {
  return stateDir === undefined || root !== "/" ? undefined : CountersFile.open(stateDir);
}

/** Points that no request of this life could hold, by reason as metrics name it. */
function discardedBy(delivery: Delivery | undefined): Record<string, number> {
  if (delivery === undefined) return {};
  const { nonFinite, oversize } = delivery.fanOut.discarded();
  return { non_finite: nonFinite, oversize };
}

/** Opens an agent and gives up every permission. Throws only for bugs; what the host lacks degrades it. */
export async function openAgent(settings: Settings, context: Context, options: AgentOptions): Promise<Agent> {
  const stateDir = stateDirOf(settings, context, options);
  const timeMs = context.now();
  const opened: { delivery?: Delivery; more?: () => readonly LaneReport[] } = {};
  const facts = Promise.withResolvers<HostFacts>();
  const uid = options.attributes === undefined
    ? installationId({ stateDir, timeMs, log: options.log })
    : Promise.resolve("");
  // First of all, before most of our own code is loaded: the courier loads its own meanwhile.
  const delivering = options.delivers
    ? openDelivery(settings, { ...options, stateDir, installation: uid, host: facts.promise })
    : undefined;
  const { openCollecting }: typeof import("./collecting.ts") = await import(
    "./collecting.ts" satisfies string
  );
  const counters = countersOf(settings, stateDir);
  const { sensor, follow } = openCollecting(settings, context, {
    previous: options.previous,
    attributes: options.attributes ?? installationAttributes(settings, await uid),
    found: counters?.found,
    clockSkew: () => opened.delivery?.link.clockSkew,
    own: (sensor) => ({
      collectors: sensor.stats(),
      omissions: sensor.omissions,
      discarded: discardedBy(opened.delivery),
      lanes: [...opened.delivery?.link.report.lanes ?? [], ...opened.more?.() ?? []],
    }),
  });
  const remember = () => void counters?.save(sensor.remember());
  const alsoCount = (lanes: () => readonly LaneReport[]) => void (opened.more = lanes);
  let agent: Agent = { settings, sensor, follow, remember, alsoCount };
  const { bootId, resource } = sensor;
  facts.resolve({ bootId, resource, startedNs: nanoseconds(timeMs) });
  const delivery = await delivering;
  if (delivery !== undefined) {
    opened.delivery = delivery;
    agent = { ...agent, delivery, ...(stateDir !== undefined && { stateDir }) };
  }
  await options.beforeDrop?.(agent);
  giveBackCode();
  dropPermissions();
  return agent;
}
