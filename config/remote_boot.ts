/**
 * What a life begins with (opamp 3.5, 3.9): the last proven remote configuration, judged again by today's local one,
 * unless the last life died of it; or the received one, when that life ended only to let this one try it. Its outcome
 * is plain data, so that it can be made before the permission drop and handed to the machine in another isolate.
 * @module
 */
import type { AgentRemoteConfig } from "../proto_gen/opamp/opamp_pb.ts";
import { sameBytes } from "./opamp_report.ts";
import { judgeConfig } from "./remote_judge.ts";
import type { RemoteValues } from "./remote_parse.ts";
import type { Judgement, Overlay } from "./remote_policy.ts";
import { type Marker, RemoteRecords, type RemoteStatus, type StatusRecord, UNSET } from "./remote_record.ts";
import type { RemoteStore } from "./remote_store.ts";
import { readTrial, type Trial } from "./remote_trial.ts";

/** No remote value: the local configuration alone. */
export const NONE: Overlay = {};

/** What the machine starts from. */
export interface BootState {
  readonly record: StatusRecord;
  /** Remote values to start with. */
  readonly running: Overlay;
  /** What was last proven; differs from `running` while the server has been silent for too long. */
  readonly good: Overlay;
  readonly goodConfig?: AgentRemoteConfig;
  /** Present when this life tries another one, which is `running`. */
  readonly trial?: Trial;
}

/** What a boot needs. */
export interface BootOptions {
  readonly store: RemoteStore;
  readonly judge: (values: RemoteValues) => Judgement;
  /** Milliseconds since 1970. */
  readonly wallMs: number;
  /** Version and a hash of the local configuration. */
  readonly context: string;
  readonly stalenessMs?: number;
  readonly note: (what: string) => void;
}

const CRASH_WINDOW_MS = 10 * 60_000;
const CRASHES_MAX = 3;

/** Settles what a crash, or a restart that cannot be tried, left open: the record as it is now. */
async function settleMarker(
  records: RemoteRecords,
  record: StatusRecord,
  { marker, proven, error }: {
    readonly marker: Marker;
    readonly proven: Uint8Array | undefined;
    readonly error: string;
  },
): Promise<StatusRecord> {
  const { hash } = marker;
  // The process died between two writes: of a success, when its configuration is the proven one; of a failure, when
  // its status tells that already.
  const isProven = proven !== undefined && sameBytes(hash, proven);
  const isTold = record.status.state === "failed" && sameBytes(hash, record.status.hash);
  const settled: RemoteStatus = isProven
    ? { hash, state: "applied", error: "" }
    : { hash, state: "failed", error };
  const status = isTold ? record.status : settled;
  await records.writeStatus({ ...record, status });
  await records.removeMarker();
  return { ...record, status };
}

/** Why a proven configuration may not be taken up, or its values. */
async function takeUp(
  config: AgentRemoteConfig,
  boots: readonly number[],
  judge: BootOptions["judge"],
): Promise<{ readonly overlay: Overlay } | { readonly error: string }> {
  if (boots.length >= CRASHES_MAX) return { error: `sonde stopped ${boots.length} times with it` };
  const judged = await judgeConfig(config, judge);
  return judged.kind === "refused" ? { error: judged.reasons.join("; ") } : { overlay: judged.overlay };
}

function recentBoots({ boots }: StatusRecord, wallMs: number): readonly number[] {
  return boots.filter((at) => at <= wallMs && wallMs - at < CRASH_WINDOW_MS);
}

/** This life tries what was received; the proven one stands by. */
async function beginTrial(
  trial: Trial,
  record: StatusRecord,
  { config, options: { judge, wallMs } }: {
    readonly config: AgentRemoteConfig | undefined;
    readonly options: BootOptions;
  },
): Promise<BootState> {
  const taken = config && await takeUp(config, recentBoots(record, wallMs), judge);
  const proven = taken !== undefined && config !== undefined && "overlay" in taken
    ? { good: taken.overlay, goodConfig: config }
    : { good: NONE };
  return { record, running: trial.overlay, ...proven, trial };
}

/** This life runs what was last proven. */
async function beginProven(
  config: AgentRemoteConfig | undefined,
  record: StatusRecord,
  { options: { judge, wallMs, context, stalenessMs }, records }: {
    readonly options: BootOptions;
    readonly records: RemoteRecords;
  },
): Promise<BootState> {
  const { status, contact } = record;
  const hasFailed = status.state === "failed" && config && sameBytes(status.hash, config.configHash);
  if (config === undefined || hasFailed) return { record, running: NONE, good: NONE };
  const boots = recentBoots(record, wallMs);
  const taken = await takeUp(config, boots, judge);
  if ("error" in taken) {
    const hash = new Uint8Array(config.configHash);
    const failed = { ...record, context, status: { hash, state: "failed", error: taken.error } } as const;
    await records.writeStatus(failed);
    return { record: failed, running: NONE, good: NONE };
  }
  const started = { ...record, boots: [...boots, wallMs] };
  await records.writeStatus(started);
  const isStale = stalenessMs !== undefined && contact !== undefined && wallMs - contact > stalenessMs;
  return {
    record: started,
    running: isStale ? NONE : taken.overlay,
    good: taken.overlay,
    goodConfig: config,
  };
}

/**
 * Reads the last life's files and decides what this one starts with. Never rejects over a damaged or absent disk.
 * `fault`: this same start found that what was to be tried does not load, which settles it.
 */
export async function bootRemote(options: BootOptions, fault?: string): Promise<BootState> {
  const { store, judge, context, note } = options;
  const records = new RemoteRecords(store, note);
  const record = await records.readStatus() ?? { status: UNSET, context, boots: [] };
  const config = await records.readConfig("good.bin") ?? await records.readConfig("prev.bin");
  const marker = await records.readMarker();
  if (marker === undefined) return await beginProven(config, record, { options, records });
  const trial = fault === undefined && marker.restart === "due"
    ? await readTrial(marker, { records, judge })
    : fault ?? "sonde stopped while applying";
  if (typeof trial !== "string") return await beginTrial(trial, record, { config, options });
  const settled = await settleMarker(records, record, { marker, proven: config?.configHash, error: trial });
  return await beginProven(config, settled, { options, records });
}
