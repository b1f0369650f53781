/**
 * What a lane is believed by, and when to look for it anew: after an answer or a hang-up that other credentials might
 * have spared (class C of otlp 4.4). Files are looked at once a second at most, and what is the same is not tried again.
 * @module
 */
import type { Clock } from "./clock.ts";
import type { Credentials, LaneConfig, TransportConfig } from "./lane_config.ts";
import type { Outcome } from "./outcome.ts";

/** What a lane's credential files hold now; undefined when that cannot be used. Never throws. */
export type Reread = (lane: LaneConfig) => Credentials | undefined;

/** What renewing needs. */
export interface CredentialParts {
  readonly clock: Clock;
  /** Throws when a certificate and its key do not belong together. */
  readonly transport: { readonly renew: (config: TransportConfig) => void };
  /** Absent: nothing is renewed. */
  readonly reread?: Reread;
}

/** What a destination, or the proxy before it, says to who is not believed. */
const DENIALS: ReadonlySet<string> = new Set(["auth", "certificate", "tls", "proxy_auth"]);
/** How a connection may end whose client certificate the server did not like. */
const HANG_UPS: ReadonlySet<string> = new Set(["reset", "closed"]);
/** Files are looked at no more often than this, whatever a destination says. */
const REREAD_SPACING_MS = 1_000;

/** True when other credentials might have made a difference. */
export function mayBeDenied(outcome: Outcome, { transport }: LaneConfig): boolean {
  if (outcome.kind === "accepted") return false;
  return DENIALS.has(outcome.cause) || (transport.clientCert !== undefined && HANG_UPS.has(outcome.cause));
}

/** A lane's credentials as they are known, and renewed from their files. */
export class KnownCredentials {
  readonly #lane: LaneConfig;
  readonly #parts: CredentialParts;
  #known: Credentials;
  #rereadMs = -Infinity;

  constructor(lane: LaneConfig, parts: CredentialParts) {
    this.#lane = lane;
    this.#parts = parts;
    this.#known = { headers: lane.headers, transport: lane.transport };
  }

  /** In use now. */
  get known(): Credentials {
    return this.#known;
  }

  /** True when the files hold something else now, which is in use from here on. */
  renew(): boolean {
    const { transport, clock, reread } = this.#parts;
    const now = clock.mono();
    if (reread === undefined || now - this.#rereadMs < REREAD_SPACING_MS) return false;
    this.#rereadMs = now;
    const found = reread(this.#lane);
    if (found === undefined || isSame(found, this.#known)) return false;
    try {
      if (!isSame(found.transport, this.#known.transport)) transport.renew(found.transport);
    } catch {
      // A certificate without its key yet: the next refusal looks again.
      return false;
    }
    this.#known = found;
    return true;
  }
}

/** Values without functions, whose fields always come in one order. */
function isSame<T>(one: T, other: T): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
