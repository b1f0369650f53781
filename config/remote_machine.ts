/**
 * Applies remote configuration so that it can be taken back (opamp 3.5): persist, parse, judge, start aside, swap,
 * watch, and only then call it good. One actor works off offers; the latest wins. Whatever the process dies in, the
 * next one runs what was last proven.
 * @module
 */
import type { AgentRemoteConfig } from "../proto_gen/opamp/opamp_pb.ts";
import { sameBytes } from "./opamp_report.ts";
import { type BootState, NONE } from "./remote_boot.ts";
import { judgeConfig } from "./remote_judge.ts";
import { type Overlay, sameOverlay } from "./remote_policy.ts";
import { Pace } from "./remote_pace.ts";
import { passProbation } from "./remote_probation.ts";
import { RemoteRecords, type RemoteStatus, type StatusRecord } from "./remote_record.ts";
import { Staleness } from "./remote_staleness.ts";
import type { MachineOptions, Observation } from "./remote_target.ts";
import { mayRestart, type Trial, withRestart } from "./remote_trial.ts";

/** An offer known already is answered at most this often (A4). */
const REPEAT_MS = 5 * 60_000;
const ERROR_MAX = 4_096;

/** What a probation is about. */
interface Probing {
  readonly overlay: Overlay;
  readonly before: Observation;
  readonly cut: AbortController;
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
  readonly #pace: Pace;
  #hasNotedNoHash = false;
  #attempts = 0;
  #reportedAt: number;
  #told: RemoteStatus;
  /** What this life was started to try, until that is settled or superseded. */
  #trial: Trial | undefined;
  /** The process is about to end: what is on disk is for the next life. */
  #isLeaving = false;

