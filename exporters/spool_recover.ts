/**
 * What a lane's folder holds when a process takes it over. Any damage is stepped over and told; it never keeps the
 * agent from starting (otlp 4.5 "Recovery").
 * @module
 */
import { AckFile } from "./spool_ack.ts";
import { namesIn, removeIfThere, segmentSequence, syncFolder } from "./spool_files.ts";
import { type FoundRecord, payloadOf, type Scan, scanSegment } from "./spool_scan.ts";

/** A segment with what of it is still to be delivered. */
export interface Segment {
  readonly sequence: number;
  readonly path: string;
  bytes: number;
  /** Of its newest record; 0 before the first. */
  lastSequence: number;
  items: number;
  batches: number;
}

/** A lane's folder, ready to go on. */
export interface Recovered {
  readonly ack: AckFile;
  /** Oldest first. The last is kept even when all of it is delivered, if there is a baseline: it holds the newest. */
  readonly segments: Segment[];
  readonly nextSequence: number;
  readonly nextSegment: number;
  readonly baseline: string | undefined;
  /** What was found damaged, for people. */
  readonly damage: readonly string[];
}

/** Reads the folder, repairs what a crash has torn. Throws only what the disk throws. */
export async function recoverLane(folder: string, lane: number): Promise<Recovered> {
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const names = await namesIn(folder);
  for (const name of names) if (name.endsWith(".tmp")) await removeIfThere(`${folder}/${name}`);
  const ack = await AckFile.open(folder);
  const numbers = names.flatMap((name) => segmentSequence(name) ?? []);
  const damage: string[] = [];
  const segments: Segment[] = [];
  let seen = ack.sequence;
  let last = ack.sequence;
  let baseline: string | undefined;
  for (const [index, number] of numbers.entries()) {
    const name = names.find((candidate) => segmentSequence(candidate) === number) ?? "";
    const path = `${folder}/${name}`;
    const bytes = await Deno.readFile(path);
    const scan = scanSegment(bytes);
    if (scan.header?.lane !== lane) {
      if (bytes.length > 0) damage.push(await setAside(path, bytes.length));
      else await removeIfThere(path);
      continue;
    }
    if (scan.lostBytes > 0) damage.push(`${name}: ${scan.lostBytes} bytes behind byte ${scan.end} are lost`);
    if (index === numbers.length - 1 && scan.lostBytes > 0) await Deno.truncate(path, scan.end);
    // A number seen before is a copy left by a crash.
    const fresh = scan.records.filter(({ header }) => header.sequence > seen);
    last = Math.max(last, ...scan.records.map(({ header }) => header.sequence));
    seen = Math.max(seen, last);
    baseline = newestBaseline(bytes, scan) ?? baseline;
    const lastSequence = scan.records.at(-1)?.header.sequence ?? 0;
    segments.push({ sequence: number, path, bytes: bytes.length, lastSequence, ...countOf(fresh) });
  }
  await dropDelivered(segments, { folder, keep: baseline === undefined ? 0 : 1 });
  const nextSegment = Math.max(0, ...numbers) + 1;
  return { ack, segments, nextSequence: last + 1, nextSegment, baseline, damage };
}

function countOf(records: readonly FoundRecord[]): { items: number; batches: number } {
  return { items: records.reduce((sum, { header }) => sum + header.items, 0), batches: records.length };
}

function newestBaseline(bytes: Uint8Array, { records }: Scan): string | undefined {
  for (const record of records.toReversed()) {
    if (record.header.baselineBytes === 0) continue;
    const payload = payloadOf(bytes, record);
    if (payload?.baseline !== undefined) return payload.baseline;
  }
  return undefined;
}

async function setAside(path: string, length: number): Promise<string> {
  await Deno.rename(path, `${path}.bad`);
  return `${path}: ${length} bytes with a damaged or foreign header were set aside`;
}

async function dropDelivered(
  segments: Segment[],
  { folder, keep }: { folder: string; keep: number },
): Promise<void> {
  while (segments.length > keep && segments[0]?.batches === 0) {
    const [segment] = segments.splice(0, 1);
    if (segment !== undefined) await removeIfThere(segment.path);
  }
  await syncFolder(folder);
}
