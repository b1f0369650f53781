/**
 * The OpAMP protocol as one pure function: state and event in, next state and effects out (opamp 3.2, 3.6). It knows
 * no network, clock or file, so that days of protocol run in a test within milliseconds.
 * @module
 */
import { fail } from "./opamp_failure.ts";
import { acknowledge, markConnected, receive } from "./opamp_receive.ts";
import {
  dirtyFields,
  makeDisconnect,
  makeReport,
  makeRequest,
  withAcked,
  withField,
} from "./opamp_report.ts";
import {
  COALESCE_MS,
  type Effect,
  type EngineEvent,
  type EngineState,
  type FieldEvent,
  type Outgoing,
  type Turn,
} from "./opamp_state.ts";
import { mayReport } from "./opamp_steering.ts";
import { settleTrial, startTrial } from "./opamp_trial.ts";

const HEALTH_DEBOUNCE_MS = 2_000;
const HEALTH_DAMPING_MS = 30_000;
/** At a stop, the request in flight may still end by itself for this long. */
const STOP_PATIENCE_MS = 500;
const STOP_MAX_MS = 2_000;
/** Messages of the library's user that may wait; more are refused. */
export const REQUESTS_MAX = 16;

/** When the engine wants to be called with a "timer" event; Infinity: not before something happens. */
export function wakeAt(state: EngineState): number {
  if (state.stopped) return Infinity;
  if (state.stopBy !== undefined) {
    return hasBusyLink(state) ? patienceEnd(state) : state.stopBy;
  }
  if (state.link === "opening" || state.inFlight !== undefined) return Infinity;
  if (state.link === "closed") return state.holdUntil;
  if (state.leaving !== undefined) return -Infinity;
  const urgent = state.requests.length > 0 ? -Infinity : Infinity;
  return Math.max(state.holdUntil, Math.min(urgent, state.soonAt, state.dueAt));
}

/** Something other than the farewell is in flight. */
function hasBusyLink({ inFlight }: EngineState): boolean {
  return inFlight !== undefined && inFlight.kind !== "disconnect";
}

function patienceEnd(state: EngineState): number {
  return (state.stopBy ?? 0) - STOP_MAX_MS + STOP_PATIENCE_MS;
}

function send(turn: Turn, outgoing: Outgoing): void {
  const { state, effects, now, random } = turn;
  state.sequence = outgoing.sequence;
  state.inFlight = outgoing;
  // Never later than promised, and a fleet drifts apart.
  state.dueAt = now + state.intervalMs * (1 - 0.1 * random());
  if (outgoing.kind === "report") state.soonAt = Infinity;
  if ("health" in outgoing.included) state.healthSentAt = now;
  effects.push({ type: "count", what: "sent" });
  effects.push({ type: "send", bytes: outgoing.bytes, uid: state.uid });
}

function sendReport(turn: Turn): void {
  const { state, now } = turn;
  const isRegular = now >= state.dueAt;
  if (isRegular && (state.owesFull || state.owesComponents) && mayReport(turn)) {
    state.wantsFull ||= state.owesFull;
    state.wantsComponents ||= state.owesComponents;
    state.owesFull = state.owesComponents = false;
  }
  const choice = { full: state.wantsFull, allComponents: state.wantsComponents };
  const isNeeded = isRegular || choice.full || choice.allComponents || dirtyFields(state).length > 0;
  if (isNeeded) send(turn, makeReport(state, choice));
  else state.soonAt = Infinity;
}

/** Does what is due. */
function proceed(turn: Turn): void {
  const { state, effects, now } = turn;
  if (state.stopBy !== undefined) return proceedToStop(turn);
  if (now < wakeAt(state)) return;
  if (state.link === "closed") {
    state.link = "opening";
    effects.push({ type: "connect" });
    return;
  }
  const [request] = state.requests;
  if (state.leaving !== undefined) send(turn, makeDisconnect(state));
  else if (request !== undefined) send(turn, makeRequest(state, request.message));
  else sendReport(turn);
}

function finish({ state, effects }: Turn): void {
  if (state.config.transport === "websocket" && state.link !== "closed") effects.push({ type: "close" });
  else effects.push({ type: "abort" });
  state.stopped = true;
  state.inFlight = undefined;
  effects.push({ type: "stopped" });
}

function proceedToStop(turn: Turn): void {
  const { state, effects, now } = turn;
  const { inFlight, stopBy = 0 } = state;
  if (now >= stopBy || state.leaving !== "stop") return finish(turn);
  if (inFlight?.kind === "disconnect") return;
  if (inFlight !== undefined && now < patienceEnd(state)) return;
  if (!state.hasConnected) return finish(turn);
  if (inFlight !== undefined && state.config.transport === "http") effects.push({ type: "abort" });
  state.unanswered = undefined;
  send(turn, makeDisconnect(state));
}

