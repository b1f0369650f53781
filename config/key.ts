/**
 * What one row of the key table holds. Help, documentation, `config example`, validation, redaction and the
 * remote whitelist all read the row and nothing else (design 7).
 * @module
 */
import type { ValueType } from "./value_types.ts";

/**
 * A configuration key. `T` is what its text becomes, so that a setting cannot be read as another type.
 */
export interface Key<T> {
  readonly name: string;
  readonly type: ValueType<T>;
  /** The default as an operator would write it; absent: unset. */
  readonly default?: string;
  /** What it does, in one or two sentences. */
  readonly help: string;
  /** Never printed, logged or quoted in a finding. */
  readonly secret?: true;
  /** Remote configuration may set it (opamp.md 3.4). */
  readonly remote?: true;
  /** Takes effect without a restart. */
  readonly live?: true;
  /**
   * Exists per destination as `SONDE_<NAME>_…`. "own": a named destination never takes the unnamed one's value;
   * "shared": it does when it has none.
   */
  readonly group?: "own" | "shared";
  /** Belongs to an endpoint: discarded when a higher layer moves the endpoint to another origin (design 7). */
  readonly credential?: true;
  /** The text `auto` leaves the choice to the preset. */
  readonly auto?: true;
}
