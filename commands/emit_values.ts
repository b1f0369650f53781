/**
 * What `sonde emit` reads from its operands, flags and standard input: numbers, attributes with types, times, severities
 * (contract: emit). Pure; throws `UsageError` for what cannot be understood.
 * @module
 */
import { nanoseconds } from "../exporters/clock.ts";
import { Double } from "../exporters/double.ts";
import type { MeasuredAttribute, MeasuredAttributes } from "../exporters/measurement.ts";
import { UsageError } from "./command_line.ts";

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A finite number; `where` completes the message. */
export function numberOf(text: string, where: string): number {
  const value = NUMBER.test(text) ? Number(text) : NaN;
  if (Number.isFinite(value)) return value;
  throw new UsageError(`"${text}" ${where} is not a number`, "Write values such as 5, 0.25 or 1e3");
}

/** Numbers of a text, a line each or several on one line; empty lines are nothing. */
export function numbersOf(text: string): number[] {
  return text.split("\n").flatMap((line, index) =>
    line.trim() === "" ? [] : line.trim().split(/\s+/).map((word) => numberOf(word, `in line ${index + 1}`))
  );
}

/** Attributes that the semantic conventions give as integers, and that people write without a type. */
const INTEGER_KEYS: ReadonlySet<string> = new Set([
  ...["http.status_code", "http.response.status_code", "http.request.resend_count", "http.request.body.size"],
  ...[
    "http.response.body.size",
    "http.request.size",
    "http.response.size",
    "process.exit.code",
    "process.pid",
  ],
  ...["process.parent_pid", "server.port", "client.port", "network.peer.port", "network.local.port"],
  ...["net.peer.port", "net.host.port", "rpc.grpc.status_code", "thread.id", "db.response.returned_rows"],
]);

const TYPES = ["string", "int", "double", "bool"] as const;

function typed(type: string, value: string, written: string): MeasuredAttribute {
  switch (type) {
    case "int":
      if (/^[+-]?\d+$/.test(value) && Number.isSafeInteger(Number(value))) return Number(value);
      throw new UsageError(
        `Attribute "${written}" is no integer of at most 53 bits`,
        "Write --attr key:int=5, or longer numbers as text",
      );
    case "double":
      return new Double(numberOf(value, `of attribute "${written}"`));
    case "bool":
      if (value === "true" || value === "false") return value === "true";
      throw new UsageError(`Attribute "${written}" is neither true nor false`, "Write --attr key:bool=true");
    default:
      return value;
  }
}

/** `key=value` and `key:type=value`. */
export function attributesOf(flags: readonly string[]): MeasuredAttributes {
  const attributes: Record<string, MeasuredAttribute> = {};
  for (const written of flags) {
    const equals = written.indexOf("=");
    if (equals < 1) throw new UsageError(`Attribute "${written}" has no value`, "Write --attr key=value");
    const [name, value] = [written.slice(0, equals), written.slice(equals + 1)];
    const colon = name.lastIndexOf(":");
    const type = TYPES.find((each) => colon > 0 && each === name.slice(colon + 1));
    if (type !== undefined) attributes[name.slice(0, colon)] = typed(type, value, written);
    else attributes[name] = INTEGER_KEYS.has(name) && /^\d{1,15}$/.test(value) ? Number(value) : value;
  }
  return attributes;
}

const BOUNDS_MAX = 256;

/** Rising bounds of `--bounds`. */
export function boundsOf(text: string): number[] {
  const bounds = text.split(",").map((bound) => numberOf(bound.trim(), "in --bounds"));
  if (
    bounds.length <= BOUNDS_MAX && bounds.every((bound, i) => i === 0 || bound > (bounds[i - 1] ?? bound))
  ) {
    return bounds;
  }
  throw new UsageError(`Bounds "${text}" do not rise`, `Write --bounds 1,5,10, at most ${BOUNDS_MAX}`);
}

const SEVERITIES = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

/** OTLP's severity number of a word such as `warn` or `error2`, or of the number itself; and the word. */
export function severityOf(text: string): { readonly severity: number; readonly severityText: string } {
  const [, word = "", step = "1"] = /^([a-z]+)([1-4])?$/.exec(text.toLowerCase()) ?? [];
  const level = SEVERITIES.findIndex((each) => each === word || word === "warning" && each === "warn");
  const number = level < 0 ? Number(text) : level * 4 + Number(step);
  if (Number.isInteger(number) && number >= 1 && number <= 24) {
    return { severity: number, severityText: text.toUpperCase() };
  }
  throw new UsageError(`Unknown severity "${text}"`, `Write one of ${SEVERITIES.join(", ")}`);
}

/** Digits of a Unix time in seconds, milliseconds, microseconds, nanoseconds. */
const UNIX_TIMES: readonly (readonly [RegExp, bigint])[] = [
  [/^\d{9,10}$/, 1_000_000_000n],
  [/^\d{12,13}$/, 1_000_000n],
  [/^\d{15,16}$/, 1_000n],
  [/^\d{18,19}$/, 1n],
];

/** A time: RFC 3339, a Unix time in seconds (with a fraction, as `date +%s.%N` says), ms, us or ns, or `now`. */
export function timeOf(
  text: string,
  { flag, nowNs }: { readonly flag: string; readonly nowNs: bigint },
): bigint {
  if (text === "now") return nowNs;
  const unit = UNIX_TIMES.find(([digits]) => digits.test(text));
  if (unit !== undefined) return BigInt(text) * unit[1];
  const fraction = /^(\d{9,10})\.(\d{1,9})$/.exec(text);
  if (fraction !== null) {
    return BigInt(fraction[1] ?? "0") * 1_000_000_000n + BigInt((fraction[2] ?? "").padEnd(9, "0"));
  }
  const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  if (Number.isFinite(ms)) return nanoseconds(ms);
  throw new UsageError(
    `Flag "${flag}" is no time: "${text}"`,
    `Write ${flag} $(date +%s.%N), or 2026-11-21T10:00:00Z`,
  );
}

/** A trace context of the environment (W3C traceparent): undefined when it is none. */
export function traceParentOf(
  text: string | undefined,
): { readonly traceId: string; readonly spanId: string; readonly flags: number } | undefined {
  const [, traceId = "", spanId = "", flags = "00"] =
    /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})/.exec(text ?? "") ?? [];
  return traceId === "" ? undefined : { traceId, spanId, flags: Number.parseInt(flags, 16) };
}
