/**
 * What the engine does when no usable answer came (opamp 3.6): wait as long as the failure demands, keep what is not
 * yet reported, and say it in the log once and then hourly.
 * @module
 */
import { dirtyFields, withAcked } from "./opamp_report.ts";
import type { Turn } from "./opamp_state.ts";
import { settleTrial } from "./opamp_trial.ts";
import { type Failure, THROTTLE_MIN_MS, waitMs } from "./opamp_wait.ts";

const HOUR_MS = 3_600_000;
/** A WebSocket that lived this long was a good one: the next failure is the first. */
const STABLE_MS = 30_000;

function logFailure({ state, effects, now }: Turn, failure: Failure, wait: number): void {
  const { logged } = state;
  const again = logged?.kinds.includes(failure.kind) ?? false;
  if (logged !== undefined && again && now - logged.at < HOUR_MS) return;
  state.logged = { kinds: [...new Set([...logged?.kinds ?? [], failure.kind])], at: now };
  effects.push({
    type: "log",
    level: "warn",
    event: again ? "opamp still without server" : "opamp server unreachable",
    fields: { reason: failure.reason, failures: state.failures, next_attempt_s: Math.round(wait / 1000) },
  });
}

/** Wait of a failure, WebSocket's quick first return included. */
function waitOf({ state, random }: Turn, failure: Failure): number {
  const isFirstLoss = state.config.transport === "websocket" && state.failures === 1;
  if (failure.kind === "network" && isFirstLoss && state.hasConnected) return 1_000 * random();
  return waitMs(failure, state.failures, random);
}

/** A request of the library's user failed: one attempt less. */
function failRequest({ state, effects }: Turn, failure: Failure): void {
  const [head, ...rest] = state.requests;
  if (head === undefined) return;
  const attemptsLeft = head.attemptsLeft - 1;
  // The protocol forbids sending these bytes again, whatever the caller allowed.
  const final = failure.kind === "badRequest" || failure.kind === "tooLarge";
  if (attemptsLeft > 0 && !final) {
    state.requests = [{ ...head, attemptsLeft }, ...rest];
    return;
  }
  state.requests = rest;
  effects.push({ type: "requestDone", id: head.id, failure });
}

/** The server will not have these fields: they count as said until they change. */
export function giveUpReport({ state }: Turn): void {
  const { inFlight } = state;
  if (inFlight === undefined) return;
  state.fields = withAcked(state.fields, inFlight.included);
  if (inFlight.full) state.wantsFull = false;
  if (inFlight.allComponents) state.wantsComponents = false;
  if (dirtyFields(state).length === 0) state.soonAt = Infinity;
}

/** An exchange failed, or the WebSocket did. */
export function fail(turn: Turn, failure: Failure): void {
  const { state, effects, now, random } = turn;
  const { inFlight } = state;
  const isWebSocket = state.config.transport === "websocket";
  if (isWebSocket && state.link === "open" && now - state.openedAt >= STABLE_MS) state.failures = 0;
  state.failures++;
  effects.push({ type: "count", what: "failures" });
  if (failure.kind === "malformed") effects.push({ type: "count", what: "malformed" });
  if (inFlight?.kind === "request") failRequest(turn, failure);
  let wait = waitOf(turn, failure);
  if (failure.kind === "tooLarge" && inFlight?.kind === "report") {
    if (state.shortened) giveUpReport(turn);
    state.shortened = true;
  } else if (failure.kind === "badRequest" && inFlight?.kind === "report") {
    giveUpReport(turn);
    // A refused report is not repeated, so the next message is the heartbeat; refused too, the wait is longer.
    wait = Math.max(wait, inFlight.bare ? THROTTLE_MIN_MS * (1 + 0.2 * random()) : state.dueAt - now);
  } else if (inFlight !== undefined) {
    state.unanswered = inFlight;
  }
  state.inFlight = undefined;
  if (isWebSocket) state.link = "closed";
  state.holdUntil = Math.max(state.holdUntil, now + wait);
  // What failed, a heartbeat included, is due again as soon as the wait is over.
  if (failure.kind !== "badRequest") state.dueAt = Math.min(state.dueAt, state.holdUntil);
  effects.push({ type: "connectFailed", failure, waitMs: state.holdUntil - now });
  logFailure(turn, failure, state.holdUntil - now);
  if (state.trial?.phase === "trying") settleTrial(turn, failure.reason);
}
