/**
 * Applies remote configuration so that it can be taken back (opamp 3.5): persist, parse, judge, start aside, swap,
 * watch, and only then call it good. One actor works off offers; the latest wins. Whatever the process dies in, the
 * next one runs what was last proven.
 * @module
 */
import type { Clock } from "../exporters/clock.ts";
import type { AgentRemoteConfig } from "../proto_gen/opamp/opamp_pb.ts";
import { sameBytes } from "./opamp_report.ts";
import { type BootState, judgeConfig, NONE } from "./remote_boot.ts";
import type { RemoteValues } from "./remote_parse.ts";
import type { Judgement, Overlay } from "./remote_policy.ts";
import { passProbation } from "./remote_probation.ts";
import { RemoteRecords, type RemoteStatus, type StatusRecord } from "./remote_record.ts";
import { Staleness } from "./remote_staleness.ts";
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

/** What the machine steers. */
export interface RemoteTarget {
  /** Builds a pipeline with these remote values beside the running one, then swaps; refused, nothing has changed. */
  readonly apply: (
    overlay: Overlay,
  ) => Promise<{ readonly ok: true } | { readonly ok: false; readonly reason: string }>;
  readonly observe: () => Observation;
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

/** An offer known already is answered at most this often (A4). */
const REPEAT_MS = 5 * 60_000;
const ERROR_MAX = 4_096;

function sameOverlay(a: Overlay, b: Overlay): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The machine. One per process that applies; `bootRemote` comes first. */
export class RemoteMachine {
  readonly #options: MachineOptions;
  readonly #records: RemoteRecords;
  readonly #staleness: Staleness;
  #record: StatusRecord;
  /** What runs, and what was last proven. */
  #running: Overlay;
  #good: Overlay;
  #goodConfig: AgentRemoteConfig | undefined;
  /** The latest offer not yet begun, and the one under way. */
  #offered: AgentRemoteConfig | undefined;
  #current: { readonly hash: Uint8Array; readonly cut: AbortController } | undefined;
  #chain: Promise<void> = Promise.resolve();
  #attempts = 0;
  #reportedAt: number;

