/**
 * Folders of endpoints that are not configured any more: never sent to another endpoint, kept for `sonde spool` and for
 * their endpoint's return as long as the data is of use to anyone, then removed and told (otlp 4.5 "Endpoint changed").
 * @module
 */
import { namesIn, syncFolder } from "./spool_files.ts";
import { type LaneFolder, laneFolders, listFolder } from "./spool_list.ts";

/** One lane's folder that is gone. */
export interface RemovedFolder {
  readonly destination: string;
  readonly origin: string;
  readonly signal: string;
  /** Undelivered, and lost with it. */
  readonly items: number;
}

/** No clock before this is set, and an unset clock must not make data old. */
const PLAUSIBLE_MS = Date.UTC(2026, 10, 1);

/**
 * Removes lane folders that are not in `own` and whose newest file was written before `nowMs - maxAgeMs`. Throws what
 * the disk throws.
 */
export async function removeForeign(
  spoolPath: string,
  own: ReadonlySet<string>,
  { nowMs, maxAgeMs }: { readonly nowMs: number; readonly maxAgeMs: number },
): Promise<RemovedFolder[]> {
  if (nowMs < PLAUSIBLE_MS) return [];
  const removed: RemovedFolder[] = [];
  for (const folder of await laneFolders(spoolPath)) {
    if (own.has(folder.path) || nowMs - await newestMs(folder) < maxAgeMs) continue;
    let items = 0;
    for await (const stored of listFolder(folder, "queued")) items += stored.items;
    await Deno.remove(folder.path, { recursive: true });
    const { signal, key: { destination, origin } } = folder;
    removed.push({ destination, origin, signal, items });
    await removeEmpty(`${spoolPath}/${folder.hash}`);
  }
  if (removed.length > 0) await syncFolder(spoolPath);
  return removed;
}

async function newestMs({ path }: LaneFolder): Promise<number> {
  let newest = 0;
  for (const name of await namesIn(path)) {
    newest = Math.max(newest, (await Deno.stat(`${path}/${name}`)).mtime?.getTime() ?? 0);
  }
  return newest;
}

/** A destination's folder without any lane in it is only its description. */
async function removeEmpty(path: string): Promise<void> {
  for await (const { isDirectory } of Deno.readDir(path)) if (isDirectory) return;
  await Deno.remove(path, { recursive: true });
}
