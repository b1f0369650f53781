/**
 * How often a server may change its link and our identity: each change costs a write to disk, a new connection or
 * both, and a server can ask for one with every message.
 * @module
 */
import { STEERING_BURST, STEERING_REFILL_MS, type Turn } from "./opamp_state.ts";

/** True when one more change may be taken now; what is declined is counted, and for the server to say again. */
export function maySteer({ state, effects, now }: Turn): boolean {
  const { tokens, at } = state.steering;
  const left = Math.min(STEERING_BURST, tokens + (now - at) / STEERING_REFILL_MS);
  state.steering = { tokens: left >= 1 ? left - 1 : left, at: now };
  if (left >= 1) return true;
  effects.push({ type: "count", what: "steering_declined" });
  return false;
}
