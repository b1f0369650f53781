/**
 * The way out of a one-shot verb that gives up its permissions: a courier of its own (design 2).
 * @module
 */
import type { Settings } from "../config/settings.ts";
import { nanoseconds } from "../exporters/clock.ts";
import { openCourier } from "./delivery.ts";
import { installationId, resourceOf } from "./identity.ts";
import { openSeriesMemory } from "./lock_series.ts";
import type { Outlet, OutletOptions } from "./outlet.ts";
import { openOwnState } from "./own_state.ts";
import { workerUrl } from "./workers.ts";

/** Spawns the courier; used without any permission afterwards. */
export async function openCourierOutlet(settings: Settings, options: OutletOptions): Promise<Outlet> {
  const { context, log, dead, isRepeated = false } = options;
  const timeMs = context.now();
  const { path: stateDir } = openOwnState(settings, context.env, log);
  const courierUrl = workerUrl("courier");
  const agentId = await installationId({ stateDir, timeMs, log });
  const { link } = openCourier(settings, { courierUrl, stateDir, agentId, isBrief: true, log, dead });
  const resource = resourceOf(settings, agentId);
  const memory = await openSeriesMemory(stateDir);
  const sinceNs = nanoseconds(timeMs);
  await link.ready;
  return {
    resource,
    lanes: settings.lanes,
    record: (measurements) => {
      const rows = memory.record(measurements, { timeNs: nanoseconds(context.now()), sinceNs });
      // The next process need not wait until this one has delivered.
      if (!isRepeated) memory[Symbol.dispose]();
      return Promise.resolve(rows);
    },
    deliver: async (batches, { deadlineMs, final, isLeft = false }) => {
      await link.order({ verb: "claim" });
      for (const batch of batches) link.send(batch);
      return await link.flush({ deadlineMs, final, hasty: isLeft });
    },
    interrupt: async () => void await link.flush({ deadlineMs: 0, final: true }),
    [Symbol.dispose]: () => {
      if (isRepeated) memory[Symbol.dispose]();
      link.close();
    },
  };
}
