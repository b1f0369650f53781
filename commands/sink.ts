/**
 * Where a cycle's snapshot goes: to the lanes, and to the console where there are none.
 * @module
 */
import type { Snapshot } from "../collectors/metric.ts";
import type { Agent } from "./agent.ts";
import type { Context } from "./context.ts";

/** What each cycle does with what it found. */
export interface Sink {
  take(snapshot: Snapshot): void;
  /** True where a person sees rates: those need two looks, the first of which is not shown. */
  readonly looksTwice: boolean;
}

/** The sink of an agent; what prints is loaded only where something is printed. */
export async function openSink(agent: Agent, context: Context): Promise<Sink> {
  const { delivery, settings, sensor } = agent;
  const deliver = (snapshot: Snapshot) => delivery?.fanOut.deliver(sensor.resource, snapshot);
  if (!settings.isConsole) return { take: deliver, looksTwice: false };
  const { consoleSink }: typeof import("./console_sink.ts") = await import(
    "./console_sink.ts" satisfies string
  );
  const { take, looksTwice } = consoleSink(agent, context);
  return {
    take: (snapshot) => {
      take(snapshot);
      deliver(snapshot);
    },
    looksTwice,
  };
}
