/**
 * One run of a named job at a time: a lock file in the state directory, released by the kernel whatever becomes of its
 * holder.
 * @module
 */
import { makeFolder } from "../config/state_dir.ts";

/** The lock, or who has it, or why none can be had. */
export type JobLock =
  | { readonly kind: "taken"; readonly release: () => void }
  | { readonly kind: "busy"; readonly holder: string }
  | { readonly kind: "unusable"; readonly fault: string };

const NAME_CHARS_MAX = 200;

function holderOf(file: Deno.FsFile): string {
  const bytes = new Uint8Array(64);
  const length = file.readSync(bytes) ?? 0;
  const pid = new TextDecoder().decode(bytes.subarray(0, length)).trim();
  return /^\d+$/.test(pid) ? `process ${pid}` : "another process";
}

/** Takes the lock of a job without waiting. */
export function lockJob(stateDir: string, name: string): JobLock {
  try {
    makeFolder(`${stateDir}/jobs`);
    const path = `${stateDir}/jobs/${encodeURIComponent(name).slice(0, NAME_CHARS_MAX)}.lock`;
    const file = Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 });
    if (!file.tryLockSync(true)) {
      const holder = holderOf(file);
      file.close();
      return { kind: "busy", holder };
    }
    file.truncateSync(0);
    file.writeSync(new TextEncoder().encode(`${Deno.pid}\n`));
    return { kind: "taken", release: () => file.close() };
  } catch (error) {
    return { kind: "unusable", fault: error instanceof Error ? error.message : String(error) };
  }
}
