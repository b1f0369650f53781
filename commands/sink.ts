/**
 * Where a cycle's snapshot goes: to the lanes, and to the console where there are none.
 * @module
 */
import type { Snapshot } from "../collectors/metric.ts";
import type { Agent } from "./agent.ts";
import type { Context } from "./context.ts";
import { type Format, formatOf, render } from "./output.ts";

/** What each cycle does with what it found. */
export type Sink = (snapshot: Snapshot) => void;

function consoleSink(agent: Agent, context: Context, format: Format): Sink {
  let previous: Snapshot | undefined;
  return (snapshot) => {
    const isFirstLook = format === "table" && previous === undefined;
    const { resource } = agent.sensor;
    if (!isFirstLook) {
      const text = render(format, { resource, snapshot, previous, naming: agent.settings.naming }, context);
      context.stdout(format === "table" ? `${text}\n` : text);
    }
    previous = snapshot;
  };
}

/** The sink of an agent. */
export function sinkOf(agent: Agent, context: Context): Sink {
  const { delivery, settings, sensor } = agent;
  const print = settings.isConsole ? consoleSink(agent, context, formatOf(context)) : () => {};
  return (snapshot) => {
    print(snapshot);
    delivery?.fanOut.deliver(sensor.resource, snapshot);
  };
}
