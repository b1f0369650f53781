/**
 * One (destination, signal): a loop that takes the oldest batch, posts it, and settles it by its outcome, an
 * exhaustive switch in one place. Memory first, disk on trouble; one request on its way at most; every wait is
 * bounded and can be cut short (otlp 4.3, 4.4; design 8).
 * @module
 */
import { Account, emptyTally, type Tally } from "./account.ts";
import { attemptsMax } from "./answer.ts";
import { Backlog, type LaneSpool } from "./backlog.ts";
import { Breaker } from "./breaker.ts";
import { OVER } from "./clock.ts";
import { Drive, type FlushOptions } from "./drive.ts";
import { release } from "./growing_bytes.ts";
import type { LaneConfig } from "./lane_config.ts";
import type { LaneParts } from "./lane_parts.ts";
import { isMergeable } from "./merge_batch.ts";
import { type OutageFigures, OutageLog } from "./outage_log.ts";
import type { Accepted, Outcome, Refused, Retryable } from "./outcome.ts";
import { Pacer } from "./pacer.ts";
import type { Entry, LaneBatch } from "./queue.ts";
import type { LaneReport } from "./report.ts";
import { type Attempted, type Part, Sending } from "./sending.ts";
import { isSizeRefusal, SizeLimit } from "./size_limit.ts";
import { Suspicion } from "./suspicion.ts";

/** An attempt that takes longer counts as trouble: meanwhile what comes in goes to disk. */
const SLOW_MS = 400;
/** Wall clocks before this are not set yet, and say nothing about a batch's age. */
const PLAUSIBLE_MS = Date.UTC(2025, 0, 1);

export class Lane {
  readonly config: LaneConfig;
  readonly account: Account = new Account();
  readonly #parts: LaneParts;
  readonly #backlog: Backlog;
  readonly #breaker: Breaker;
  readonly #pacer = new Pacer();
  readonly #drive: Drive;
  readonly #log: OutageLog;
  readonly #limit: SizeLimit;
  readonly #suspicion = new Suspicion();
  #sending: Sending | undefined;
  #isSlow = false;