function stop(turn: Turn): void {
  const { state, now } = turn;
  if (state.stopBy !== undefined || state.stopped) return;
  state.stopBy = now + STOP_MAX_MS;
  // A server that never heard of us needs no farewell, one that may be hearing of us just now does; a closed
  // WebSocket cannot carry one.
  const canLeave = state.link === "open" && (state.hasConnected || state.inFlight !== undefined);
  state.leaving = canLeave ? "stop" : undefined;
}

/** The farewell is out, or cannot be: what it was for happens now. */
function afterFarewell(turn: Turn): void {
  const { state, effects } = turn;
  const { leaving } = state;
  state.inFlight = undefined;
  state.unanswered = undefined;
  state.leaving = undefined;
  if (leaving === "stop") return finish(turn);
  if (state.config.transport === "websocket") {
    if (state.link !== "closed") effects.push({ type: "close" });
    state.link = "closed";
  }
  if (leaving === "switch") startTrial(turn);
}

/** A WebSocket is up: the server may be another one, or the same without memory, so everything is said again. */
function opened(turn: Turn): void {
  const { state, now } = turn;
  state.link = "open";
  state.openedAt = state.soonAt = state.holdUntil = now;
  state.wantsFull = true;
  state.fields = withAcked(state.fields, {
    ...{ description: undefined, health: undefined, effectiveConfig: undefined },
    ...{ remoteConfigStatus: undefined, components: undefined, settingsStatus: undefined },
  });
  markConnected(turn);
  if (state.trial?.phase === "trying") settleTrial(turn);
}

function sent(turn: Turn): void {
  const { inFlight } = turn.state;
  if (inFlight === undefined) return;
  if (inFlight.kind === "disconnect") return afterFarewell(turn);
  turn.state.inFlight = undefined;
  acknowledge(turn, inFlight);
}

function setField({ state, now }: Turn, event: FieldEvent): void {
  state.fields = withField(state.fields, event);
  if (!dirtyFields(state).includes(event.name)) return;
  const at = event.name === "health"
    ? Math.max(now + HEALTH_DEBOUNCE_MS, state.healthSentAt + HEALTH_DAMPING_MS)
    : now + COALESCE_MS;
  state.soonAt = Math.min(state.soonAt, at);
}

function addRequest({ state, effects }: Turn, event: EngineEvent & { type: "request" }): void {
  if (state.requests.length < REQUESTS_MAX && state.stopBy === undefined) {
    state.requests = [...state.requests, event.request];
    return;
  }
  const reason = state.stopBy === undefined
    ? `${REQUESTS_MAX} messages wait already`
    : "the client is stopping";
  effects.push({ type: "requestDone", id: event.request.id, failure: { kind: "refused", reason } });
}

function apply(turn: Turn, event: EngineEvent): void {
  const { state, now } = turn;
  const isLeaving = state.inFlight?.kind === "disconnect";
  switch (event.type) {
    case "field":
      return setField(turn, event);
    case "timer":
      return;
    case "opened":
      return opened(turn);
    case "sent":
      return sent(turn);
    case "answer":
      // Whatever the server says to a farewell comes too late.
      if (isLeaving && state.config.transport === "http") return afterFarewell(turn);
      if (state.stopBy === undefined) return receive(turn, event.message);
      state.inFlight = undefined;
      state.hasConnected = true;
      return;
    case "failure":
      if (isLeaving) return afterFarewell(turn);
      fail(turn, event.failure);
      if (state.config.transport === "websocket" && state.leaving !== undefined) afterFarewell(turn);
      return;
    case "request":
      return addRequest(turn, event);
    case "repeat":
      state.fields = withAcked(state.fields, { [event.name]: undefined });
      state.soonAt = Math.min(state.soonAt, now + COALESCE_MS);
      return;
    case "fullState":
      state.wantsFull = true;
      state.soonAt = Math.min(state.soonAt, now + COALESCE_MS);
      return;
    case "setInterval":
      state.dueAt = Math.min(state.dueAt, now + event.intervalMs);
      state.intervalMs = event.intervalMs;
      return;
    case "stop":
      return stop(turn);
  }
}

/** One event: the next state, and what to do about it. Never throws on anything a server can send. */
export function step(
  state: EngineState,
  event: EngineEvent,
  tick: { readonly now: number; readonly random: () => number },
): { readonly state: EngineState; readonly effects: readonly Effect[] } {
  if (state.stopped) return { state, effects: [] };
  const turn: Turn = { state: { ...state }, effects: [], ...tick };
  apply(turn, event);
  if (!turn.state.stopped) proceed(turn);
  return { state: turn.state, effects: turn.effects };
}
