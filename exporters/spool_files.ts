/**
 * The few file operations of the spool: whole writes, durable names, ordered segment names (otlp 4.5).
 * @module
 */

const SEGMENT_NAME = /^(\d{20})\.seg$/;

/** `00000000000000000042.seg`: ordered by name as by number. */
export function segmentName(sequence: number): string {
  return `${String(sequence).padStart(20, "0")}.seg`;
}

/** The number in a segment's name; undefined for other files. */
export function segmentSequence(name: string): number | undefined {
  const digits = SEGMENT_NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Names in a folder, sorted; none when it does not exist. */
export async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) names.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names.sort();
}

/** Writes may be short; this one is not. */
export async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

/** Up to `length` bytes from `offset`; fewer at the end of the file. */
export async function readAt(
  file: Deno.FsFile,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  await file.seek(offset, Deno.SeekMode.Start);
  let filled = 0;
  while (filled < length) {
    const count = await file.read(bytes.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}

/** A created, renamed or removed name is durable only after its folder is synced. */
export async function syncFolder(folder: string): Promise<void> {
  using handle = await Deno.open(folder, { read: true });
  await handle.sync();
}

/** A whole small file, written aside and renamed. */
export async function writeFileAside(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const path = `${folder}/${name}`;
  const aside = `${path}.tmp`;
  {
    using file = await Deno.open(aside, { write: true, create: true, truncate: true, mode: 0o600 });
    await writeAll(file, bytes);
    await file.syncData();
  }
  await Deno.rename(aside, path);
  await syncFolder(folder);
}

/** Removes a file that may be gone already. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** ENOSPC or EDQUOT. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && /os error (28|122)\b/.test(error.message);
}
