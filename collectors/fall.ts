/**
 * What a falling counter means (host-metrics P2, P3, P15, P16): noise to be clamped, a wrap of 32 bits to be undone,
 * or a reset.
 * @module
 */
import type { FallRule } from "./metric.ts";

/** A counter as the ledger last saw it. */
export interface Count {
  /** As the kernel said it. */
  raw: number | bigint;
  /** As it was reported: clamped, unwrapped. */
  value: number | bigint;
  /** How often 32 bits have overflown since the start of the series. */
  wraps: number;
}

const TWO_32 = 2 ** 32;

/** Takes the next raw value; false for a reset, after which the count starts over. */
export function advance(count: Count, raw: number | bigint, rule: FallRule | undefined): boolean {
  if (raw >= count.raw) {
    count.raw = raw;
    const value = count.wraps === 0 ? raw : unwrapped(raw, count.wraps, rule);
    // A counter that was clamped reports its highest value until it has caught up.
    if (value > count.value) count.value = value;
    return true;
  }
  if (rule?.rule === "dip" && Number(count.value) - Number(raw) < rule.tolerance) {
    count.raw = raw;
    return true;
  }
  if (rule !== undefined && rule.rule !== "dip" && isWrap(count.raw, raw, rule)) {
    count.wraps++;
    count.raw = raw;
    count.value = unwrapped(raw, count.wraps, rule);
    return true;
  }
  count.raw = raw;
  count.value = raw;
  count.wraps = 0;
  return false;
}

/** True when going on upwards over 2^32 raw units is the shorter way than falling. */
function isWrap(
  before: number | bigint,
  now: number | bigint,
  rule: FallRule & { readonly scale?: number },
): boolean {
  const modulus = TWO_32 * (rule.scale ?? 1);
  // Only a sum over CPUs stands above 2^32 and yet falls by that much, when the word of one of them wraps.
  if (rule.rule !== "u32" && before >= modulus) return false;
  const advanced = Number(now) + modulus - Number(before);
  return advanced >= 0 && advanced <= modulus / 2;
}

/** Adds what the wraps took away, in whole raw units so that no digit is lost to fractions. */
function unwrapped(value: number | bigint, wraps: number, rule: FallRule | undefined): number | bigint {
  const scale = rule === undefined || rule.rule === "dip" ? 1 : rule.scale ?? 1;
  if (typeof value === "bigint") return value + BigInt(TWO_32) * BigInt(wraps) * BigInt(Math.ceil(scale));
  if (scale >= 1) return value + TWO_32 * wraps * scale;
  const perUnit = Math.round(1 / scale);
  return (Math.round(value * perUnit) + TWO_32 * wraps) / perUnit;
}
