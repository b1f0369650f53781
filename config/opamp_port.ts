/**
 * The two unions that cross the port between the sensor, which collects, and the OpAMP session in the courier.
 * @module
 */
import type { BatchMessage } from "../exporters/batch.ts";
import type { LaneConfig } from "../exporters/lane_config.ts";
import type { LogRecord } from "../exporters/messages.ts";
import type { LaneReport } from "../exporters/report.ts";
import type { OpampSettings } from "./opamp_settings.ts";
import type { ClientStatus } from "./opamp_options.ts";
import type { Attributes, Health } from "./opamp_values.ts";
import type { Failure } from "./opamp_wait.ts";
import type { BootState } from "./remote_boot.ts";
import type { Overlay, RemoteRules } from "./remote_policy.ts";
import type { RemoteStatus } from "./remote_record.ts";
import type { Observation, Swap } from "./remote_target.ts";

/** What the local configuration decides about remote values, as data. */
export interface LocalRules extends Pick<RemoteRules, "locked" | "allow" | "destinations"> {
  /** Names that selections may use. */
  readonly collectors: readonly string[];
  readonly metrics: readonly string[];
}

/** The running configuration: text by key as `config print` shows it, and what is locked. */
export interface RunningConfig {
  readonly values: Readonly<Record<string, string>>;
  readonly locked: RemoteRules["locked"];
  /** Between polls and heartbeats. */
  readonly intervalMs: number;
}

/** What a session is started with. */
export interface OpampStart {
  readonly type: "start";
  readonly settings: OpampSettings;
  /** `sonde/1.2.3`. */
  readonly product: string;
  readonly instanceUid: string;
  readonly identifying: Attributes;
  readonly other: Attributes;
  /** Version by name, such as "collector/cpu". */
  readonly components: Readonly<Record<string, string>>;
  readonly health: Health;
  readonly running: RunningConfig;
  readonly rules: LocalRules;
  /** Absent: remote configuration is not accepted. */
  readonly boot?: BootState;
  /** Version and a hash of the local configuration. */
  readonly context: string;
  /** Absent: nothing can be remembered. */
  readonly stateDir?: string;
}

/** One exchange and a goodbye, instead of a session. */
export interface LinkTry {
  readonly type: "try";
  readonly settings: OpampSettings;
  readonly product: string;
  /** One of its own: a running agent is left alone. */
  readonly instanceUid: string;
  readonly identifying: Attributes;
  /** The longest wait for an answer. */
  readonly answerMs: number;
}

/** What came of it. */
export type TryResult =
  | { readonly kind: "answer"; readonly capabilities: bigint }
  | { readonly kind: "error"; readonly message: string }
  | { readonly kind: "failure"; readonly failure: Failure }
  /** Connected, and not a word. */
  | { readonly kind: "silence" };

export type ToOpamp =
  | OpampStart
  | LinkTry
  /** After each cycle and each change. */
  | {
    readonly type: "observed";
    readonly observation: Omit<Observation, "isExportFailing">;
    readonly health: Health;
  }
  | { readonly type: "running"; readonly running: RunningConfig }
  /** The answer to "apply". */
  | { readonly type: "applied"; readonly id: number; readonly swap: Swap }
  /** sonde's telemetry about itself, for the lanes that "own" named. */
  | { readonly type: "own"; readonly batch: BatchMessage }
  | { readonly type: "stop" };

/** Where link and remote configuration stand, for `status`. */
export interface OpampReport extends Omit<ClientStatus, "counters"> {
  readonly phase: "steady" | "probation" | "stale";
  /** Absent: remote configuration is not accepted. The hash is hex. */
  readonly offer?: Omit<RemoteStatus, "hash"> & { readonly hash: string };
  /** Where own telemetry goes, and its account. */
  readonly own?: readonly OwnReport[];
}

/** One signal of own telemetry. */
export interface OwnReport extends LaneReport {
  /** "": it was withdrawn. */
  readonly endpoint: string;
}

export type FromOpamp =
  | { readonly type: "apply"; readonly id: number; readonly overlay: Overlay }
  | { readonly type: "report"; readonly report: OpampReport }
  /** The server assigned another identity; it is written down already. */
  | { readonly type: "uid"; readonly uid: string }
  /** The server commands a restart. */
  | { readonly type: "restart" }
  /** Lanes that own telemetry is wanted for from now on, without their secrets. */
  | { readonly type: "own"; readonly lanes: readonly LaneConfig[] }
  /** A line for the log that is not own telemetry itself. */
  | { readonly type: "aside"; readonly record: LogRecord }
  /** The process has to end: the next life finds on disk what it shall run. */
  | { readonly type: "leave" }
  | { readonly type: "stopped" }
  /** The answer to "try". */
  | { readonly type: "tried"; readonly result: TryResult };
