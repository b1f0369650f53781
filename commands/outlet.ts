/**
 * Where the data of `emit` and `exec` goes: to the agent that runs here when it would send it to the same places, else
 * out of this process (design 2). Opened with all permissions; of each way only the code that it needs is loaded.
 * @module
 */
import type { Attributes } from "../collectors/metric.ts";
import type { Settings } from "../config/settings.ts";
import type { BatchMessage } from "../exporters/batch.ts";
import type { LaneConfig } from "../exporters/lane_config.ts";
import type { Measurement } from "../exporters/measurement.ts";
import type { LogRecord } from "../exporters/messages.ts";
import type { OneShotLane } from "../exporters/one_shot.ts";
import type { DeliveryReport } from "../exporters/report.ts";
import { rowFromJson, type SeriesRow } from "../exporters/series.ts";
import type { Context } from "./context.ts";
import { findAgent, refusalOf, type RunningAgent, socketLanes, submit } from "./control_agent.ts";

/** How the data leaves. */
export interface Outlet extends Disposable {
  /** Who the data is about. */
  readonly resource: Attributes;
  /** Lanes with the limits of this way out. */
  readonly lanes: readonly OneShotLane[];
  /** Adds to the series that are remembered here; each as it stands then, in the order given. */
  record(measurements: readonly Measurement[]): Promise<readonly SeriesRow[]>;
  /** Delivers until the deadline and keeps the rest. `final`: nothing comes after this. */
  deliver(batches: readonly BatchMessage[], options: DeliverOptions): Promise<DeliveryReport>;
  /** Nothing is waited for any more: what is not delivered is kept. */
  interrupt(): Promise<void>;
}

export interface DeliverOptions {
  readonly deadlineMs: number;
  readonly final: boolean;
  /** True: an agent sees to it without being waited for, and nothing is tried twice here. */
  readonly isLeft?: boolean;
}

export interface OutletOptions {
  readonly context: Pick<Context, "env" | "now" | "random" | "stdout">;
  readonly log: (record: LogRecord) => void;
  /** True: delivery runs in this isolate, which cannot give up its permissions anyway, and saves a worker's start. */
  readonly isDirect?: boolean;
  /** True when `record` will be called again. */
  readonly isRepeated?: boolean;
  /** The courier is dead. */
  readonly dead: (why: string) => void;
}

/** Well below the 10 s that the control socket waits. */
const KEEP_MS = 4_000;

class AgentOutlet implements Outlet {
  readonly resource: Attributes;
  readonly lanes: readonly LaneConfig[];
  readonly #agent: RunningAgent;
  readonly #now: () => number;
  #keeping: ReturnType<typeof setInterval> | undefined;

  constructor(agent: RunningAgent, lanes: readonly LaneConfig[], now: () => number) {
    this.#agent = agent;
    this.#now = now;
    this.resource = agent.resource;
    this.lanes = socketLanes(lanes);
  }

  async record(measurements: readonly Measurement[]): Promise<readonly SeriesRow[]> {
    if (measurements.length === 0) return [];
    const answer = await this.#agent.client.ask({ verb: "record", measurements });
    const refusal = refusalOf(answer);
    const rows = Array.isArray(answer?.["rows"]) ? answer["rows"].map(rowFromJson) : [];
    const known = rows.filter((row) => row !== undefined);
    if (refusal === undefined && known.length === measurements.length) return known;
    throw new Error(`Cannot add to the agent's series: ${refusal ?? "its answer cannot be read"}`);
  }

  async deliver(
    batches: readonly BatchMessage[],
    { deadlineMs, isLeft }: DeliverOptions,
  ): Promise<DeliveryReport> {
    if (batches.length === 0) return { lanes: [] };
    return await submit(this.#agent, batches, { waitMs: isLeft ? 0 : deadlineMs, nowMs: this.#now() });
  }

  interrupt(): Promise<void> {
    return Promise.resolve();
  }

  /** An agent closes a connection that says nothing, and another cannot be opened any more. */
  keep(): this {
    this.#keeping = setInterval(() => void this.#agent.client.ask({ verb: "hello" }), KEEP_MS);
    return this;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#keeping);
    this.#agent[Symbol.dispose]();
  }
}

/** Opens the way out. Series that cannot be remembered live as long as this process. Before any drop: it loads code. */
export async function openOutlet(settings: Settings, options: OutletOptions): Promise<Outlet> {
  if (settings.lanes.length === 0) {
    const { openPrintedOutlet }: typeof import("./outlet_printed.ts") = await import(
      "./outlet_printed.ts" satisfies string
    );
    return await openPrintedOutlet(settings, options);
  }
  const agent = await findAgent(settings, settings.lanes);
  if (agent !== undefined) {
    const outlet = new AgentOutlet(agent, settings.lanes, options.context.now);
    return options.isRepeated ? outlet.keep() : outlet;
  }
  if (options.isDirect) {
    const { openDirectOutlet }: typeof import("./outlet_direct.ts") = await import(
      "./outlet_direct.ts" satisfies string
    );
    return await openDirectOutlet(settings, options);
  }
  const { openCourierOutlet }: typeof import("./outlet_courier.ts") = await import(
    "./outlet_courier.ts" satisfies string
  );
  return await openCourierOutlet(settings, options);
}
