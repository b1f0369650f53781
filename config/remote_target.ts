/**
 * What the apply machine stands on: a pipeline that can be given other values and watched, a disk, a clock, rules.
 * @module
 */
import type { Clock } from "../exporters/clock.ts";
import type { RemoteValues } from "./remote_parse.ts";
import type { Judgement, Overlay } from "./remote_policy.ts";
import type { RemoteStatus } from "./remote_record.ts";
import type { RemoteStore } from "./remote_store.ts";

/** How the running pipeline does. */
export interface Observation {
  /** Good cycles since the process began. */
  readonly cycles: number;
  readonly intervalMs: number;
  readonly isExportFailing: boolean;
  /** What is wrong, when something is that time will not heal. */
  readonly fault?: string;
}

/** What came of other values; unless done, nothing has changed. */
export type Swap =
  | { readonly kind: "done" }
  | { readonly kind: "refused"; readonly reason: string }
  /** Only another life can have them, and there is somebody to start one. */
  | { readonly kind: "restart" };

/** What the machine steers. */
export interface RemoteTarget {
  /** Builds a pipeline with these remote values beside the running one, then swaps. */
  readonly apply: (overlay: Overlay) => Promise<Swap>;
  readonly observe: () => Observation;
  /** Ends the process for its supervisor to start it again: the next life finds what is to be run. */
  readonly restart: () => void;
}

/** Everything the machine needs. */
export interface MachineOptions {
  readonly store: RemoteStore;
  readonly target: RemoteTarget;
  readonly judge: (values: RemoteValues) => Judgement;
  readonly clock: Clock;
  readonly probationMs: number;
  /** Without the server for so long, the local configuration alone counts. */
  readonly stalenessMs?: number;
  /** Version and a hash of the local configuration. */
  readonly context: string;
  /** Called with each new status, after it is on disk. `isRepeat`: the server asked for it again. */
  readonly report: (status: RemoteStatus, isRepeat: boolean) => void;
  readonly note: (what: string) => void;
}
