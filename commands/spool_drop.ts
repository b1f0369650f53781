/**
 * `sonde spool drop`: forgets what is older than somebody wants, by the time of the newest item of a batch. The owner
 * of the spool does it, so that nothing is sent and forgotten at once.
 * @module
 */
import type { Settings } from "../config/settings.ts";
import { sleep } from "../exporters/clock.ts";
import { openSpool } from "../exporters/spool.ts";
import { laneOfKey } from "../exporters/spool_key.ts";
import { laneFolders } from "../exporters/spool_list.ts";
import { obey } from "../exporters/spool_order.ts";
import type { Context } from "./context.ts";
import { findAgent, refusalOf } from "./control_agent.ts";

export interface DropOptions {
  /** `STATE/spool`. */
  readonly path: string;
  readonly olderMs: number;
}

/** Dropping is quick, but waits for a write that is under way. */
const ANSWER_MS = 30_000;

interface Dropped {
  readonly batches: number;
  readonly fault?: string;
  readonly isHeldElsewhere?: boolean;
}

/** Undefined when no agent owns the spool. */
async function dropRunning(settings: Settings, olderMs: number): Promise<Dropped | undefined> {
  using running = await findAgent(settings);
  if (running === undefined) return undefined;
  const answer = await running.client.ask({ verb: "drop", olderMs }, ANSWER_MS);
  const refusal = refusalOf(answer);
  return refusal === undefined ? { batches: Number(answer?.["batches"]) } : { batches: 0, fault: refusal };
}

/** Endpoint by endpoint: two may have the same name. */
async function dropOwn({ now, random }: Context, settings: Settings, options: DropOptions): Promise<Dropped> {
  const clock = { wall: now, mono: () => performance.now(), random, sleep };
  let batches = 0;
  for (const { key, signal } of await laneFolders(options.path)) {
    const lanes = [laneOfKey(key, signal)];
    const spool = await openSpool({ ...settings.spool, path: options.path, lanes, clock, log: () => {} });
    const result = await obey({ verb: "drop", cutoffMs: now() - options.olderMs }, spool);
    await spool.close();
    if (result.fault !== undefined) return { ...result, batches };
    batches += result.batches;
  }
  return { batches };
}

/** Ends with 0, with 75 when another process holds the spool, with 74 when the disk is at fault. */
export async function drop(context: Context, settings: Settings, options: DropOptions): Promise<number> {
  const dropped = await dropRunning(settings, options.olderMs) ?? await dropOwn(context, settings, options);
  const { batches, fault, isHeldElsewhere } = dropped;
  if (fault === undefined || batches > 0) {
    context.stderr(`sonde: ${batches} ${batches === 1 ? "batch" : "batches"} dropped\n`);
  }
  if (fault === undefined) return 0;
  context.stderr(`sonde: error: ${fault}\nsonde: hint: sonde spool ls shows what waits\n`);
  return isHeldElsewhere ? 75 : 74;
}
