/**
 * What a running agent says about itself: the answer to `status`, the figures behind `top`, `/healthz` and SIGUSR1.
 * Made anew for each question from accounts that are kept anyway (design 2).
 * @module
 */
import type { CollectorStats } from "../collectors/run.ts";
import type { Omission, Snapshot } from "../collectors/metric.ts";
import type { OpampReport } from "../config/opamp_port.ts";
import { sleep } from "../exporters/clock.ts";
import type { DeliveryReport, LaneReport } from "../exporters/report.ts";
import type { Agent } from "./agent.ts";
import type { BudgetState } from "./budget.ts";
import { VERSION } from "./build.ts";
import { type Health, judgeHealth } from "./health.ts";
import { ownCpuSeconds } from "./own_points.ts";

/** One lane as `status --json` shows it; counts are items. */
export interface StatusLane
  extends Omit<LaneReport, "spoolBytes" | "spoolBatches" | "inherited" | "lastAcceptedMs"> {
  readonly spool: { readonly bytes: number; readonly batches: number; readonly inherited: number };
  /** RFC 3339. */
  readonly lastAccepted?: string;
}

/** The whole answer. Times are RFC 3339. */
export interface Status {
  readonly version: string;
  readonly pid: number;
  readonly host: string;
  readonly started: string;
  readonly time: string;
  readonly intervalMs: number;
  readonly healthy: boolean;
  readonly health: Health;
  readonly destinations: readonly { readonly name: string; readonly preset: string }[];
  readonly lanes: readonly StatusLane[];
  readonly spoolFault?: string;
  readonly collectors: readonly CollectorStats[];
  readonly omitted: readonly Omission[];
  /** Of the last cycle. */
  readonly points: number;
  readonly cycles: number;
  readonly process: { readonly residentBytes: number; readonly cpuSeconds?: number };
  /** Where the courier may connect to; nothing else may. */
  readonly reaches: readonly string[];
  readonly budget?: BudgetState;
  /** Link to the OpAMP server and what it last offered; absent where there is none. */
  readonly opamp?: OpampReport;
}

/** What vitals are made of. */
export interface VitalsParts {
  readonly agent: Agent;
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
  /** In effect now; the budget may have stretched it. */
  readonly intervalMs: () => number;
  readonly budget?: () => BudgetState;
  readonly opamp?: () => OpampReport | undefined;
}

/** Longest wait for the courier's account. */
const ACCOUNT_MS = 500;

function laneStatus(lane: LaneReport): StatusLane {
  const { spoolBytes, spoolBatches, inherited, lastAcceptedMs, ...rest } = lane;
  return {
    ...rest,
    spool: { bytes: spoolBytes, batches: spoolBatches, inherited },
    ...(lastAcceptedMs === undefined ? {} : { lastAccepted: new Date(lastAcceptedMs).toISOString() }),
  };
}

export class Vitals {
  readonly #parts: VitalsParts;
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  #snapshot: Snapshot | undefined;
  #cycles = 0;

  constructor(parts: VitalsParts) {
    this.#parts = parts;
    this.startedMs = parts.now();
  }

  /** The last cycle, for whoever prints it. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  /** Notes one cycle. */
  observe(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    this.#cycles++;
  }

  health(): Health {
    return judgeHealth({
      ...this.#report(),
      timeMs: this.#parts.now(),
      startedMs: this.startedMs,
      intervalMs: this.#parts.intervalMs(),
    });
  }

  /** The whole answer, with the courier's account of now; a courier that is busy is not waited for. */
  async fresh(): Promise<Status> {
    await Promise.race([this.#parts.agent.delivery?.link.account(), sleep(ACCOUNT_MS)]);
    return this.status();
  }

  status(): Status {
    const { agent, now, intervalMs, budget } = this.#parts;
    const opamp = this.#parts.opamp?.();
    const { lanes, spoolFault } = this.#report();
    const health = this.health();
    const cpuSeconds = ownCpuSeconds(this.#snapshot?.points ?? []);
    return {
      version: VERSION,
      pid: Deno.pid,
      host: String(agent.sensor.resource["host.name"] ?? ""),
      started: new Date(this.startedMs).toISOString(),
      time: new Date(now()).toISOString(),
      intervalMs: intervalMs(),
      healthy: health.code === 0,
      health,
      destinations: agent.settings.destinations,
      lanes: lanes.map(laneStatus),
      ...(spoolFault === undefined ? {} : { spoolFault }),
      collectors: agent.sensor.stats(),
      omitted: this.#snapshot?.omitted ?? [],
      points: this.#snapshot?.points.length ?? 0,
      cycles: this.#cycles,
      process: {
        residentBytes: Deno.memoryUsage().rss,
        ...(cpuSeconds === undefined ? {} : { cpuSeconds }),
      },
      reaches: agent.delivery?.permissions.net ?? [],
      ...(budget === undefined ? {} : { budget: budget() }),
      ...(opamp === undefined ? {} : { opamp }),
    };
  }

  #report(): DeliveryReport {
    return this.#parts.agent.delivery?.link.report ?? { lanes: [] };
  }
}
