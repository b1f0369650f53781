/**
 * The byte budget (`SONDE_BYTES_PER_DAY`): what is left of a day is spread over the rest of it. First the interval
 * stretches, then series are shed in the order of `SHEDS`, then the interval stretches on; each is taken back when there
 * is room.
 * @module
 */
import { type Choice, parseChoice } from "../config/glob.ts";
import type { DayAccount } from "./budget_account.ts";

/** What is given up, least useful first, as `SONDE_METRICS` would say it. */
export const SHEDS: readonly { readonly name: string; readonly metrics: readonly string[] }[] = [
  { name: "own figures", metrics: ["-sonde.*", "-otel.sdk.*", "-process.*"] },
  {
    name: "detail of devices and protocols",
    metrics: [
      ...[
        "-system.network.packet*",
        "-system.network.error*",
        "-system.network.linux.*",
        "-system.network.conn*",
      ],
      ...["-system.disk.oper*", "-system.disk.merged", "-system.disk.io_time", "-system.disk.linux.*"],
      ...["-system.filesystem.inodes*", "-system.filesystem.linux.*"],
    ],
  },
  {
    name: "the kernel's inner life",
    metrics: [
      ...[
        "-system.cpu.linux.*",
        "-system.memory.linux.pressure*",
        "-system.memory.linux.slab*",
        "-system.io.*",
      ],
      ...["-system.paging.*", "-system.process.*", "-system.linux.*", "-hw.*", "-container.*"],
    ],
  },
  {
    name: "all but the core",
    metrics: [
      ...[
        "-*",
        "system.cpu.time",
        "system.cpu.load_average.*",
        "system.memory.usage",
        "system.filesystem.usage",
      ],
      ...["system.disk.io", "system.network.io", "system.uptime"],
    ],
  },
];

/** What `status` and `top` show. */
export interface BudgetState {
  readonly bytesPerDay: number;
  /** Sent since midnight UTC, by earlier lives too, an estimate of heads included. */
  readonly sentBytes: number;
  /** In effect, stretched or not. */
  readonly intervalMs: number;
  /** Names of what is shed. */
  readonly shed: readonly string[];
}

const DAY_MS = 86_400_000;
/** A day that began late, or idle, is not made up for faster than this, and a spent one still gives a sign of life. */
const PACE_MAX = 2;
const PACE_MIN = 1 / 64;
/** A request's and an answer's heads, framing and TLS records beside the body. */
const HEADS_BYTES = 600;
/** The interval stretches so far before series are shed. */
const STRETCH_MS = 60_000;
const STRETCH_FACTOR = 6;
const INTERVAL_MS_MAX = 3_600_000;
/** Cycles between two steps: a step's effect must be seen before the next one. */
const SETTLE_CYCLES = 3;
/** Weight of the newest cycle in the bytes one cycle takes. */
const WEIGHT = 0.3;

/** What was sent so far, from the courier's account. */
export interface Sent {
  readonly bytes: number;
  readonly requests: number;
}

export class ByteBudget {
  readonly #perDay: number;
  readonly #account: DayAccount;
  /** Of this life. */
  #sent = 0;
  #cyclesSince = 0;
  #perCycle: number | undefined;
  #shed = 0;
  #settled = 0;
  #intervalMs: number;

  /** `intervalMs` is the configured one. */
  constructor(
    perDay: number,
    { intervalMs, account }: { readonly intervalMs: number; readonly account: DayAccount },
  ) {
    this.#perDay = perDay;
    this.#account = account;
    this.#intervalMs = intervalMs;
  }

  /** After a cycle. True when other series are shed than before. */
  observe({ bytes, requests }: Sent, configuredMs: number): boolean {
    const total = bytes + requests * HEADS_BYTES;
    this.#cyclesSince++;
    // In an outage nothing is sent, which says nothing about what a cycle takes.
    if (total > this.#sent) {
      const measured = (total - this.#sent) / this.#cyclesSince;
      this.#perCycle = this.#perCycle === undefined
        ? measured
        : this.#perCycle + WEIGHT * (measured - this.#perCycle);
      this.#account.add(total - this.#sent);
      this.#sent = total;
      this.#cyclesSince = 0;
    }
    const wanted = this.#wantedMs(configuredMs);
    const hasStepped = this.#step(wanted, configuredMs);
    const last = this.#shed === SHEDS.length ? INTERVAL_MS_MAX : stretchMax(configuredMs);
    // Another day has bytes of its own: no wait is longer than this one.
    const rest = Math.max(configuredMs, this.#account.restMs);
    this.#intervalMs = Math.round(Math.min(wanted, last, rest));
    return hasStepped;
  }

  get intervalMs(): number {
    return this.#intervalMs;
  }

  /** The operator's choices with what is shed now taken out; what they switched off stays off. */
  choices(metrics: readonly Choice[]): readonly Choice[] {
    const shed = SHEDS.slice(0, this.#shed).flatMap((step) => step.metrics.map(parseChoice));
    return [...metrics, ...shed, ...metrics.filter(({ on }) => !on)];
  }

  state(): BudgetState {
    return {
      bytesPerDay: this.#perDay,
      sentBytes: this.#account.bytes,
      intervalMs: this.#intervalMs,
      shed: SHEDS.slice(0, this.#shed).map(({ name }) => name),
    };
  }

  /** The interval at which what is left lasts. */
  #wantedMs(configuredMs: number): number {
    if (this.#perCycle === undefined) return configuredMs;
    const rate = this.#perDay / DAY_MS;
    const left = (this.#perDay - this.#account.bytes) / this.#account.restMs;
    const pace = Math.min(PACE_MAX * rate, Math.max(PACE_MIN * rate, left));
    return Math.max(configuredMs, this.#perCycle / pace);
  }

  #step(wantedMs: number, configuredMs: number): boolean {
    if (++this.#settled < SETTLE_CYCLES) return false;
    const max = stretchMax(configuredMs);
    const step = wantedMs > max && this.#shed < SHEDS.length
      ? 1
      : wantedMs < max / 3 && this.#shed > 0
      ? -1
      : 0;
    if (step === 0) return false;
    this.#shed += step;
    this.#settled = 0;
    this.#perCycle = undefined;
    return true;
  }
}

function stretchMax(configuredMs: number): number {
  return Math.max(STRETCH_MS, STRETCH_FACTOR * configuredMs);
}
