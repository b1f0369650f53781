/**
 * A sealed segment of delta batches rewritten as one record: what a full spool does before it drops (otlp M12). The
 * segment's name stays, and one rename puts the new content in its place: a crash leaves the old one or the new one.
 * @module
 */
import { concat } from "./gzip.ts";
import { mergeBatches } from "./merge_batch.ts";
import type { LaneBatch } from "./queue.ts";
import { segmentName, writeFileAside } from "./spool_files.ts";
import type { SpoolPlace } from "./spool_key.ts";
import { entryOf, readRecord } from "./spool_read.ts";
import { encodeRecord, encodeSegmentHeader, SEGMENT_HEADER_BYTES } from "./spool_record.ts";
import type { Segment } from "./spool_recover.ts";

/** Rewrites the segments of one lane, oldest first, each at most once. */
export class Condenser {
  readonly #place: SpoolPlace;
  readonly #done = new WeakSet<Segment>();
  /** Up to here, a batch may have been sent: its bytes stay what they are. */
  #shown: number;

  constructor(place: SpoolPlace, shown: number) {
    this.#place = place;
    this.#shown = shown;
  }

  /** A batch was handed out. */
  show(sequence: number): void {
    this.#shown = Math.max(this.#shown, sequence);
  }

  /** Merges the oldest segment that can be; false when there is none. Throws what the disk throws. */
  async condense(
    segments: readonly Segment[],
    open: Segment | undefined,
    onMerge: (items: number) => void,
  ): Promise<boolean> {
    const segment = segments.find((each, at) =>
      at > 0 && each !== open && each.batches > 1 && !this.#done.has(each) &&
      (segments[at - 1]?.lastSequence ?? 0) >= this.#shown
    );
    if (segment === undefined) return false;
    this.#done.add(segment);
    const condensed = await rewrite(segment, this.#place);
    if (condensed === undefined) return true;
    onMerge(segment.items - condensed.items);
    Object.assign(segment, condensed);
    return true;
  }
}

/** Writes all records of a segment as one; undefined when that is not possible or saves nothing. */
async function rewrite(
  segment: Segment,
  place: SpoolPlace,
): Promise<Pick<Segment, "bytes" | "items" | "batches"> | undefined> {
  let merged: LaneBatch | undefined;
  let baseline: string | undefined;
  let offset = SEGMENT_HEADER_BYTES;
  for (let count = 0; count < segment.batches; count++) {
    const found = await readRecord(segment.path, offset);
    const batch = found.kind === "record" ? entryOf(found, place)?.batch : undefined;
    if (found.kind !== "record" || batch === undefined) return undefined;
    offset = found.end;
    baseline = found.payload.baseline ?? baseline;
    merged = merged === undefined ? batch : await mergeBatches(merged, batch);
    if (merged === undefined) return undefined;
  }
  if (merged === undefined) return undefined;
  const header = { ...merged.header, ...(baseline !== undefined && { deltaBaseline: baseline }) };
  const record = encodeRecord(segment.lastSequence, { ...merged, header });
  const head = encodeSegmentHeader({
    sequence: segment.sequence,
    createdMs: header.lastTimeMs,
    lane: place.lane,
  });
  const bytes = concat([head, record], head.length + record.length);
  if (bytes.length >= segment.bytes) return undefined;
  await writeFileAside(place.folder, segmentName(segment.sequence), bytes);
  return { bytes: bytes.length, items: header.items, batches: 1 };
}
