/**
 * Damaged copies of a request, the same ones in every run.
 * @module
 */

/** A generator with a fixed start value (mulberry32), so that a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = state + 0x6d2b79f5 | 0;
    let mixed = Math.imul(state ^ state >>> 15, 1 | state);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return ((mixed ^ mixed >>> 14) >>> 0) / 4294967296;
  };
}

/** Changes some bytes: set, flip, remove, double, cut, or put a length's favourites. */
function mutate(bytes: Uint8Array, chance: () => number): Uint8Array {
  let mutated = [...bytes];
  for (let i = 0; i <= chance() * 4; i++) {
    const at = Math.floor(chance() * mutated.length);
    const kind = Math.floor(chance() * 6);
    if (kind === 0) mutated[at] = Math.floor(chance() * 256);
    else if (kind === 1) mutated[at] = (mutated[at] ?? 0) ^ 1 << Math.floor(chance() * 8);
    else if (kind === 2) mutated.splice(at, 1 + Math.floor(chance() * 3));
    else if (kind === 3) mutated.splice(at, 0, ...mutated.slice(at, at + Math.floor(chance() * 9)));
    else if (kind === 4) mutated = mutated.slice(0, at);
    else mutated[at] = [0, 1, 127, 128, 129, 255][Math.floor(chance() * 6)] ?? 0;
  }
  return new Uint8Array(mutated);
}

/** So many copies with one to five changes each. */
export function* mutations(
  sample: Uint8Array,
  options: { readonly count: number; readonly seed: number },
): Generator<Uint8Array> {
  const chance = random(options.seed);
  for (let i = 0; i < options.count; i++) yield mutate(sample, chance);
}
