/**
 * A request cut by items, for backends that say 413 (otlp 4.4, class B2) and for batches that are too large. It works on the wire: resource,
 * scope and metric headers are repeated as they stand, items are copied, nothing is decoded into objects.
 * @module
 */
import type { Encoding, Signal } from "./batch.ts";
import { release } from "./growing_bytes.ts";
import { concat } from "./gzip.ts";
import { FieldScanner, LENGTH } from "./wire.ts";

/** A message that holds children by field number (protobuf) or member name (JSON). */
interface Level {
  readonly fields: ReadonlyMap<number, Level | "items">;
  readonly members: ReadonlyMap<string, Level | "items">;
}

function level(rows: readonly (readonly [number, string, Level | "items"])[]): Level {
  return {
    fields: new Map(rows.map(([field, , child]) => [field, child])),
    members: new Map(rows.map(([, name, child]) => [name, child])),
  };
}

/** A body of a destination's own: one object, its items in the only list (batch.ts). */
const NATIVE = level([[0, "series", "items"]]);

const points = level([[1, "dataPoints", "items"]]);
const metric = level([
  [5, "gauge", points],
  [7, "sum", points],
  [9, "histogram", points],
  [10, "exponentialHistogram", points],
  [11, "summary", points],
]);
const scopeMetrics = level([[2, "metrics", metric]]);
const scopeLogs = level([[2, "logRecords", "items"]]);
const scopeSpans = level([[2, "spans", "items"]]);

/** The nesting of each signal's request (opentelemetry-proto 1.11). */
const REQUESTS: Readonly<Record<Signal, Level>> = {
  metrics: level([[1, "resourceMetrics", level([[2, "scopeMetrics", scopeMetrics]])]]),
  logs: level([[1, "resourceLogs", level([[2, "scopeLogs", scopeLogs]])]]),
  traces: level([[1, "resourceSpans", level([[2, "scopeSpans", scopeSpans]])]]),
};

/** Which items are wanted; counts down while the message is walked. */
interface Window {
  skip: number;
  take: number;
}

/** What a request is, beside its bytes. */
export interface RequestShape {
  readonly signal: Signal;
  readonly encoding: Encoding;
  readonly items: number;
}

/** A part of a request, uncompressed. */
export interface Part {
  /** Joined when asked for, so that not all need be in memory at a time; valid as long as the whole is. */
  readonly join: () => Uint8Array<ArrayBuffer>;
  readonly items: number;
}

/**
 * The request in parts of about as many items each, halves unless told. Throws a RangeError when it holds fewer than
 * two items, a SyntaxError when the bytes are no such request.
 */
export function splitRequest(
  bytes: Uint8Array,
  { signal, encoding, items }: RequestShape,
  count = 2,
): readonly Part[] {
  if (items < 2) throw new RangeError(`Cannot split request: it holds ${items} items, expected at least 2`);
  const request = encoding === "native" ? NATIVE : REQUESTS[signal];
  const cut = encoding === "protobuf" ? cutProtobuf(bytes, request) : cutJson(bytes, request);
  const take = Math.ceil(items / count);
  const parts: Part[] = [];
  for (let skip = 0; skip < items; skip += take) {
    const window = { skip, take: Math.min(take, items - skip) };
    parts.push({ join: cut(window), items: window.take });
  }
  return parts;
}

/**
 * Visits a request in parts of at most `itemsMax` items, in their order; a part is only valid while it is visited.
 * Throws as `splitRequest` does.
 */
export function eachPart(
  bytes: Uint8Array<ArrayBuffer>,
  shape: RequestShape & { readonly itemsMax: number },
  visit: (part: Uint8Array<ArrayBuffer>, items: number) => void,
): void {
  if (shape.items <= shape.itemsMax) return visit(bytes, shape.items);
  for (const half of splitRequest(bytes, shape)) {
    const part = half.join();
    eachPart(part, { ...shape, items: half.items }, visit);
    release(part);
  }
}

/** Gives for a window how its bytes are joined. */
type Cut = (window: Window) => () => Uint8Array<ArrayBuffer>;

function cutProtobuf(bytes: Uint8Array, request: Level): Cut {
  return (window) => {
    const pieces: Uint8Array[] = [];
    collect(new FieldScanner(bytes), { bytes, request, window: { ...window }, pieces });
    return () => concat(pieces, lengthOf(pieces));
  };
}

interface Walk {
  readonly bytes: Uint8Array;
  readonly request: Level;
  readonly window: Window;
  readonly pieces: Uint8Array[];
}

/** Appends the message's wanted fields to `pieces`, neighbours as one; returns whether any item was among them. */
function collect(scanner: FieldScanner, { bytes, request, window, pieces }: Walk): boolean {
  let found = false;
  let [start, end] = [0, 0];
  const flush = () => {
    if (end > start) pieces.push(bytes.subarray(start, end));
    start = end;
  };
  while (scanner.next()) {
    const child = scanner.type === LENGTH ? request.fields.get(scanner.number) : undefined;
    if (child === undefined || child === "items") {
      if (child === "items" && !isWanted(window)) continue;
      found ||= child === "items";
      if (scanner.tag !== end) {
        flush();
        start = scanner.tag;
      }
      end = scanner.end;
    } else {
      const inner: Uint8Array[] = [];
      if (!collect(scanner.inside(), { bytes, request: child, window, pieces: inner })) continue;
      flush();
      pieces.push(prefix(scanner.number, lengthOf(inner)), ...inner);
      found = true;
    }
  }
  flush();
  return found;
}

function isWanted(window: Window): boolean {
  if (window.skip > 0) {
    window.skip--;
    return false;
  }
  if (window.take === 0) return false;
  window.take--;
  return true;
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((total, piece) => total + piece.length, 0);
}

/** Tag and length of a length-delimited field; every container's number is below 16, so the tag is one byte. */
function prefix(number: number, length: number): Uint8Array {
  const out = [number * 8 + LENGTH];
  let rest = length;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) out.push((rest % 128) | 0x80);
  out.push(rest);
  return new Uint8Array(out);
}

function cutJson(bytes: Uint8Array, request: Level): Cut {
  const document: unknown = JSON.parse(new TextDecoder().decode(bytes));
  return (window) => () =>
    new TextEncoder().encode(JSON.stringify(pick(document, request, { ...window })?.value ?? {}));
}

/** A copy of the object with the wanted items only; undefined when none of them is inside. */
function pick(node: unknown, request: Level, window: Window): { value: unknown } | undefined {
  if (typeof node !== "object" || node === null) return undefined;
  let found = false;
  const copy: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(node)) {
    const child = request.members.get(name);
    if (child === undefined) copy[name] = value;
    else if (child === "items") {
      const items = Array.isArray(value) ? value.filter(() => isWanted(window)) : [];
      if (items.length === 0) continue;
      copy[name] = items;
      found = true;
    } else {
      const list: unknown[] = Array.isArray(value) ? value : [value];
      const kept = list.flatMap((entry) => pick(entry, child, window) ?? []).map((entry) => entry.value);
      if (kept.length === 0) continue;
      copy[name] = Array.isArray(value) ? kept : kept[0];
      found = true;
    }
  }
  return found ? { value: copy } : undefined;
}
