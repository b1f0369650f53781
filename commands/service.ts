/**
 * What `run` does beside collecting and delivering: answers on the control socket and on `SONDE_LISTEN`, follows the
 * configuration, keeps the byte budget, explains itself on SIGUSR1. Opened before the drop, used after it.
 * @module
 */
import type { Snapshot } from "../collectors/metric.ts";
import { sleep } from "../exporters/clock.ts";
import { paint } from "../exporters/console_text.ts";
import type { LaneReport } from "../exporters/report.ts";
import type { Agent } from "./agent.ts";
import { ByteBudget, type Sent } from "./budget.ts";
import { DayAccount } from "./budget_account.ts";
import type { Context } from "./context.ts";
import { answerStatus } from "./control_status.ts";
import type { ControlRequest } from "./control.ts";
import { Taps } from "./control_tap.ts";
import { BUDGET_FILES, CountersFile } from "../config/counters_file.ts";
import type { LoadInput } from "../config/load.ts";
import { type Change, Live } from "./live.ts";
import type { Managed } from "./managed.ts";
import type { Start } from "./start.ts";
import { statusLines } from "./status_text.ts";
import { Vitals } from "./vitals.ts";

/** What a service needs of `run`. */
export interface ServiceParts {
  readonly agent: Agent;
  readonly begun: Start;
  readonly context: Context;
  /** The process has to end with 75, for a supervisor to start it again. */
  readonly restart: () => void;
}

/** Columns of the explanation in the log, whatever the terminal. */
const EXPLANATION_COLUMNS = 120;

function sentBy({ delivery }: Agent, own: readonly LaneReport[] = []): Sent {
  const lanes = [...delivery?.link.report.lanes ?? [], ...own];
  const requests = lanes.flatMap(({ attempts }) => Object.values(attempts));
  return {
    bytes: lanes.reduce((sum, lane) => sum + lane.requestBytes, 0),
    requests: requests.reduce((sum, count) => sum + count, 0),
  };
}

/** The byte budget, when there is one, with what earlier lives have spent of the day. */
function budgetOf({ settings, stateDir }: Agent, now: () => number): ByteBudget | undefined {
  const { bytesPerDayMax, intervalMs } = settings;
  if (bytesPerDayMax === undefined) return undefined;
  const memory = stateDir === undefined ? undefined : CountersFile.open(stateDir, BUDGET_FILES);
  return new ByteBudget(bytesPerDayMax, { intervalMs, account: new DayAccount(now, memory) });
}

export class Service {
  readonly #parts: ServiceParts;
  readonly #budget: ByteBudget | undefined;
  readonly #taps: Taps | undefined;
  /** Set once there is a session with an OpAMP server. */
  managed: Managed | undefined;
  readonly live: Live;
  readonly vitals: Vitals;

  constructor(parts: ServiceParts) {
    const { agent, begun, context } = parts;
    const nowMs = () => performance.now();
    this.#parts = parts;
    this.#budget = budgetOf(agent, context.now);
    const link = agent.delivery?.link;
    this.#taps = link === undefined
      ? undefined
      : new Taps({ tap: (listener) => link.tap(listener), nowMs, sleep });
    this.live = new Live({ ...begun, agent, budget: this.#budget });
    const budget = this.#budget;
    this.vitals = new Vitals({
      agent,
      now: context.now,
      intervalMs: () => this.live.intervalMs,
      ...(budget === undefined ? {} : { budget: () => budget.state() }),
      opamp: () => this.managed?.report,
    });
  }

  /** Opens the listener of `SONDE_LISTEN`, if one is wanted; needs all permissions. */
  async listen(): Promise<void> {
    const { agent, begun } = this.#parts;
    const { listen } = agent.settings;
    if (listen === undefined) return;
    const { openListener, PageServer }: typeof import("./listen.ts") = await import(
      "./listen.ts" satisfies string
    );
    const listener = openListener(listen);
    if (typeof listener === "string") {
      begun.log.error("cannot listen", { key: "SONDE_LISTEN", why: listener });
      return;
    }
    const resource = () => agent.sensor.resource;
    void new PageServer(listener, { vitals: this.vitals, resource, naming: () => this.live.settings.naming })
      .serve();
  }

  /** The answer to a verb of the control socket that is about this agent; undefined for every other. */
  answer = (request: ControlRequest): unknown =>
    answerStatus(request, { vitals: this.vitals, taps: this.#taps, reload: () => this.reload() });

  /** After each cycle. */
  observe(snapshot: Snapshot): void {
    this.vitals.observe(snapshot);
    this.managed?.observe(snapshot);
    const sent = sentBy(this.#parts.agent, this.managed?.report?.own);
    const hasStepped = this.#budget?.observe(sent, this.live.settings.intervalMs);
    if (hasStepped !== true) return;
    const { shed, intervalMs } = this.#budget?.state() ?? { shed: [], intervalMs: 0 };
    this.live.choose();
    this.#parts.begun.log.info("byte budget", {
      shed: shed.join(", ") || "nothing",
      interval: `${intervalMs / 1000}s`,
    });
  }

  /** Now and then: forgets listeners that are gone. */
  sweep(): void {
    this.#taps?.sweep();
  }

  /** Reads the configuration again, with other remote values when they are given, and says what came of it. */
  async reload(remote?: LoadInput["remote"]): Promise<Change> {
    const { log } = this.#parts.begun;
    const change = await this.live.reload(remote);
    const { outcome, keys, why } = change;
    const fields = {
      ...(keys.length > 0 && { keys: keys.join(" ") }),
      ...(why.length > 0 && { why: why.join("; ") }),
    };
    switch (outcome) {
      case "unchanged":
      case "applied":
        log.info(`configuration ${outcome}`, fields);
        break;
      case "restart":
        log.info("configuration needs a restart", fields);
        // A remote one is first written down as what the next life tries.
        if (remote === undefined) this.#parts.restart();
        break;
      case "refused":
        log.warn("configuration refused: it needs a restart", fields);
        break;
      case "broken":
        log.error("configuration refused: it is broken, nothing has changed", fields);
        break;
    }
    return change;
  }

  /** Writes the present state to standard error (SIGUSR1). */
  explain(): void {
    const lines = paint(statusLines(this.vitals.status()), EXPLANATION_COLUMNS, false).trimEnd().split("\n");
    for (const line of lines.filter((text) => text.trim() !== "")) this.#parts.begun.log.info(line.trim());
  }
}
