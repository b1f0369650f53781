/**
 * `spool/inbox/`: how a process that may write the state directory, but not reach the agent, hands in a batch. One
 * file per batch, written aside and renamed, so that the courier never sees half of one (design 2).
 * @module
 */
import type { BatchHeader } from "./batch.ts";
import { crc32 } from "./crc32.ts";
import { concat } from "./gzip.ts";
import type { LaneBatch } from "./queue.ts";
import { namesIn, writeFileAside } from "./spool_files.ts";

export const INBOX_FOLDER = "inbox";
const SUFFIX = ".batch";
/** Larger files are not read: no batch is that large. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;
/** Files taken in one sweep; the next sweep takes more. */
export const SWEEP_MAX = 64;

const MAGIC = 0x42424f53;
const PREFIX_BYTES = 12;

/** The file's bytes: magic, CRC of the rest, header length, header as JSON, body. */
export function encodeInboxFile({ header, body }: LaneBatch): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify({ ...header, gzipped: body.gzipped }));
  const prefix = new Uint8Array(PREFIX_BYTES);
  const view = new DataView(prefix.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(8, json.length, true);
  const bytes = concat([prefix, json, body.bytes], PREFIX_BYTES + json.length + body.bytes.length);
  new DataView(bytes.buffer).setUint32(4, crc32(bytes.subarray(8)), true);
  return bytes;
}

/** Undefined when the bytes are damaged or no such file. */
export function decodeInboxFile(bytes: Uint8Array): LaneBatch | undefined {
  if (bytes.length < PREFIX_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const bodyAt = PREFIX_BYTES + view.getUint32(8, true);
  if (view.getUint32(0, true) !== MAGIC || bodyAt > bytes.length) return undefined;
  if (view.getUint32(4, true) !== crc32(bytes.subarray(8))) return undefined;
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(PREFIX_BYTES, bodyAt)));
    const header = readHeader(parsed);
    const gzipped = typeof parsed === "object" && parsed !== null && Reflect.get(parsed, "gzipped") === true;
    return header === undefined ? undefined : { header, body: { bytes: bytes.slice(bodyAt), gzipped } };
  } catch {
    return undefined;
  }
}

function readHeader(parsed: unknown): BatchHeader | undefined {
  if (typeof parsed !== "object" || parsed === null) return undefined;
  const text = (name: string): string => String(Reflect.get(parsed, name) ?? "");
  const whole = (name: string): number => {
    const value = Number(Reflect.get(parsed, name));
    return Number.isSafeInteger(value) && value >= 0 ? value : 0;
  };
  const signal = (["metrics", "logs", "traces"] as const).find((each) => each === text("signal"));
  if (signal === undefined) return undefined;
  return {
    destination: text("destination"),
    signal,
    encoding: text("encoding") === "json" ? "json" : "protobuf",
    items: whole("items"),
    firstTimeMs: whole("firstTimeMs"),
    lastTimeMs: whole("lastTimeMs"),
    sequence: whole("sequence"),
    uncompressedBytes: whole("uncompressedBytes"),
  };
}

/** The endpoint (spool_key.ts) that a file's name says it is for, `…-HASH.batch`; undefined when it says none. */
export function inboxHash(name: string): string | undefined {
  return /-([0-9a-f]{16})\.batch$/.exec(name)?.[1];
}

/** Hands a batch in. `name` tells writers apart, for example time, process id and a counter. Throws what the disk throws. */
export async function writeInbox(spoolPath: string, name: string, batch: LaneBatch): Promise<void> {
  const folder = `${spoolPath}/${INBOX_FOLDER}`;
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFileAside(folder, `${name}${SUFFIX}`, encodeInboxFile(batch));
}

/** A file of the inbox. */
export interface InboxFile {
  readonly path: string;
  /** Undefined: damaged. */
  readonly batch: LaneBatch | undefined;
}

/** The oldest of the wanted files by name, at most 64. */
export async function readInbox(
  spoolPath: string,
  isWanted: (name: string) => boolean = () => true,
): Promise<InboxFile[]> {
  const folder = `${spoolPath}/${INBOX_FOLDER}`;
  const names = (await namesIn(folder)).filter((name) => name.endsWith(SUFFIX) && isWanted(name))
    .slice(0, SWEEP_MAX);
  return await Promise.all(names.map(async (name) => {
    const path = `${folder}/${name}`;
    const { size, isFile } = await Deno.lstat(path);
    const isReadable = isFile && size <= FILE_BYTES_MAX;
    return { path, batch: isReadable ? decodeInboxFile(await Deno.readFile(path)) : undefined };
  }));
}
