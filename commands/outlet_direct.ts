/**
 * The way out of `exec` where no agent runs: delivery in its own isolate. A worker would take longer to start than
 * everything else takes, and its walls protect little here: the process has held all permissions while its job ran.
 * @module
 */
import { rereadCredentials } from "../config/credential_files.ts";
import { readNamed } from "../config/files.ts";
import type { Settings } from "../config/settings.ts";
import { BriefDelivery } from "../exporters/brief_delivery.ts";
import { type Clock, nanoseconds, sleepBriefly } from "../exporters/clock.ts";
import type { CourierStart } from "../exporters/messages.ts";
import { isSpoolIdle } from "../exporters/spool_idle.ts";
import { PRODUCT } from "./build.ts";
import { installationId, resourceOf } from "./identity.ts";
import { openSeriesMemory } from "./lock_series.ts";
import { prepareNetwork } from "./network_environment.ts";
import type { Outlet, OutletOptions } from "./outlet.ts";
import { openOwnState } from "./own_state.ts";
import { spoolPlace } from "./spool_place.ts";

type Place = CourierStart["spool"];

interface Delivering {
  readonly agentId: string;
  readonly clock: Clock;
  readonly place: Place;
  readonly log: OutletOptions["log"];
}

/**
 * True when the spool can stay closed: nothing waits in it, and no lane wants its batches on disk before their first
 * attempt. What is left at the end then goes to its inbox.
 */
function isInboxEnough({ lanes }: Settings, place: Place): boolean {
  return place?.mode !== "always" && lanes.every(({ temporality }) => temporality !== "delta") &&
    (place === undefined || isSpoolIdle(place.path));
}

async function openBrief(
  { lanes }: Settings,
  { place, log: _, ...more }: Delivering,
): Promise<Outlet["deliver"]> {
  const reread = (lane: Settings["lanes"][number]) => rereadCredentials(lane, readNamed);
  const writer = String(Deno.pid);
  const delivery = await BriefDelivery.open({
    ...more,
    product: PRODUCT,
    lanes,
    path: place?.path,
    writer,
    reread,
  });
  return (batches, { deadlineMs }) => delivery.deliver(batches, deadlineMs);
}

async function openSpooled(settings: Settings, delivering: Delivering): Promise<Outlet["deliver"]> {
  const { lanes, queueBytesMax } = settings;
  const { agentId, place, ...parts } = delivering;
  const { openSpooledDelivery }: typeof import("../exporters/spooled_open.ts") = await import(
    "../exporters/spooled_open.ts" satisfies string
  );
  const options = {
    product: PRODUCT,
    agentId,
    lanes,
    queueBytesMax,
    ...(place !== undefined && { spool: place }),
  };
  const delivery = await openSpooledDelivery(options, {
    ...parts,
    changed: () => {},
    reread: (lane) => rereadCredentials(lane, readNamed),
  });
  for (const note of delivery.notes) parts.log(note);
  return async (batches, { deadlineMs, final, isLeft = false }) => {
    await delivery.obey({ verb: "claim" });
    for (const batch of batches) void delivery.accept(batch);
    await delivery.flush({ deadlineMs, final, brief: false, hasty: isLeft });
    return delivery.report();
  };
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
  const { spool: place } = spoolPlace(settings, { stateDir, isBrief: true });
  const clock = {
    wall: context.now,
    mono: () => performance.now(),
    random: context.random,
    sleep: sleepBriefly,
  };
  const open = isInboxEnough(settings, place) ? openBrief : openSpooled;
  return {
    resource,
    lanes: settings.lanes,
    record: (measurements) => {
      const timeNs = nanoseconds(context.now());
      const rows = memory.record(measurements, { timeNs, sinceNs: nanoseconds(timeMs) });
      // The next process need not wait until this one has delivered.
      memory[Symbol.dispose]();
      return Promise.resolve(rows);
    },
    deliver: await open(settings, { agentId, clock, place, log }),
    // The signals of a job are the job's.
    interrupt: () => Promise.resolve(),
    [Symbol.dispose]: () => {},
  };
}
