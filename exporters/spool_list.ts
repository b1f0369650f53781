/**
 * Reading a spool from outside, for `sonde spool ls` and `cat`: takes no lock and changes nothing, so it is safe
 * beside a running agent.
 * @module
 */
import { type Signal, SIGNALS } from "./batch.ts";
import { crc32 } from "./crc32.ts";
import type { LaneBatch } from "./queue.ts";
import { ACK_FILE, decodeAck } from "./spool_ack.ts";
import { DEAD_FOLDER } from "./spool_dead.ts";
import { namesIn, segmentSequence } from "./spool_files.ts";
import { INBOX_FOLDER, readInbox } from "./spool_inbox.ts";
import { DESTINATION_FILE, type DestinationKey, parseDestinationKey } from "./spool_key.ts";
import { entryOf } from "./spool_read.ts";
import { payloadOf, scanSegment } from "./spool_scan.ts";

/** A batch on disk. */
export interface StoredBatch {
  /** What `cat` takes: folder, signal and number. */
  readonly id: string;
  readonly destination: string;
  readonly signal: Signal;
  /** "queued": to be delivered; "dead": in quarantine; "inbox": handed in, not claimed yet. */
  readonly state: "queued" | "dead" | "inbox";
  readonly items: number;
  /** Of the body as it is stored. */
  readonly bytes: number;
  readonly firstTimeMs: number;
  readonly lastTimeMs: number;
  /** Undefined when its payload is damaged. */
  readonly batch: LaneBatch | undefined;
}

/** One lane's folder in a spool. */
export interface LaneFolder {
  readonly hash: string;
  readonly key: DestinationKey;
  readonly signal: Signal;
  readonly path: string;
  /** What its segments' headers must say. */
  readonly lane: number;
}

const HASH = /^[0-9a-f]{16}$/;
const ID_HASH_CHARS = 8;

/** The lane folders under `spoolPath`, of every destination that ever used it. */
export async function laneFolders(spoolPath: string): Promise<LaneFolder[]> {
  const folders: LaneFolder[] = [];
  for (const hash of (await namesIn(spoolPath)).filter((name) => HASH.test(name))) {
    const text = await readIfThere(`${spoolPath}/${hash}/${DESTINATION_FILE}`);
    const key = parseDestinationKey(new TextDecoder().decode(text)) ??
      { destination: "unknown", preset: "", origin: "", path: "" };
    const names = await namesIn(`${spoolPath}/${hash}`);
    for (const signal of SIGNALS.filter((each) => names.includes(each))) {
      folders.push({
        hash,
        key,
        signal,
        path: `${spoolPath}/${hash}/${signal}`,
        lane: laneNumber(hash, signal),
      });
    }
  }
  return folders;
}

/** The number that a lane's segments carry. */
export function laneNumber(hash: string, signal: Signal): number {
  return crc32(new TextEncoder().encode(`${hash}/${signal}`));
}

/** Every batch, oldest first in each lane. Throws what the disk throws. */
export async function* listSpool(spoolPath: string): AsyncGenerator<StoredBatch> {
  for (const folder of await laneFolders(spoolPath)) {
    yield* listFolder(folder, "queued");
    yield* listFolder({ ...folder, path: `${folder.path}/${DEAD_FOLDER}` }, "dead");
  }
  for (const { path, batch } of await readInbox(spoolPath)) {
    if (batch === undefined) continue;
    const name = path.slice(path.lastIndexOf("/") + 1).replace(/(-[0-9a-f]{16})?\.batch$/, "");
    yield { id: `${INBOX_FOLDER}-${name}`, state: "inbox", ...described(batch), batch };
  }
}

/** The batch that `ls` shows under `id`; undefined when there is none. */
export async function findStored(spoolPath: string, id: string): Promise<StoredBatch | undefined> {
  for await (const stored of listSpool(spoolPath)) if (stored.id === id) return stored;
  return undefined;
}

/** The undelivered batches of one folder. */
export async function* listFolder(folder: LaneFolder, state: "queued" | "dead"): AsyncGenerator<StoredBatch> {
  const { hash, key: { destination }, signal, path } = folder;
  const acknowledged = decodeAck(await readIfThere(`${path}/${ACK_FILE}`)).sequence;
  const prefix = `${hash.slice(0, ID_HASH_CHARS)}-${signal}${state === "dead" ? "-dead" : ""}`;
  for (const name of (await namesIn(path)).filter((each) => segmentSequence(each) !== undefined)) {
    const bytes = await readIfThere(`${path}/${name}`);
    const scan = scanSegment(bytes);
    if (scan.header?.lane !== folder.lane) continue;
    for (const record of scan.records) {
      const { header, offset } = record;
      if (state === "queued" && header.sequence <= acknowledged) continue;
      const payload = payloadOf(bytes, record);
      const stored = payload && { kind: "record" as const, header, payload, path, end: record.end };
      yield {
        // Numbers in quarantine come from other folders' counts: the place tells them apart.
        id: state === "dead" ? `${prefix}-${name.slice(19, 20)}-${offset}` : `${prefix}-${header.sequence}`,
        destination,
        signal,
        state,
        items: header.items,
        bytes: header.payloadBytes - header.baselineBytes,
        firstTimeMs: header.firstTimeMs,
        lastTimeMs: header.lastTimeMs,
        batch: entryOf(stored, { destination, signal })?.batch,
      };
    }
  }
}

/** The file's bytes; none when it has gone meanwhile, which beside a running agent it may. */
export async function readIfThere(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return new Uint8Array(0);
    throw error;
  }
}

function described({ header, body }: LaneBatch): Omit<StoredBatch, "id" | "state" | "batch"> {
  const { destination, signal, items, firstTimeMs, lastTimeMs } = header;
  return { destination, signal, items, bytes: body.bytes.length, firstTimeMs, lastTimeMs };
}
