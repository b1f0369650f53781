/**
 * How often a server may have everything said again, and change its link and our identity: each change costs a write
 * to disk, a new connection or both, and a server can ask for one with every message.
 * @module
 */
import { type Bucket, type Rate, REPORTS, STEERING, type Turn } from "./opamp_state.ts";

/** One token less, if there is one. */
function take(
  { tokens, at }: Bucket,
  { burst, refillMs }: Rate,
  now: number,
): [isTaken: boolean, left: Bucket] {
  const left = Math.min(burst, tokens + (now - at) / refillMs);
  return left >= 1 ? [true, { tokens: left - 1, at: now }] : [false, { tokens: left, at: now }];
}

/** True when one more full report may go out now. */
export function mayReport({ state, now }: Turn): boolean {
  const [isTaken, left] = take(state.reporting, REPORTS, now);
  state.reporting = left;
  return isTaken;
}

/** True when one more change may be taken now; what is declined is counted, and for the server to say again. */
export function maySteer({ state, effects, now }: Turn): boolean {
  const [isTaken, left] = take(state.steering, STEERING, now);
  state.steering = left;
  if (isTaken) return true;
  effects.push({ type: "count", what: "steering_declined" });
  return false;
}
