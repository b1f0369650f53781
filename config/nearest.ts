/**
 * The word a person probably meant: the candidate with the fewest changed, missing, added or swapped letters
 * (optimal string alignment). Used for verbs, flags, keys and values.
 * @module
 */

function row(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}

/** Edits between two words; swapping neighbours counts one. */
export function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = row(right.length + 1);
  for (let i = 1; i <= left.length; i++) {
    const current = [i];
    for (let j = 1; j <= right.length; j++) {
      const cost = left[i - 1] === right[j - 1] ? 0 : 1;
      let best = Math.min((last[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]) {
        best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      }
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return last[right.length] ?? 0;
}

/** The nearest candidate; undefined when there is none. Ties go to the earlier one. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  // Nothing longer can come from a typing error, and the distance is quadratic.
  const typed = word.slice(0, 80).toLowerCase();
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const distance = editDistance(typed, candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}
