/**
 * The apply machine with a disk that can lose power at any write and a pipeline that does as a test says.
 * @module
 */
import { create } from "@bufbuild/protobuf";
import { RemoteMachine } from "../config/remote_machine.ts";
import { bootRemote } from "../config/remote_boot.ts";
import type { RemoteValues } from "../config/remote_parse.ts";
import { judgeValues, type Overlay, type RemoteRules } from "../config/remote_policy.ts";
import type { RemoteStatus } from "../config/remote_record.ts";
import type { RemoteStore, StoreName } from "../config/remote_store.ts";
import type { MachineOptions, Observation, Swap } from "../config/remote_target.ts";
import { type AgentRemoteConfig, AgentRemoteConfigSchema } from "../proto_gen/opamp/opamp_pb.ts";
import { VirtualClock } from "./opamp_clock.ts";

export const OPEN_RULES: RemoteRules = { locked: new Map(), destinations: [] };

/** A disk in memory. After `cutAt` changes it fails for good, as when the power is cut. */
export class MemoryStore implements RemoteStore {
  readonly files: Map<string, Uint8Array<ArrayBuffer>> = new Map();
  changes = 0;
  cutAt: number = Infinity;

  #change(): void {
    if (this.changes++ >= this.cutAt) throw new PowerCut();
  }

  read(name: StoreName): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return Promise.resolve(this.files.get(name));
  }

  write(name: StoreName, bytes: Uint8Array): Promise<void> {
    this.#change();
    this.files.set(name, new Uint8Array(bytes));
    return Promise.resolve();
  }

  remove(name: StoreName): Promise<void> {
    this.#change();
    this.files.delete(name);
    return Promise.resolve();
  }

  setAside(name: StoreName): Promise<void> {
    const bytes = this.files.get(name);
    if (bytes !== undefined) this.files.set(`${name}.bad`, bytes);
    this.files.delete(name);
    return Promise.resolve();
  }
}

/** The process is gone: nothing after it may happen. */
export class PowerCut extends Error {}

/** A pipeline that notes what it ran. */
export class FakePipeline {
  readonly applied: Overlay[] = [];
  refusal: string | undefined;
  observation: Observation = { cycles: 0, intervalMs: 10_000, isExportFailing: false };
  /** A good cycle happens with every look. */
  cycles = true;
  /** Builds wait for it. */
  gate: Promise<void> = Promise.resolve();
  /** What of an overlay only a restart can change, and what this life began with. */
  fixedPart: (overlay: Overlay) => unknown = () => undefined;
  begun: Overlay = {};
  restarts = 0;
  readonly apply = async (overlay: Overlay): Promise<Swap> => {
    const { refusal } = this;
    await this.gate;
    if (refusal !== undefined) return { kind: "refused", reason: refusal };
    if (this.fixedPart(overlay) !== this.fixedPart(this.begun)) return { kind: "restart" };
    this.applied.push(overlay);
    return { kind: "done" };
  };
  readonly restart = (): void => void this.restarts++;
  readonly observe = (): Observation => {
    if (this.cycles) this.observation = { ...this.observation, cycles: this.observation.cycles + 1 };
    return this.observation;
  };
}

/** A machine with everything around it. */
export interface MachineRig {
  readonly clock: VirtualClock;
  readonly store: MemoryStore;
  readonly target: FakePipeline;
  readonly machine: RemoteMachine;
  readonly statuses: RemoteStatus[];
  /** "applied 0a", "failed 0b: why", with " again" for a repeat. */
  readonly told: string[];
  readonly notes: string[];
  readonly booted: Overlay;
}

/** Boots a machine; `store` carries over from an earlier life. */
export async function bootMachine(options: Partial<MachineOptions> & {
  readonly store?: MemoryStore;
  readonly rules?: RemoteRules;
  readonly clock?: VirtualClock;
  /** A key that only a restart can change. */
  readonly fixed?: string;
  /** What was to be tried does not load. */
  readonly fault?: string;
} = {}): Promise<MachineRig> {
  const { rules = OPEN_RULES, store = new MemoryStore(), clock = new VirtualClock(), ...rest } = options;
  const { fixed, fault, ...machineOptions } = rest;
  const target = new FakePipeline();
  if (fixed !== undefined) target.fixedPart = (overlay) => overlay[fixed];
  const statuses: RemoteStatus[] = [];
  const told: string[] = [];
  const notes: string[] = [];
  const judge = (values: RemoteValues) => judgeValues(values, rules);
  const note = (what: string) => void notes.push(what);
  const before = new TextDecoder().decode(store.files.get("status.json"));
  const { context = "1", stalenessMs } = machineOptions;
  const stale = stalenessMs === undefined ? {} : { stalenessMs };
  const state = await bootRemote({ store, judge, wallMs: clock.wall(), context, note, ...stale }, fault);
  target.begun = state.running;
  const { status } = state.record;
  if (status.state === "failed" && !before.includes(JSON.stringify(status.error))) {
    told.push(`failed ${status.hash.toHex()}: ${status.error}`);
  }
  const machine = new RemoteMachine({
    ...{ store, target, clock, probationMs: 30_000, context, judge, note },
    report: (status, isRepeat) => {
      statuses.push(status);
      const error = status.error === "" ? "" : `: ${status.error}`;
      told.push(`${status.state} ${status.hash.toHex()}${error}${isRepeat ? " again" : ""}`);
    },
    ...machineOptions,
  }, state);
  return { clock, store, target, machine, statuses, told, notes, booted: state.running };
}

/** An offer of one nameless file. */
export function offerOf(hash: number, body: unknown, contentType = "application/json"): AgentRemoteConfig {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return offerOfFiles(hash, { "": { body: new TextEncoder().encode(text), contentType } });
}

/** An offer of files. */
export function offerOfFiles(
  hash: number,
  configMap: Record<string, { body: Uint8Array<ArrayBuffer>; contentType: string }>,
): AgentRemoteConfig {
  return create(AgentRemoteConfigSchema, { configHash: new Uint8Array([hash]), config: { configMap } });
}

/** Offers and lets it be decided, probation included. */
export async function decide(rig: MachineRig, config: AgentRemoteConfig): Promise<void> {
  rig.machine.offer(config);
  await rig.clock.advance(60_000);
  await rig.machine.idle();
}
