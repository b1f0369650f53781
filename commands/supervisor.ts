/**
 * What the supervisor (the service manager) is told, and when: ready, reloading, stopping, and the watchdog's sign of
 * life, which is given only while cycles succeed. Off without NOTIFY_SOCKET. Source: sd_notify(3),
 * sd_watchdog_enabled(3).
 * @module
 */
import type { Settings } from "../config/settings.ts";
import type { NotifySocket } from "../exporters/notify.ts";
import type { Context } from "./context.ts";

/** Where to send and from where, if there is a service manager with a socket that has a path. */
export function notifySocket(env: Context["env"], { controlSockets }: Settings): NotifySocket | undefined {
  const to = env["NOTIFY_SOCKET"];
  const [control] = controlSockets;
  if (to === undefined || !to.startsWith("/") || control === undefined) return undefined;
  const folder = env["RUNTIME_DIRECTORY"]?.split(":")[0] ?? control.slice(0, control.lastIndexOf("/"));
  return { to, own: `${folder}/notify.sock` };
}

/** Milliseconds within which a sign of life is wanted; undefined when none is, or another process is meant. */
export function watchdogMs(env: Context["env"], pid: number): number | undefined {
  const { WATCHDOG_USEC: limit = "", WATCHDOG_PID: of = String(pid) } = env;
  const limitMs = Number(limit) / 1000;
  return limit !== "" && limitMs > 0 && of === String(pid) ? limitMs : undefined;
}

/** What a life has to give so that its service manager can be told. */
export interface SupervisorParts {
  /** Absent: nobody wants to know. */
  readonly notify: ((state: string) => void) | undefined;
  readonly watchdogMs: number | undefined;
  readonly intervalMs: () => number;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

/** The service manager, as `run` speaks to it. */
export class Supervisor {
  readonly #parts: SupervisorParts;
  #goodMs: number;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.#goodMs = parts.nowMs();
  }

  /** Started, or done with a reload. The watchdog is fed from the first time on. */
  ready(status: string): void {
    const { notify, watchdogMs } = this.#parts;
    notify?.(`READY=1\nSTATUS=${status}`);
    if (notify === undefined || watchdogMs === undefined) return;
    this.#timer ??= setInterval(() => this.beat(), watchdogMs / 3);
  }

  reloading(): void {
    this.#parts.notify?.("RELOADING=1");
  }

  /** The watchdog is left alone: how long a stop may take is the unit's to say. */
  stopping(): void {
    clearInterval(this.#timer);
    this.#parts.notify?.("STOPPING=1");
  }

  /** A cycle has ended well. */
  cycle(): void {
    this.#goodMs = this.#parts.nowMs();
  }

  /** A sign of life, unless the last good cycle is longer ago than an interval and half the watchdog's limit. */
  beat(): void {
    const { notify, watchdogMs = 0, intervalMs, nowMs } = this.#parts;
    if (nowMs() - this.#goodMs <= intervalMs() + watchdogMs / 2) notify?.("WATCHDOG=1");
  }
}
