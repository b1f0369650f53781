/**
 * New settings for the OpAMP link itself (opamp 1.8, 3.8): announce, take leave, try them by really connecting, then
 * keep them or go back. Also own telemetry offers, which need no trial.
 * @module
 */
import { create } from "@bufbuild/protobuf";
import {
  type ConnectionSettingsOffers,
  ConnectionSettingsStatuses as Status,
  ConnectionSettingsStatusSchema,
} from "../proto_gen/opamp/opamp_pb.ts";
import { AgentBit } from "./opamp_bits.ts";
import { judgeOffers } from "./opamp_offer.ts";
import { sameBytes, withField } from "./opamp_report.ts";
import { maySteer } from "./opamp_steering.ts";
import { COALESCE_MS, type FieldEvent, type Turn } from "./opamp_state.ts";

const SECOND_MS = 1_000;
const INTERVAL_MAX_MS = 24 * 3_600_000;
/** Said in a status; long enough for every reason, short enough for any server. */
const ERROR_MAX = 4_096;

/** How an offer stands, as a field of a report. */
export function settingsStatus(hash: Uint8Array, status: Status, errorMessage = ""): FieldEvent {
  const value = create(ConnectionSettingsStatusSchema, {
    lastConnectionSettingsHash: new Uint8Array(hash),
    status,
    errorMessage: errorMessage.slice(0, ERROR_MAX),
  });
  return { type: "field", name: "settingsStatus", value };
}

/** Says how an offer stands; `fault` makes a FAILED one. */
function setStatus(turn: Turn, hash: Uint8Array, said: Status | { readonly fault: string }): void {
  const isFailed = typeof said === "object";
  const status = isFailed ? Status.ConnectionSettingsStatuses_FAILED : said;
  const { state, effects, now } = turn;
  const isApplied = status === Status.ConnectionSettingsStatuses_APPLIED;
  if (isApplied || isFailed) effects.push({ type: "settled", hash, isApplied });
  if ((state.config.capabilities & AgentBit.reportsConnectionSettingsStatus) === 0n) return;
  state.fields = withField(state.fields, settingsStatus(hash, status, isFailed ? said.fault : ""));
  state.soonAt = Math.min(state.soonAt, now + COALESCE_MS);
}

/** Takes the offered interval (A1): 0 means "not set" when polling, and "no heartbeats" over WebSocket. */
function takeInterval(turn: Turn, seconds: bigint): void {
  const { state, effects, now } = turn;
  if ((state.config.capabilities & AgentBit.reportsHeartbeat) === 0n) return;
  if (seconds === 0n) {
    if (state.config.transport === "http") return;
    state.intervalMs = state.dueAt = Infinity;
    return;
  }
  const wanted = Number(seconds) * SECOND_MS;
  const intervalMs = Math.min(Math.max(wanted, SECOND_MS), INTERVAL_MAX_MS);
  if (intervalMs === state.intervalMs || !maySteer(turn)) return;
  state.intervalMs = intervalMs;
  state.dueAt = now + intervalMs;
  effects.push({ type: "interval", intervalMs });
}

/** Judges an offer once; an offer with a known hash says nothing new. */
export function takeOffers(turn: Turn, offers: ConnectionSettingsOffers): void {
  const { state, effects } = turn;
  if (offers.opamp !== undefined) takeInterval(turn, offers.opamp.heartbeatIntervalSeconds);
  if (state.judgedOffer !== undefined && sameBytes(state.judgedOffer, offers.hash)) return;
  const verdict = judgeOffers(offers, state.config.policy);
  if (verdict.kind === "nothing") {
    effects.push({ type: "count", what: "offers_ignored" });
    return;
  }
  if (!maySteer(turn)) return;
  state.judgedOffer = offers.hash;
  if (verdict.kind === "refused") {
    effects.push({ type: "count", what: "offers_refused" });
    effects.push({
      ...{ type: "log", level: "warn", event: "connection settings refused" },
      fields: { reason: verdict.reasons.join("; ") },
    });
    setStatus(turn, offers.hash, { fault: verdict.reasons.join("; ") });
    return;
  }
  if (verdict.telemetry.length > 0) effects.push({ type: "ownTelemetry", offers: verdict.telemetry });
  if (verdict.link === undefined) {
    setStatus(turn, offers.hash, Status.ConnectionSettingsStatuses_APPLIED);
    return;
  }
  state.trial = { offer: verdict.link, phase: "announcing" };
  effects.push({ type: "candidate", offer: verdict.link });
  setStatus(turn, offers.hash, Status.ConnectionSettingsStatuses_APPLYING);
}

/** The next phase, once the server has what the last one said. */
export function advanceTrial({ state }: Turn): void {
  if (state.trial?.phase !== "announcing" || state.leaving !== undefined) return;
  state.trial = { ...state.trial, phase: "leaving" };
  state.leaving = "switch";
}

/** The farewell is out: use the candidate. */
export function startTrial({ state, effects, now }: Turn): void {
  if (state.trial === undefined) return;
  effects.push({ type: "switch", offer: state.trial.offer });
  state.trial = { ...state.trial, phase: "trying" };
  state.wantsFull = true;
  state.serverBits = 0n;
  state.holdUntil = state.dueAt = now;
}

/** The candidate worked, or did not: `fault` says why, and the old settings return at once. */
export function settleTrial(turn: Turn, fault?: string): void {
  const { state, effects, now } = turn;
  const offer = state.trial?.offer;
  if (offer === undefined) return;
  state.trial = undefined;
  if (fault === undefined) {
    effects.push({ type: "commit", offer });
    setStatus(turn, offer.hash, Status.ConnectionSettingsStatuses_APPLIED);
    return;
  }
  effects.push({ type: "revert", reason: fault });
  setStatus(turn, offer.hash, { fault });
  state.wantsFull = true;
  state.unanswered = undefined;
  state.failures = 0;
  state.holdUntil = state.dueAt = now;
}