  constructor(config: LaneConfig, parts: LaneParts) {
    const { clock, spool, budget } = parts;
    this.config = config;
    this.#parts = parts;
    const evicted = (items: number) =>
      this.account.drop(this.#drive.isStopped ? "shutdown" : "queue_full", items);
    this.#backlog = new Backlog(budget, evicted, spool);
    this.#breaker = new Breaker(config.retry, clock.random);
    this.#drive = new Drive(clock, () => this.#breaker.isTroubled);
    this.#log = new OutageLog(config, parts.log);
    this.#limit = new SizeLimit(config.batchBytesMax);
    if (spool !== undefined) this.#takeOver(spool);
  }

  /** True when nothing moves until time passes or a batch arrives: what tests wait for. */
  get isWaiting(): boolean {
    return this.#drive.isWaiting;
  }

  /** Takes a batch; never waits, never throws. */
  accept(batch: LaneBatch): void {
    this.account.produced += batch.header.items;
    this.#pacer.arrived(this.#parts.clock.mono());
    this.#backlog.push(batch);
    if (this.#mustPersist()) this.#backlog.persist();
    this.#drive.wake();
    this.#parts.changed();
  }

  /** What a delta lane does before a batch of `bytes` pushes others out: it merges those nobody has seen (otlp M12). */
  async makeRoom(bytes: number): Promise<void> {
    if (isMergeable(this.config)) {
      await this.#backlog.makeRoom(bytes, (items) => this.account.merged += items);
    }
  }

  /** Credentials or trust were renewed: probe now. */
  retryNow(): void {
    this.#breaker.retryNow();
    this.#drive.wake();
  }

  /** Delivers what it can until the deadline and puts the rest on disk; gives the items left at its end. */
  async flush(options: FlushOptions): Promise<number> {
    const { spool } = this.#parts;
    await this.#drive.flush({ ...options, brief: options.brief && spool !== undefined });
    // What comes while the disk is written to came after the flush.
    const left = this.#backlog.items;
    await this.#backlog.persist();
    await spool?.sync();
    // What no disk has taken ends with the lane, and is counted.
    while (options.final && this.#backlog.memory.evict());
    return left;
  }

  /** Runs until a final flush has ended. Never rejects. */
  async run(): Promise<void> {
    while (!this.#drive.isStopped) {
      if (this.#mustPersist()) await this.#backlog.persist();
      const sending = await this.#next();
      if (sending === undefined) {
        this.#drained();
        await this.#drive.idle();
        continue;
      }
      const { nextMs, isAsked } = this.#breaker;
      const askedMs = Math.max(this.#parts.origin.untilMs, isAsked ? nextMs : 0);
      const isDue = await this.#drive.waitFor({ nextMs, askedMs, pacedMs: this.#pacer.nextMs });
      if (isDue) await this.#attempt(sending);
    }
  }

  report(): LaneReport {
    return {
      destination: this.config.destination,
      signal: this.config.signal,
      ...this.account.columns(),
      ...this.#backlog.held(),
      breaker: this.#breaker.state,
    };
  }

  #takeOver(spool: LaneSpool): void {
    spool.onDrop = (reason, items) => this.account.drop(reason, items);
    spool.onMerge = (items) => this.account.merged += items;
    spool.onAdopt = (items) => {
      this.account.produced += items;
      this.#drive.wake();
      this.#parts.changed();
    };
    this.account.produced = spool.inherited;
    if (spool.inherited > 0) this.#pacer.inherited();
  }

  #mustPersist(): boolean {
    const { spool, spoolAlways, budget } = this.#parts;
    if (spool === undefined || this.#backlog.memory.length === 0) return false;
    // A delta batch and the state it leaves behind are kept before anyone sees the batch (otlp M13).
    if (spoolAlways || this.config.temporality === "delta") return true;
    return this.#breaker.isTroubled || this.#isSlow || spool.batches > 0 || budget.isHalfFull ||
      this.#drive.isStopped;
  }

  /** The batch to send next; settles on the way what is too old or was delivered ahead of its turn. */
  async #next(): Promise<Sending | undefined> {
    while (true) {
      const current = this.#sending;
      if (current !== undefined && this.#backlog.holds(current.entry) && !this.#isTooOld(current.entry)) {
        return current;
      }
      this.#sending = undefined;
      const entry = await this.#backlog.head();
      if (entry === undefined) return undefined;
      const sending = new Sending(entry);
      const settled = this.#suspicion.take(entry);
      if (settled !== undefined) await this.#book(entry, settled);
      else if (this.#isTooOld(entry)) {
        await this.#book(entry, { ...emptyTally(), dropped: { too_old: entry.batch.header.items } });
      } else return this.#sending = sending;
    }
  }

  #isTooOld({ batch }: Entry): boolean {
    const now = this.#parts.clock.wall();
    return now > PLAUSIBLE_MS && now - batch.header.lastTimeMs > this.config.maxAgeMs;
  }

  async #attempt(oldest: Sending): Promise<void> {
    const sending = await this.#other(oldest) ?? oldest;
    const { part, entry } = sending;
    if (part === undefined) throw new Error("BUG: sending without a part");
    const tooLarge = part.plainBytes > this.#limit.bytesMax || part.items > this.config.batchItemsMax;
    if (tooLarge && part.items > 1) await sending.split();
    else {
      entry.sending = true;
      const outcome = await this.#post(part);
      entry.sending = false;
      await this.#apply(outcome, { sending, part });
      if (sending !== oldest && sending.part === undefined) {
        oldest.othersPassed = true;
        this.#suspicion.passed(entry, sending.tally);
      }
    }
    if (oldest.part === undefined) {
      this.#sending = undefined;
      await this.#book(oldest.entry, oldest.tally);
    }
    this.#parts.changed();
  }

  /** A batch behind one that is suspected to be poison, when it is its turn. */
  async #other(oldest: Sending): Promise<Sending | undefined> {
    if (!this.#suspicion.isTurnOfOthers(oldest)) return undefined;
    let entry = await this.#backlog.after(oldest.entry);
    while (entry !== undefined && this.#suspicion.isAhead(entry)) entry = await this.#backlog.after(entry);
    return entry === undefined ? undefined : new Sending(entry);
  }

  async #post(part: Part): Promise<Outcome> {
    const { clock, poster } = this.#parts;
    const quick = new AbortController();
    clock.sleep(SLOW_MS, quick.signal).then(() => {
      if (quick.signal.aborted) return;
      this.#isSlow = true;
      if (this.#mustPersist()) this.#backlog.persist();
    });
    this.#breaker.begin();
    const begun = clock.mono();
    const outcome = await poster.post(part.body, this.#drive.begin());
    quick.abort(OVER);
    this.#isSlow = false;
    this.#drive.end();
    const tookMs = clock.mono() - begun;
    this.account.attempted(outcome, { bytes: part.body.bytes.length, wallMs: clock.wall(), tookMs });
    return outcome;
  }

  async #apply(outcome: Outcome, { sending, part }: Attempted): Promise<void> {
    switch (outcome.kind) {
      case "accepted":
        return this.#accepted(outcome, sending);
      case "retryable":
        return await this.#failed(outcome, sending);
      case "refused":
        return await this.#refused(outcome, { sending, part });
    }
  }

  #accepted({ rejected, message, status }: Accepted, sending: Sending): void {
    const now = this.#parts.clock.mono();
    if (this.#breaker.isTroubled) this.#pacer.resumed(now);
    this.#breaker.succeed();
    this.#pacer.sent(now);
    this.#limit.accepted();
    sending.deliver(rejected);
    if (message === undefined) return;
    const event = rejected > 0 ? "backend rejected part of a batch" : "backend warned";
    this.#log.refused(event, message, { status, rejected });
  }

  async #failed(outcome: Retryable, sending: Sending): Promise<void> {
    const { clock, origin } = this.#parts;
    const now = clock.mono();
    sending.failures++;
    if (this.#suspicion.isDisconnect(outcome.cause)) sending.disconnects++;
    this.#breaker.fail(now, outcome.retryAfterMs);
    this.#pacer.failed(now);
    if (outcome.status === 503 && outcome.retryAfterMs !== undefined) {
      origin.untilMs = Math.max(origin.untilMs, now + outcome.retryAfterMs);
    }
    this.#log.failed(outcome, now, this.#figures());
    if (this.#suspicion.isPoison(sending)) {
      const put = () => this.#parts.spool?.quarantine(sending.entry.batch) ?? Promise.resolve(false);
      await sending.quarantine(put);
      this.#log.refused("batch quarantined", outcome.message, { cause: outcome.cause });
    } else if (sending.failures >= attemptsMax(this.config.retry, outcome.status)) {
      sending.drop("retries_exhausted");
    }
  }

  async #refused(outcome: Refused, { sending, part }: Attempted): Promise<void> {
    const now = this.#parts.clock.mono();
    const { cause, message, status = 0 } = outcome;
    if (outcome.class === "destination") {
      this.#breaker.hold(now);
      this.#pacer.failed(now);
      if (!outcome.keep) sending.reject();
      return this.#log.failed(outcome, now, this.#figures());
    }
    if (outcome.class === "too_large" && isSizeRefusal(status, part.plainBytes)) {
      this.#breaker.succeed();
      this.#limit.refused(part.plainBytes);
      this.#log.refused("request too large, splitting", message, { status, bytes: part.plainBytes });
      return await sending.split();
    }
    this.#breaker.refuse(now);
    sending.reject();
    this.#log.refused("backend refused a batch", message, { status, cause, items: part.items });
  }

  async #book(entry: Entry, tally: Tally): Promise<void> {
    if (await this.#backlog.settle(entry)) this.account.book(tally);
    const { body } = entry.batch;
    if (body.isOwn) release(body.bytes);
  }

  #drained(): void {
    this.#pacer.drained();
    if (!this.#breaker.isTroubled) this.#log.drained(this.#parts.clock.mono(), this.#figures());
  }

  #figures(): OutageFigures {
    const { delivered, dropped } = this.account.total;
    return { queued: this.#backlog.items, delivered, tooOld: dropped["too_old"] ?? 0 };
  }
}
