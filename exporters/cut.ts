/**
 * Cuts items into requests that a backend takes (otlp P8, M24). Shared by the encoders of all three signals.
 * @module
 */
import type { EncodeLimits } from "./encoder.ts";

/** Anything whose size in bytes is known. */
interface Sized {
  readonly length: number;
}

/** Items of one request, with what they were rendered to. */
export interface Piece<T, R extends Sized> {
  readonly items: readonly T[];
  readonly body: R;
}

/** How a piece becomes bytes, and what to do with an item that is too large for any request. */
export interface Cutting<T, R extends Sized> {
  readonly render: (items: readonly T[]) => R;
  readonly oversize: (item: T) => void;
}

/** Requests within the limits, in order: cut by items first, then halved while one has too many bytes. */
export function cut<T, R extends Sized>(
  items: readonly T[],
  limits: EncodeLimits,
  cutting: Cutting<T, R>,
): Piece<T, R>[] {
  const pieces: Piece<T, R>[] = [];
  // A limit below one would never end.
  const step = Math.max(1, Math.floor(limits.batchItemsMax));
  for (let start = 0; start < items.length; start += step) {
    const todo: (readonly T[])[] = [items.slice(start, start + step)];
    for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
      const body = cutting.render(part);
      const half = Math.ceil(part.length / 2);
      if (body.length <= limits.batchBytesMax) pieces.push({ items: part, body });
      else if (part.length === 1) part.forEach(cutting.oversize);
      else todo.push(part.slice(half), part.slice(0, half));
    }
  }
  return pieces;
}
