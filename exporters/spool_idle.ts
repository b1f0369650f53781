/**
 * Whether anything waits in a spool: a look at names, for a process that need not open it then.
 * @module
 */
import { ACK_FILE } from "./spool_ack.ts";
import { DESTINATION_FILE, LOCK_FILE } from "./spool_key.ts";

/** What an empty spool is made of, beside folders. */
const FRAME: ReadonlySet<string> = new Set([ACK_FILE, DESTINATION_FILE, LOCK_FILE]);
/** Destination and signal. */
const DEPTH = 2;

function holdsNothing(folder: string, depth: number): boolean {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const isEmpty = isDirectory ? depth > 0 && holdsNothing(`${folder}/${name}`, depth - 1) : FRAME.has(name);
    if (!isEmpty) return false;
  }
  return true;
}

/** True when nothing waits under `path`, `STATE/spool`. What cannot be looked at may hold something. */
export function isSpoolIdle(path: string): boolean {
  try {
    return holdsNothing(path, DEPTH);
  } catch {
    return false;
  }
}
