/**
 * What a running agent answers on its control socket.
 * @module
 */
import type { Log } from "../config/log.ts";
import { laneKey } from "../exporters/batch.ts";
import { nanoseconds } from "../exporters/clock.ts";
import { measurementFromJson } from "../exporters/measurement.ts";
import { rowToJson } from "../exporters/series.ts";
import type { Agent } from "./agent.ts";
import { type ControlRequest, ControlServer, listenControl } from "./control.ts";
import { Intake } from "./control_intake.ts";
import { destinationsFingerprint } from "./fingerprint.ts";
import { inspect } from "./inspection.ts";
import { openSeriesMemory, type SeriesMemory } from "./lock_series.ts";
import { VERSION } from "./build.ts";

/** Measurements of one request. */
const MEASUREMENTS_MAX = 1_000;

/** What cannot change in this life. */
interface Answering {
  readonly agent: Agent;
  readonly destinations: string;
  /** Absent when this agent delivers nothing. */
  readonly intake: Intake | undefined;
  readonly series: SeriesMemory;
  readonly now: () => number;
  /** Verbs that are answered elsewhere; undefined for one that is not. */
  readonly more: (request: ControlRequest) => unknown;
}

/** What tells a one-shot verb whether this agent is the one to hand its data to. */
function hello({ agent: { stateDir, sensor }, destinations }: Answering) {
  return { version: VERSION, pid: Deno.pid, stateDir, destinations, resource: sensor.resource };
}

function openIntake({ delivery, settings }: Agent, now: () => number): Intake | undefined {
  if (delivery === undefined) return undefined;
  return new Intake({ link: delivery.link, lanes: new Set(settings.lanes.map(laneKey)), now });
}

/** Adds to the series that this agent keeps for `emit` and `exec`; gives each as it stands then. */
function record({ series, now }: Answering, request: ControlRequest): unknown {
  const given: unknown = request["measurements"];
  if (!Array.isArray(given) || given.length > MEASUREMENTS_MAX) {
    throw new TypeError(`Cannot serve "record": measurements are no list of at most ${MEASUREMENTS_MAX}`);
  }
  const timeNs = nanoseconds(now());
  const rows = series.record(given.map(measurementFromJson), { timeNs, sinceNs: timeNs });
  return { rows: rows.map(rowToJson) };
}

function taking({ intake }: Answering, { verb }: ControlRequest): Intake {
  if (intake === undefined) throw new Error(`Cannot serve "${verb}": this agent delivers nothing`);
  return intake;
}

function answer(answering: Answering, request: ControlRequest): unknown {
  const { agent } = answering;
  switch (request.verb) {
    case "hello":
      return hello(answering);
    case "submit":
      return taking(answering, request).submit(request);
    case "record":
      return record(answering, request);
    case "drain":
      return taking(answering, request).drain(request);
    case "drop":
      return taking(answering, request).drop(request);
    case "sandbox":
      return inspect(agent);
    default: {
      const said = answering.more(request);
      if (said !== undefined) return said;
      throw new RangeError(`Cannot serve "${request.verb}": unknown verb`);
    }
  }
}

/** Listens on the first control socket that can be used, and serves it for life. Needs all permissions. */
export async function openControl(
  agent: Agent,
  { log, now, more }: { readonly log: Log; readonly now: () => number; readonly more: Answering["more"] },
): Promise<void> {
  const faults: string[] = [];
  const destinations = await destinationsFingerprint(agent.settings.lanes);
  const series = await openSeriesMemory(agent.delivery === undefined ? undefined : agent.stateDir);
  const answering = { agent, destinations, intake: openIntake(agent, now), series, now, more };
  for (const path of agent.settings.controlSockets) {
    const { listener, fault } = await listenControl(path);
    if (listener !== undefined) {
      void new ControlServer(listener, (request) => answer(answering, request)).serve();
      return;
    }
    faults.push(fault);
  }
  log.warn("no control socket", { why: faults.join("; ") });
}
