/**
 * A remote configuration that only a restart can try (design 2): what is received is on disk, the crash marker says
 * that the next life shall run it, and that life tells the outcome. A life that ends badly with it is its last.
 * @module
 */
import type { AgentRemoteConfig } from "../proto_gen/opamp/opamp_pb.ts";
import { sameBytes } from "./opamp_report.ts";
import { judgeConfig } from "./remote_judge.ts";
import type { RemoteValues } from "./remote_parse.ts";
import type { Judgement, Overlay } from "./remote_policy.ts";
import type { Marker, RemoteRecords, StatusRecord } from "./remote_record.ts";

/** What this life tries. */
export interface Trial {
  readonly config: AgentRemoteConfig;
  readonly overlay: Overlay;
  readonly marker: Marker;
}

/** Lives that may begin with one configuration without an outcome; a stop in good order ends a try, too. */
const ATTEMPTS_MAX = 3;
const RESTARTS_MAX = 5;
const RESTARTS_WINDOW_MS = 10 * 60_000;

/** Restarts within the window. */
function recent({ restarts = [] }: StatusRecord, wallMs: number): readonly number[] {
  return restarts.filter((at) => at <= wallMs && wallMs - at < RESTARTS_WINDOW_MS);
}

/** True when a server may have the process restarted once more: each restart costs data, and it may ask for ever. */
export function mayRestart(record: StatusRecord, wallMs: number): boolean {
  return recent(record, wallMs).length < RESTARTS_MAX;
}

/** With one more restart in it. */
export function withRestart(record: StatusRecord, wallMs: number): Pick<StatusRecord, "restarts"> {
  return { restarts: [...recent(record, wallMs), wallMs] };
}

/** What the marker asks this life to try, or why it cannot. */
export async function readTrial(
  marker: Marker,
  { records, judge }: {
    readonly records: RemoteRecords;
    readonly judge: (values: RemoteValues) => Judgement;
  },
): Promise<Trial | string> {
  if (marker.attempt > ATTEMPTS_MAX) return `sonde was stopped ${ATTEMPTS_MAX} times while trying it`;
  const config = await records.readConfig("received.bin");
  if (config === undefined || !sameBytes(config.configHash, marker.hash)) {
    return "sonde stopped while applying";
  }
  const judged = await judgeConfig(config, judge);
  if (judged.kind === "refused") return judged.reasons.join("; ");
  const begun = { ...marker, restart: "begun" } as const;
  // Not noted, a crash would be tried again for ever.
  if (!await records.writeMarker(begun)) return "the start with it cannot be written down";
  return { config, overlay: judged.overlay, marker: begun };
}