  /** `state`: what `bootRemote` made of the last life; the pipeline runs its `running`. */
  constructor(options: MachineOptions, state: BootState) {
    this.#options = options;
    this.#records = new RemoteRecords(options.store, options.note);
    this.#record = state.record;
    this.#running = state.running;
    this.#good = state.good;
    this.#goodConfig = state.goodConfig;
    this.#told = state.record.status;
    this.#pace = new Pace(options.clock);
    // What the boot found is in the first report.
    this.#reportedAt = options.clock.mono();
    const { clock, stalenessMs } = options;
    this.#staleness = new Staleness({
      ...{ clock, stalenessMs, contact: state.record.contact },
      changed: (isStale) => this.#enqueue(() => this.#turn(isStale)),
      keep: (contact) => this.#enqueue(() => this.#write({ contact })),
    });
    if (state.trial !== undefined) this.#begin(state.trial);
  }

  /** As it was last told. */
  get status(): RemoteStatus {
    return this.#told;
  }

  /** For health: "probation" while a configuration is tried, "stale" while the server was silent for too long. */
  get phase(): "steady" | "probation" | "stale" {
    if (this.#told.state === "applying") return "probation";
    return this.#staleness.isStale ? "stale" : "steady";
  }

  /** Takes an offer; returns at once. The latest wins. */
  offer(config: AgentRemoteConfig): void {
    if (config.configHash.length === 0) return this.#noteNoHash();
    if (this.#isLeaving) return;
    const isUnderWay = this.#current !== undefined && sameBytes(this.#current.hash, config.configHash);
    if (isUnderWay && this.#offered === undefined) return;
    const isQueued = this.#offered !== undefined;
    this.#offered = config;
    this.#current?.cut.abort();
    if (!isQueued) this.#enqueue(() => this.#takeOffer());
  }

  /** Once: a server that does so once does so with every message. */
  #noteNoHash(): void {
    if (!this.#hasNotedNoHash) this.#options.note("remote configuration without hash ignored");
    this.#hasNotedNoHash = true;
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
    if (!this.#isLeaving) await this.#putOff();
    await this.#write({ boots: [] });
  }

  /** What is being tried is left undecided. */
  async #putOff(): Promise<void> {
    if (this.#trial === undefined) return await this.#records.removeMarker();
    const { marker } = this.#trial;
    await this.#records.writeMarker({ ...marker, restart: "due", attempt: marker.attempt + 1 });
  }

  /** Goes on with what the last life ended for. */
  #begin(trial: Trial): void {
    const { config, overlay, marker } = trial;
    const cut = new AbortController();
    this.#trial = trial;
    this.#told = { hash: new Uint8Array(config.configHash), state: "applying", error: "" };
    this.#current = { hash: config.configHash, cut };
    const before = { ...this.#options.target.observe(), isExportFailing: marker.wasFailing === true };
    this.#enqueue(() => this.#during(config, () => this.#prove(config, { overlay, before, cut })));
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
    await this.#during(config, () => this.#work(config, cut));
  }

  async #during(config: AgentRemoteConfig, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      await this.#fail(config, `fault of sonde: ${errorText(error)}`);
    } finally {
      this.#current = undefined;
    }
  }

  async #work(config: AgentRemoteConfig, cut: AbortController): Promise<void> {
    if (this.#isProven && this.#isKnown(config)) return this.#repeat();
    await this.#pace.turn(cut.signal);
    if (cut.signal.aborted) return;
    const isKept = await this.#records.writeConfig("received.bin", config);
    const judged = await judgeConfig(config, this.#options.judge);
    if (cut.signal.aborted) return;
    if (judged.kind === "refused") return await this.#fail(config, judged.reasons.join("; "));
    const { overlay } = judged;
    // Nothing would change (A5): no restart, no probation.
    if (this.#isProven && sameOverlay(overlay, this.#running)) return await this.#succeed(config, overlay);
    const hash = new Uint8Array(config.configHash);
    await this.#records.writeMarker({ hash, attempt: ++this.#attempts });
    this.#trial = undefined;
    this.#report({ hash, state: "applying", error: "" });
    const { target } = this.#options;
    const before = target.observe();
    const swap = await target.apply(overlay);
    if (swap.kind === "done") this.#running = overlay;
    if (cut.signal.aborted) return;
    if (swap.kind === "refused") return await this.#fail(config, swap.reason);
    if (swap.kind === "restart") return await this.#handOver(config, { isKept, before });
    await this.#prove(config, { overlay, before, cut });
  }

  /** Lets it show how it does, and settles it. */
  async #prove(config: AgentRemoteConfig, { overlay, before, cut }: Probing): Promise<void> {
    const { target, clock, probationMs } = this.#options;
    const { signal } = cut;
    const fault = await passProbation({ observe: target.observe, clock, probationMs, before, signal });
    if (signal.aborted) return;
    if (fault === undefined) return await this.#succeed(config, overlay);
    const kept = this.#goodConfig?.configHash.toHex().slice(0, 16) ?? "local configuration";
    await this.#fail(config, `rolled back; running ${kept}: ${fault}`);
  }

  /** Leaves it to the next life. */
  async #handOver(
    config: AgentRemoteConfig,
    { isKept, before }: { readonly isKept: boolean; readonly before: Observation },
  ): Promise<void> {
    if (!mayRestart(this.#record, this.#options.clock.wall())) {
      return await this.#fail(
        config,
        "needs a restart, and there were too many in ten minutes: offer it later",
      );
    }
    const hash = new Uint8Array(config.configHash);
    const due = { hash, attempt: 1, restart: "due", wasFailing: before.isExportFailing } as const;
    if (!isKept || !await this.#records.writeMarker(due)) {
      return await this.#fail(config, "needs a restart, and cannot be written down for it");
    }
    await this.#leave();
  }

  async #leave(): Promise<void> {
    this.#isLeaving = true;
    await this.#write(withRestart(this.#record, this.#options.clock.wall()));
    this.#options.target.restart();
  }

  get #isProven(): boolean {
    return sameOverlay(this.#running, this.#good);
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
    const needsRestart = await this.#swap(this.#good);
    await this.#settle({
      hash: new Uint8Array(configHash),
      state: "failed",
      error: reason.slice(0, ERROR_MAX),
    });
    await this.#records.removeMarker();
    if (needsRestart) await this.#leave();
  }

  /** Runs other values; true: only the next life can. */
  async #swap(overlay: Overlay): Promise<boolean> {
    if (sameOverlay(overlay, this.#running)) return false;
    const swap = await this.#options.target.apply(overlay);
    if (swap.kind === "done") this.#running = overlay;
    if (swap.kind === "refused") this.#options.note(`configuration cannot be taken back: ${swap.reason}`);
    return swap.kind === "restart";
  }

  /** The server has been silent for too long, or is back. */
  async #turn(isStale: boolean): Promise<void> {
    if (await this.#swap(isStale ? NONE : this.#good)) await this.#leave();
  }

  async #settle(status: RemoteStatus): Promise<void> {
    this.#trial = undefined;
    await this.#write({ status, context: this.#options.context });
    this.#report(status);
  }

  async #write(change: Partial<StatusRecord>): Promise<void> {
    this.#record = { ...this.#record, ...change };
    await this.#records.writeStatus(this.#record);
  }

  #report(status: RemoteStatus, isRepeat = false): void {
    this.#reportedAt = this.#options.clock.mono();
    this.#told = status;
    this.#options.report(status, isRepeat);
  }
}
