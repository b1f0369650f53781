/**
 * The way out of `exec` where no agent runs: delivery in its own isolate. A worker would take longer to start than
 * everything else takes, and its walls protect little here: the process has held all permissions while its job ran.
 * @module
 */
import type { Settings } from "../config/settings.ts";
import { readNamed } from "../config/files.ts";
import { rereadCredentials } from "../config/credential_files.ts";
import { sleep } from "../exporters/clock.ts";
import type { DeliveryParts } from "../exporters/delivery.ts";
import { isSpoolIdle } from "../exporters/spool_idle.ts";
import {
  openInboxDelivery,
  type SpooledDelivery,
  type SpooledOptions,
} from "../exporters/spooled_delivery.ts";
import { PRODUCT } from "./build.ts";
import { installationId, resourceOf } from "./identity.ts";
import { openSeriesMemory } from "./lock_series.ts";
import { prepareNetwork } from "./network_environment.ts";
import type { Outlet, OutletOptions } from "./outlet.ts";
import { openOwnState } from "./own_state.ts";
import { spoolPlace } from "./spool_place.ts";

/**
 * True when the spool can stay closed: nothing waits in it, and no lane wants its batches on disk before their first
 * attempt. What is left at the end then goes to its inbox.
 */
function isInboxEnough({ lanes }: Settings, { spool }: Pick<SpooledOptions, "spool">): boolean {
  return spool?.mode !== "always" && lanes.every(({ temporality }) => temporality !== "delta") &&
    (spool === undefined || isSpoolIdle(spool.path));
}

async function open(
  settings: Settings,
  options: SpooledOptions,
  parts: DeliveryParts,
): Promise<SpooledDelivery> {
  if (isInboxEnough(settings, options)) return await openInboxDelivery(options, parts);
  const { openSpooledDelivery }: typeof import("../exporters/spooled_open.ts") = await import(
    "../exporters/spooled_open.ts" satisfies string
  );
  return await openSpooledDelivery(options, parts);
}

/** For one measurement and one delivery. */
export async function openDirectOutlet(
  settings: Settings,
  { context, log }: OutletOptions,
): Promise<Outlet> {
  const timeMs = context.now();
  const { path: stateDir } = openOwnState(settings, context.env, log);
  prepareNetwork(log);
  const agentId = await installationId({ stateDir, timeMs, log });
  const resource = resourceOf(settings, agentId);
  const memory = await openSeriesMemory(stateDir);
  const { lanes, queueBytesMax } = settings;
  const place = spoolPlace(settings, { stateDir, isBrief: true });
  const delivery = await open(settings, { product: PRODUCT, agentId, lanes, queueBytesMax, ...place }, {
    clock: { wall: context.now, mono: () => performance.now(), random: context.random, sleep },
    log,
    changed: () => {},
    reread: (lane) => rereadCredentials(lane, readNamed),
  });
  for (const note of delivery.notes) log(note);
  return {
    resource,
    lanes,
    record: (measurements) => {
      const timeNs = BigInt(Math.round(context.now() * 1_000)) * 1_000n;
      const rows = memory.record(measurements, { timeNs, sinceNs: BigInt(timeMs) * 1_000_000n });
      // The next process need not wait until this one has delivered.
      memory[Symbol.dispose]();
      return Promise.resolve(rows);
    },
    deliver: async (batches, { deadlineMs, final, isLeft = false }) => {
      await delivery.obey({ verb: "claim" });
      for (const batch of batches) void delivery.accept(batch);
      await delivery.flush({ deadlineMs, final, brief: false, hasty: isLeft });
      return delivery.report();
    },
    interrupt: () => delivery.flush({ deadlineMs: 0, final: true, brief: false, hasty: true }),
    [Symbol.dispose]: () => {},
  };
}
