/**
 * How long the OpAMP client waits after a failure (opamp 3.6). Pure: what failed, how often in a row, and a random
 * number in; milliseconds out. What a server asked for is never cut short by jitter.
 * @module
 */

/** Why no usable answer came. */
export type Failure =
  /** Connect, DNS, TLS, timeout, reset, 408, 425, 5xx. */
  | { readonly kind: "network"; readonly reason: string }
  /** 429, 503, UNAVAILABLE, Close 1013. `waitMs`: what the server asked for. */
  | { readonly kind: "throttled"; readonly reason: string; readonly waitMs?: number }
  /** 401, 403. */
  | { readonly kind: "unauthorized"; readonly reason: string }
  /** Redirects, 404, 405, 426 and other 4xx. */
  | { readonly kind: "refused"; readonly reason: string }
  /** An answer that is none: not protobuf, over the limit, another media type. */
  | { readonly kind: "malformed"; readonly reason: string }
  /** 413, or over our own limit of what may be sent. */
  | { readonly kind: "tooLarge"; readonly reason: string }
  /** 400. */
  | { readonly kind: "badRequest"; readonly reason: string }
  /** The server closed the connection in good order. */
  | { readonly kind: "closed"; readonly reason: string };

const MINUTE_MS = 60_000;
const NETWORK_FIRST_MS = 1_000;
const NETWORK_MAX_MS = 5 * MINUTE_MS;
/** The least a client may wait when told to slow down (opamp 1.2). */
export const THROTTLE_MIN_MS = 30_000;
const ASKED_MAX_MS = 24 * 60 * MINUTE_MS;
/** Past this many doublings every cap holds; it also keeps 2^n finite. */
const DOUBLINGS_MAX = 16;
const SPREAD_MS = 5_000;

function doubled(firstMs: number, failures: number): number {
  return firstMs * 2 ** Math.min(failures - 1, DOUBLINGS_MAX);
}

/** Within a fifth of the doubled wait; at the cap, the last fifth below it. */
function jittered(ms: number, maxMs: number, random: () => number): number {
  const wait = ms * (0.8 + 0.4 * random());
  return wait > maxMs ? maxMs * (0.8 + 0.2 * random()) : wait;
}

/** Never less than `ms`. */
function atLeast(ms: number, random: () => number): number {
  return Math.min(ms * (1 + 0.2 * random()), Math.max(ms, ASKED_MAX_MS));
}

/** Wait after the `failures`-th failure in a row (from 1). */
export function waitMs(failure: Failure, failures: number, random: () => number): number {
  switch (failure.kind) {
    case "network":
    case "badRequest":
    case "tooLarge":
      return jittered(doubled(NETWORK_FIRST_MS, failures), NETWORK_MAX_MS, random);
    case "throttled": {
      const asked = failure.waitMs === undefined
        ? Math.min(doubled(THROTTLE_MIN_MS, failures), NETWORK_MAX_MS)
        : Math.min(Math.max(failure.waitMs, THROTTLE_MIN_MS), ASKED_MAX_MS);
      return atLeast(asked, random);
    }
    case "unauthorized":
      return atLeast(Math.min(doubled(30_000, failures), 10 * MINUTE_MS), random);
    case "refused":
      return atLeast(Math.min(doubled(MINUTE_MS, failures), 15 * MINUTE_MS), random);
    case "malformed":
      return atLeast(
        Math.min(Math.max(THROTTLE_MIN_MS, doubled(NETWORK_FIRST_MS, failures)), NETWORK_MAX_MS),
        random,
      );
    case "closed":
      // A fleet whose server restarts shall not come back in one instant.
      return failures === 1
        ? SPREAD_MS * random()
        : jittered(doubled(NETWORK_FIRST_MS, failures), NETWORK_MAX_MS, random);
  }
}

/** Milliseconds of a uint64 of nanoseconds, without overflow; 0 means that the server named no time. */
export function nanosToMs(nanos: bigint): number | undefined {
  return nanos === 0n ? undefined : Number(nanos / 1_000_000n);
}
