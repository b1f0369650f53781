/**
 * Upper bounds of durations in seconds, as the semantic conventions have them for requests over HTTP. What counts
 * durations and what describes them to a backend are apart, and must not differ.
 * @module
 */

export const DURATION_BOUNDS: readonly number[] = [
  ...[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
];