  /** `state`: what `bootRemote` made of the last life; the pipeline runs its `running`. */
  constructor(options: MachineOptions, state: BootState) {
    this.#options = options;
    this.#records = new RemoteRecords(options.store, options.note);
    this.#record = state.record;
    this.#running = state.running;
    this.#good = state.good;
    this.#goodConfig = state.goodConfig;
    // What the boot found is in the first report.
    this.#reportedAt = options.clock.mono();
    const { clock, stalenessMs } = options;
    this.#staleness = new Staleness({
      ...{ clock, stalenessMs, contact: state.record.contact },
      changed: (isStale) => this.#enqueue(() => this.#swap(isStale ? NONE : this.#good)),
      keep: (contact) => this.#enqueue(() => this.#write({ contact })),
    });
  }

  get status(): RemoteStatus {
    return this.#record.status;
  }

  /** For health: "probation" while a configuration is tried, "stale" while the server was silent for too long. */
  get phase(): "steady" | "probation" | "stale" {
    if (this.#current !== undefined) return "probation";
    return this.#staleness.isStale ? "stale" : "steady";
  }

  /** Takes an offer; returns at once. The latest wins. */
  offer(config: AgentRemoteConfig): void {
    if (config.configHash.length === 0) {
      return this.#options.note("remote configuration without hash ignored");
    }
    const isUnderWay = this.#current !== undefined && sameBytes(this.#current.hash, config.configHash);
    if (isUnderWay && this.#offered === undefined) return;
    const isQueued = this.#offered !== undefined;
    this.#offered = config;
    this.#current?.cut.abort();
    if (!isQueued) this.#enqueue(() => this.#takeOffer());
  }

  /** The server was heard of. */
  contact(): void {
    this.#staleness.contact();
  }

  /** Resolves when nothing is being worked on. */
  async idle(): Promise<void> {
    let seen: Promise<void> | undefined;
    while (seen !== this.#chain) await (seen = this.#chain);
  }

  /** Ends in good order: this start was no crash, and what is on probation will be tried again. */
  async stop(): Promise<void> {
    this.#staleness.stop();
    this.#offered = undefined;
    this.#current?.cut.abort();
    await this.idle();
    await this.#records.removeMarker();
    await this.#write({ boots: [] });
  }

  #enqueue(task: () => Promise<void>): void {
    this.#chain = this.#chain.then(task).catch((error: unknown) =>
      this.#options.note(`remote configuration: ${errorText(error)}`)
    );
  }

  async #takeOffer(): Promise<void> {
    const config = this.#offered;
    this.#offered = undefined;
    if (config === undefined) return;
    const cut = new AbortController();
    this.#current = { hash: config.configHash, cut };
    try {
      await this.#work(config, cut.signal);
    } catch (error) {
      await this.#fail(config, `fault of sonde: ${errorText(error)}`);
    } finally {
      this.#current = undefined;
    }
  }

  async #work(config: AgentRemoteConfig, signal: AbortSignal): Promise<void> {
    if (this.#isKnown(config)) return this.#repeat();
    await this.#records.writeConfig("received.bin", config);
    const judged = await judgeConfig(config, this.#options.judge);
    if (signal.aborted) return;
    if (judged.kind === "refused") return await this.#fail(config, judged.reasons.join("; "));
    const { overlay } = judged;
    // Nothing would change (A5): no restart, no probation.
    const isProven = sameOverlay(this.#running, this.#good);
    if (isProven && sameOverlay(overlay, this.#running)) return await this.#succeed(config, overlay);
    await this.#records.writeMarker(config.configHash, ++this.#attempts);
    this.#report({ hash: new Uint8Array(config.configHash), state: "applying", error: "" });
    const { target, clock, probationMs } = this.#options;
    const before = target.observe();
    const result = await target.apply(overlay);
    if (result.ok) this.#running = overlay;
    if (signal.aborted) return;
    if (!result.ok) return await this.#fail(config, result.reason);
    const fault = await passProbation({ observe: target.observe, clock, probationMs, before, signal });
    if (signal.aborted) return;
    if (fault === undefined) return await this.#succeed(config, overlay);
    const kept = this.#goodConfig?.configHash.toHex().slice(0, 16) ?? "local configuration";
    await this.#fail(config, `rolled back; running ${kept}: ${fault}`);
  }

  /** True when this offer was decided and nothing has changed since that could decide it otherwise. */
  #isKnown({ configHash }: AgentRemoteConfig): boolean {
    const { status, context } = this.#record;
    if (status.state === "unset" || !sameBytes(status.hash, configHash)) return false;
    return status.state === "applied" || context === this.#options.context;
  }

  #repeat(): void {
    if (this.#options.clock.mono() - this.#reportedAt >= REPEAT_MS) this.#report(this.#record.status, true);
  }

  async #succeed(config: AgentRemoteConfig, overlay: Overlay): Promise<void> {
    if (this.#goodConfig !== undefined) await this.#records.writeConfig("prev.bin", this.#goodConfig);
    await this.#records.writeConfig("good.bin", config);
    this.#goodConfig = config;
    this.#good = overlay;
    await this.#settle({ hash: new Uint8Array(config.configHash), state: "applied", error: "" });
    await this.#records.removeMarker();
  }

  /** Back to what was proven, then the status: it stays at the failed hash (A3). */
  async #fail({ configHash }: AgentRemoteConfig, reason: string): Promise<void> {
    await this.#swap(this.#good);
    await this.#settle({
      hash: new Uint8Array(configHash),
      state: "failed",
      error: reason.slice(0, ERROR_MAX),
    });
    await this.#records.removeMarker();
  }

  async #swap(overlay: Overlay): Promise<void> {
    if (sameOverlay(overlay, this.#running)) return;
    const result = await this.#options.target.apply(overlay);
    if (result.ok) this.#running = overlay;
    else this.#options.note(`configuration cannot be taken back: ${result.reason}`);
  }

  async #settle(status: RemoteStatus): Promise<void> {
    await this.#write({ status, context: this.#options.context });
    this.#report(status);
  }

  async #write(change: Partial<StatusRecord>): Promise<void> {
    this.#record = { ...this.#record, ...change };
    await this.#records.writeStatus(this.#record);
  }

  #report(status: RemoteStatus, isRepeat = false): void {
    this.#reportedAt = this.#options.clock.mono();
    this.#options.report(status, isRepeat);
  }
}
