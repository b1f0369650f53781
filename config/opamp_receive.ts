/**
 * What a ServerToAgent does to the engine (opamp 1.5, 1.8). Nothing in it is trusted: a wrong identity, an unknown
 * bit or a part whose capability is not claimed is ignored and counted.
 * @module
 */
import {
  type ServerErrorResponse,
  ServerErrorResponseType as ErrorType,
  type ServerToAgent,
} from "../proto_gen/opamp/opamp_pb.ts";
import { AgentBit, ServerFlag } from "./opamp_bits.ts";
import { fail, giveUpReport } from "./opamp_failure.ts";
import { dirtyFields, sameBytes, withAcked } from "./opamp_report.ts";
import { COALESCE_MS, type Counted, type Outgoing, type Turn } from "./opamp_state.ts";
import { mayReport, maySteer } from "./opamp_steering.ts";
import { advanceTrial, settleTrial, takeOffers } from "./opamp_trial.ts";
import { nanosToMs, THROTTLE_MIN_MS } from "./opamp_wait.ts";

function count({ effects }: Turn, what: Counted): void {
  effects.push({ type: "count", what });
}

function claims({ state }: Turn, bit: bigint): boolean {
  return (state.config.capabilities & bit) !== 0n;
}

/** The server has the message: its fields need not be said again. */
export function acknowledge(turn: Turn, outgoing: Outgoing): void {
  const { state, effects } = turn;
  state.fields = withAcked(state.fields, outgoing.included);
  state.unanswered = undefined;
  if (outgoing.full) state.wantsFull = false;
  if (outgoing.allComponents) state.wantsComponents = false;
  if (outgoing.kind === "request") {
    const [head, ...rest] = state.requests;
    state.requests = rest;
    if (head !== undefined) effects.push({ type: "requestDone", id: head.id });
  }
  if ("settingsStatus" in outgoing.included) advanceTrial(turn);
}

/** The link works. */
export function markConnected(turn: Turn): void {
  const { state, effects } = turn;
  if (state.config.transport === "http") state.failures = 0;
  const isNews = !state.hasConnected || state.logged !== undefined;
  state.hasConnected = true;
  state.logged = undefined;
  if (!isNews) return;
  effects.push({ type: "connected" });
  effects.push({ type: "log", level: "info", event: "opamp server reached", fields: {} });
}

function takeFlags(turn: Turn, flags: bigint): void {
  const { state, now } = turn;
  const full = (flags & ServerFlag.reportFullState) !== 0n;
  const components = (flags & ServerFlag.reportAvailableComponents) !== 0n &&
    claims(turn, AgentBit.reportsAvailableComponents);
  if (!full && !components) return;
  count(turn, "full_state_requests");
  if (mayReport(turn)) {
    state.wantsFull ||= full;
    state.wantsComponents ||= components;
    state.soonAt = Math.min(state.soonAt, now + COALESCE_MS);
    return;
  }
  count(turn, "full_state_deferred");
  state.owesFull ||= full;
  state.owesComponents ||= components;
}

/** Adopts the identity a server assigns, unless it is none. */
function takeUid(turn: Turn, uid: Uint8Array): void {
  const { state, effects, now } = turn;
  const isUsable = uid.length === 16 && uid.some((byte) => byte !== 0) && uid.some((byte) => byte !== 0xff);
  if (!isUsable) return count(turn, "bad_uid");
  state.requestsUid = false;
  if (sameBytes(uid, state.uid) || !maySteer(turn)) return;
  state.uid = new Uint8Array(uid);
  state.unanswered = undefined;
  effects.push({ type: "uid", uid: state.uid });
  if (mayReport(turn)) {
    state.wantsFull = true;
    state.soonAt = Math.min(state.soonAt, now + COALESCE_MS);
  } else state.owesFull = true;
}

/** The server refuses the message, or asks to be left alone. */
function takeError(turn: Turn, response: ServerErrorResponse): void {
  const { state, effects, now, random } = turn;
  effects.push({ type: "error", response });
  count(turn, "error_responses");
  const { inFlight } = state;
  if (response.type === ErrorType.ServerErrorResponseType_Unavailable) {
    const asked = response.Details.case === "retryInfo"
      ? nanosToMs(response.Details.value.retryAfterNanoseconds)
      : undefined;
    if (state.config.transport === "websocket" && state.link === "open") state.leaving = "wait";
    const link = state.link;
    fail(turn, { kind: "throttled", reason: "server unavailable", ...(asked && { waitMs: asked }) });
    // The farewell still goes over this connection.
    if (state.leaving === "wait") state.link = link;
    return;
  }
  const refused = response.type === ErrorType.ServerErrorResponseType_BadRequest;
  if (state.trial?.phase === "trying") settleTrial(turn, "the server refused the first message");
  if (inFlight?.kind === "request") {
    const [head, ...rest] = state.requests;
    state.requests = rest;
    const failure = { kind: "badRequest" as const, reason: "refused by the server" };
    if (head !== undefined) effects.push({ type: "requestDone", id: head.id, failure });
  }
  if (refused && inFlight !== undefined) giveUpReport(turn);
  state.inFlight = undefined;
  state.unanswered = undefined;
  const heartbeatRefused = refused && inFlight?.bare === true;
  const pause = heartbeatRefused ? now + THROTTLE_MIN_MS * (1 + 0.2 * random()) : state.dueAt;
  state.holdUntil = Math.max(state.holdUntil, Number.isFinite(pause) ? pause : now + THROTTLE_MIN_MS);
}

/** What the server sent beside flags and identity. */
function takeParts(turn: Turn, message: ServerToAgent): void {
  const { effects } = turn;
  if (message.packagesAvailable !== undefined) count(turn, "packages_refused");
  if (message.customMessage !== undefined) count(turn, "custom_messages_declined");
  if (message.connectionSettings !== undefined) takeOffers(turn, message.connectionSettings);
  if (message.remoteConfig !== undefined) {
    if (claims(turn, AgentBit.acceptsRemoteConfig)) {
      effects.push({ type: "remoteConfig", config: message.remoteConfig });
    } else count(turn, "offers_ignored");
  }
  effects.push({ type: "message", message });
}

/** A decoded message of the server: the answer to the one in flight, or unasked over WebSocket. */
export function receive(turn: Turn, message: ServerToAgent): void {
  const { state, effects } = turn;
  count(turn, "answers");
  if (message.instanceUid.length > 0 && !sameBytes(message.instanceUid, state.uid)) {
    count(turn, "uid_mismatch");
    if (state.config.transport === "websocket") return;
    // Not an answer to us: what was sent is said again, but not before the next interval.
    state.inFlight = undefined;
    state.holdUntil = Math.max(state.holdUntil, state.dueAt);
    return;
  }
  if (message.errorResponse !== undefined) return takeError(turn, message.errorResponse);
  if (state.config.transport === "http" && state.inFlight !== undefined) {
    const answered = state.inFlight;
    state.inFlight = undefined;
    acknowledge(turn, answered);
    if (state.trial?.phase === "trying") settleTrial(turn);
  }
  markConnected(turn);
  if (message.capabilities !== 0n) state.serverBits = message.capabilities;
  if (message.command !== undefined) {
    if (claims(turn, AgentBit.acceptsRestartCommand)) return void effects.push({ type: "restart" });
    count(turn, "commands_ignored");
  }
  if (message.agentIdentification !== undefined) takeUid(turn, message.agentIdentification.newInstanceUid);
  takeFlags(turn, message.flags);
  takeParts(turn, message);
  if (dirtyFields(state).length === 0 && !state.wantsFull && !state.wantsComponents) state.soonAt = Infinity;
}
