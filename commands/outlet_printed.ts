/**
 * The way out of `emit` without a destination: OTLP in JSON on standard output, a line per request.
 * @module
 */
import type { Settings } from "../config/settings.ts";
import { SIGNALS } from "../exporters/batch.ts";
import { nanoseconds } from "../exporters/clock.ts";
import { installationId, resourceOf } from "./identity.ts";
import { openSeriesMemory } from "./lock_series.ts";
import type { Outlet, OutletOptions } from "./outlet.ts";

/** Prints what it is given to deliver. */
export async function openPrintedOutlet(
  settings: Settings,
  { context, log }: OutletOptions,
): Promise<Outlet> {
  const timeMs = context.now();
  const memory = await openSeriesMemory(undefined);
  const form = {
    naming: "semconv",
    encoding: "json",
    temporality: "cumulative",
    batchBytesMax: 4_000_000,
    batchItemsMax: 8_192,
  } as const;
  return {
    resource: resourceOf(settings, await installationId({ stateDir: undefined, timeMs, log })),
    lanes: SIGNALS.map((signal) => ({ destination: "console", signal, ...form })),
    record: (measurements) => {
      const timeNs = nanoseconds(context.now());
      return Promise.resolve(memory.record(measurements, { timeNs, sinceNs: nanoseconds(timeMs) }));
    },
    deliver: (batches) => {
      for (const { body } of batches) context.stdout(new TextDecoder().decode(body) + "\n");
      return Promise.resolve({ lanes: [] });
    },
    interrupt: () => Promise.resolve(),
    [Symbol.dispose]: () => {},
  };
}
