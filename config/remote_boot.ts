/**
 * What a life begins with (opamp 3.5, 3.9): the last proven remote configuration, judged again by today's local one,
 * unless the last life died of it. Its outcome is plain data, so that it can be made before the permission drop and
 * handed to the machine in another isolate.
 * @module
 */
import type { AgentRemoteConfig } from "../proto_gen/opamp/opamp_pb.ts";
import { sameBytes } from "./opamp_report.ts";
import { mergeRemoteConfig, type RemoteValues } from "./remote_parse.ts";
import type { Judgement, Overlay } from "./remote_policy.ts";
import { RemoteRecords, type RemoteStatus, type StatusRecord, UNSET } from "./remote_record.ts";
import type { RemoteStore } from "./remote_store.ts";

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

/** Reads a configuration and judges it; what cannot be read is refused. */
export async function judgeConfig(
  { config }: AgentRemoteConfig,
  judge: (values: RemoteValues) => Judgement,
): Promise<Judgement> {
  if (config === undefined) return { kind: "refused", reasons: ["no body"] };
  try {
    return judge(await mergeRemoteConfig(config));
  } catch (error) {
    return { kind: "refused", reasons: [error instanceof Error ? error.message : String(error)] };
  }
}

/** Settles what a crash left open: the record as it is now. */
async function settleMarker(
  records: RemoteRecords,
  record: StatusRecord,
  proven: Uint8Array | undefined,
): Promise<StatusRecord> {
  const hash = await records.readMarker();
  if (hash === undefined) return record;
  // A marker beside its own proven configuration: the process died between two writes of a success.
  const isProven = proven !== undefined && sameBytes(hash, proven);
  const status: RemoteStatus = isProven
    ? { hash, state: "applied", error: "" }
    : { hash, state: "failed", error: "sonde stopped while applying" };
  const settled = { ...record, status };
  await records.writeStatus(settled);
  await records.removeMarker();
  return settled;
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

/** Reads the last life's files and decides what this one starts with. Never rejects over a damaged or absent disk. */
export async function bootRemote(options: BootOptions): Promise<BootState> {
  const { store, judge, wallMs, context, stalenessMs, note } = options;
  const records = new RemoteRecords(store, note);
  const stored = await records.readStatus() ?? { status: UNSET, context, boots: [] };
  const config = await records.readConfig("good.bin") ?? await records.readConfig("prev.bin");
  const record = await settleMarker(records, { ...stored, context: stored.context }, config?.configHash);
  const { status, contact } = record;
  const hasFailed = status.state === "failed" && config && sameBytes(status.hash, config.configHash);
  if (config === undefined || hasFailed) return { record, running: NONE, good: NONE };
  const boots = record.boots.filter((at) => at <= wallMs && wallMs - at < CRASH_WINDOW_MS);
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
