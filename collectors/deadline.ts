/**
 * A limit on a wait. By an abort signal and not by setTimeout, which the runtime takes from its Node layer: that costs
 * 5 ms of a start and 1.5 MB, and a limit is all a one-shot needs. It cannot be taken back, and holds no process open.
 * @module
 */

/** Calls `act` after `ms`, whatever has happened by then. */
export function afterLimit(ms: number, act: () => void): void {
  AbortSignal.timeout(ms).addEventListener("abort", act, { once: true });
}
