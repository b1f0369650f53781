/**
 * The receiver's bounds for docs/receiver.md, from the constant that holds them.
 * @module
 */
import { durationText, sizeText } from "../config/value_types.ts";
import { RECEIVER_LIMITS, type ReceiverLimits } from "../exporters/receiver_messages.ts";
import { table } from "./markdown_table.ts";

/** What each bound is about, what a sender gets that is over it, and how its figure is written. */
const ROWS: Readonly<
  Record<keyof ReceiverLimits, readonly [what: string, over: string, as: (value: number) => string]>
> = {
  connections: ["connections", "the oldest idle one is closed, else 503", String],
  bodyBytes: ["one body, on the wire and after decompression", "413", sizeText],
  bytesInFlight: ["all bodies being read or worked on", "429 with Retry-After", sizeText],
  headMs: ["from a request's first byte to the end of its header", "the connection is closed", durationText],
  bodyMs: ["from the header to the last byte of the body", "the connection is closed", durationText],
  idleMs: ["a connection without a request", "it is closed", durationText],
  answerMs: ["writing an answer", "the connection is closed", durationText],
  series: [
    "cumulative series remembered for destinations that take delta only",
    "counted as dropped",
    String,
  ],
};

/** All bounds, in the order of the constant. */
export function receiverTable(): string {
  const rows = Object.entries(ROWS).map(([name, [what, over, as]]) => {
    const value = Object.entries(RECEIVER_LIMITS).find(([key]) => key === name)?.[1];
    return [what, value === undefined ? "" : as(value), over];
  });
  return table(["bound", "at most", "over it"], rows);
}
