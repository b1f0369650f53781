/**
 * What sonde keeps and gives up on this host: the spool, the sandbox.
 * @module
 */
import { openStateDir } from "../config/state_dir.ts";
import type { Settings } from "../config/settings.ts";
import { probe } from "../exporters/probe.ts";
import * as show from "../exporters/console_text.ts";
import { listSpool } from "../exporters/spool_list.ts";
import { type Check, wordsOf } from "./doctor_check.ts";
import { dropPermissions } from "./drop.ts";

/** Less room than the spool may take is worth a word. */
export interface Room {
  /** Bytes that this user may still write; undefined when the kernel cannot be asked. */
  readonly freeBytes: (path: string) => Promise<number | undefined>;
}

async function waiting(path: string): Promise<{ batches: number; dead: number; bytes: number }> {
  const found = { batches: 0, dead: 0, bytes: 0 };
  for await (const { state, bytes } of listSpool(path)) {
    if (state === "dead") found.dead++;
    else found.batches++;
    found.bytes += bytes;
  }
  return found;
}

/** Whether data can be kept, what is kept now, and whether there is room. */
export async function checkSpool(
  { stateDirs, spool }: Pick<Settings, "stateDirs" | "spool">,
  { freeBytes }: Room,
): Promise<Check> {
  const name = "spool";
  if (spool.mode === "off") {
    const next = "Set SONDE_SPOOL=auto";
    return { name, state: "warn", what: "off: an outage loses data", next };
  }
  const { path, fault } = openStateDir(stateDirs);
  if (fault !== undefined) {
    const next = "Run as the agent's user, or name a folder with --state-dir";
    return { name, state: "warn", what: `no folder can be written: ${fault}`, next };
  }
  try {
    const { batches, dead, bytes } = await waiting(`${path}/spool`);
    const free = await freeBytes(path);
    const kept = batches === 0 ? "empty" : `${batches} batches, ${show.bytes(bytes)}, waiting`;
    const what = `${path}/spool: ${kept}, at most ${show.bytes(spool.bytesMax)}`;
    if (dead > 0) {
      return {
        name,
        state: "warn",
        what: `${what}; ${dead} set aside as unreadable`,
        next: "Type sonde spool verify",
      };
    }
    if (free !== undefined && free < spool.bytesMax - bytes) {
      const next = "Make room, or set SONDE_SPOOL_MAX lower";
      return { name, state: "warn", what: `${what}; the disk has only ${show.bytes(free)} left`, next };
    }
    return { name, state: "ok", what };
  } catch (error) {
    return { name, state: "warn", what: `${path}/spool: ${wordsOf(error)}`, next: "Type sonde spool verify" };
  }
}

/** Gives every permission up, as the agent does, and tries what must not be possible. Nothing can be done afterwards. */
export async function checkSandbox(): Promise<Check> {
  const name = "sandbox";
  try {
    dropPermissions();
  } catch (error) {
    return {
      name,
      state: "FAIL",
      what: wordsOf(error),
      next: "Start with deno run -A --no-prompt",
      code: 69,
    };
  }
  const attempts = await probe();
  const possible = attempts.filter(({ result }) => result === "possible").map(({ attempt }) => attempt);
  if (possible.length > 0) {
    return {
      name,
      state: "FAIL",
      what: `possible after the drop: ${possible.join(", ")}`,
      next: "Type sonde sandbox",
      code: 69,
    };
  }
  return { name, state: "ok", what: `all permissions given up; ${attempts.length} attempts, all denied` };
}
