/**
 * `sonde spool verify`: reads everything, changes nothing, says what is damaged.
 * @module
 */
import { ACK_FILE, decodeAck } from "./spool_ack.ts";
import { DEAD_FOLDER } from "./spool_dead.ts";
import { namesIn, segmentSequence } from "./spool_files.ts";
import { INBOX_FOLDER, readInbox } from "./spool_inbox.ts";
import { type LaneFolder, laneFolders, readIfThere } from "./spool_list.ts";
import { payloadOf, scanSegment } from "./spool_scan.ts";

/** Something in the spool that cannot be delivered as it was written. */
export interface SpoolDamage {
  readonly path: string;
  readonly what: string;
}

/** What a whole spool was found to be. */
export interface SpoolCheck {
  readonly damage: readonly SpoolDamage[];
  /** Batches that were read and are sound. */
  readonly sound: number;
}

/** Checks every segment, ack file and inbox file under `spoolPath`. Throws what the disk throws. */
export async function verifySpool(spoolPath: string): Promise<SpoolCheck> {
  const damage: SpoolDamage[] = [];
  let sound = 0;
  for (const folder of await laneFolders(spoolPath)) {
    sound += await verifyFolder(folder, damage);
    sound += await verifyFolder({ ...folder, path: `${folder.path}/${DEAD_FOLDER}` }, damage);
  }
  for (const { path, batch } of await readInbox(spoolPath)) {
    if (batch === undefined) damage.push({ path, what: "damaged file in the inbox" });
    else sound++;
  }
  for (const name of await namesIn(`${spoolPath}/${INBOX_FOLDER}`)) {
    if (name.endsWith(".bad")) {
      damage.push({ path: `${spoolPath}/${INBOX_FOLDER}/${name}`, what: "set aside earlier" });
    }
  }
  return { damage, sound };
}

async function verifyFolder({ path, lane }: LaneFolder, damage: SpoolDamage[]): Promise<number> {
  const names = await namesIn(path);
  const segments = names.filter((name) => segmentSequence(name) !== undefined);
  let sound = 0;
  for (const name of segments) sound += await verifySegment(`${path}/${name}`, { lane, damage });
  for (const name of names.filter((each) => each.endsWith(".bad"))) {
    damage.push({ path: `${path}/${name}`, what: "set aside earlier" });
  }
  const ack = await readIfThere(`${path}/${ACK_FILE}`);
  if (ack.length > 0 && decodeAck(ack).generation === 0) {
    damage.push({ path: `${path}/${ACK_FILE}`, what: "no slot is valid: batches may be sent twice" });
  }
  return sound;
}

interface SegmentCheck {
  readonly lane: number;
  readonly damage: SpoolDamage[];
}

async function verifySegment(path: string, { lane, damage }: SegmentCheck): Promise<number> {
  let bytes = await readIfThere(path);
  let scan = scanSegment(bytes);
  if (scan.lostBytes > 0) {
    // Beside a running agent this may be a record half written: it is whole when read again, or it is torn.
    bytes = await readIfThere(path);
    scan = scanSegment(bytes);
  }
  if (bytes.length === 0) return 0;
  if (scan.header === undefined) damage.push({ path, what: "segment header is damaged" });
  else if (scan.header.lane !== lane) damage.push({ path, what: "segment belongs to another destination" });
  if (scan.header === undefined || scan.header.lane !== lane) return 0;
  if (scan.lostBytes > 0) {
    damage.push({ path, what: `${scan.lostBytes} bytes behind byte ${scan.end} cannot be read` });
  }
  const torn = scan.records.filter((record) => payloadOf(bytes, record) === undefined);
  for (const { header, offset } of torn) {
    damage.push({
      path,
      what: `batch ${header.sequence} at byte ${offset} is damaged (${header.items} items)`,
    });
  }
  return scan.records.length - torn.length;
}
