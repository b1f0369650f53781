/**
 * What two processes compare before one hands data to the other: whether they would send it to the same places, with
 * the same keys and in the same form (design 2). Keys go in, only a digest comes out.
 * @module
 */
import type { LaneConfig } from "../exporters/lane_config.ts";

const HEX_CHARS = 32;

/** The same text for the same lanes, in whatever order they stand. */
export async function destinationsFingerprint(lanes: readonly LaneConfig[]): Promise<string> {
  const rows = lanes.map((lane) => {
    const { destination, signal, url, encoding, temporality, naming, batchBytesMax, batchItemsMax } = lane;
    const headers = Object.entries(lane.headers).sort(([a], [b]) => a < b ? -1 : 1);
    return JSON.stringify([
      ...[destination, signal, url, encoding, temporality, naming, batchBytesMax, batchItemsMax],
      ...[headers, lane.native],
    ]);
  });
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(rows.sort().join("\n")));
  return new Uint8Array(digest).toHex().slice(0, HEX_CHARS);
}
