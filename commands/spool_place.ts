/**
 * Where the spool of a process is, and how it is used there.
 * @module
 */
import type { Settings } from "../config/settings.ts";
import { makeFolder } from "../config/state_dir.ts";
import type { CourierStart } from "../exporters/messages.ts";

/** The spool's folder, made; nothing where nothing is to be kept on disk. `isBrief`: for a life that ends by itself. */
export function spoolPlace(
  { spool }: Pick<Settings, "spool">,
  { stateDir, isBrief }: { readonly stateDir: string | undefined; readonly isBrief?: boolean },
): Pick<CourierStart, "spool"> {
  if (stateDir === undefined || spool.mode === "off") return {};
  const path = `${stateDir}/spool`;
  makeFolder(path);
  const leftover = isBrief ? { leftover: String(Deno.pid) } : {};
  return { spool: { mode: spool.mode, path, bytesMax: spool.bytesMax, ...leftover } };
}
